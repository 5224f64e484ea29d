import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { failureDocument, failureObjectKey } from './failure-document.js'
import { kinesisEventBuilder } from './kinesis-event.js'

const streamArn = 'arn:aws:kinesis:us-east-1:000000000000:stream/orders'
const builder = kinesisEventBuilder({ streamArn, shardId: 'shardId-000000000006', region: 'us-east-1' })
const record = {
  partitionKey: '1',
  sequenceNumber: '49590338271490256608559692538361571095921575989136588898',
  arrivalMs: 1_545_084_650_987,
  payloadBytes: 0,
  data: Buffer.from('Hello, this is a test.'),
}

describe('the event of a batch', () => {
  it('has the documented shape', () => {
    expect(builder.event({ records: [record] })).toEqual({
      Records: [
        {
          kinesis: {
            kinesisSchemaVersion: '1.0',
            partitionKey: '1',
            sequenceNumber: '49590338271490256608559692538361571095921575989136588898',
            data: 'SGVsbG8sIHRoaXMgaXMgYSB0ZXN0Lg==',
            approximateArrivalTimestamp: 1_545_084_650.987,
          },
          eventSource: 'aws:kinesis',
          eventVersion: '1.0',
          eventID: 'shardId-000000000006:49590338271490256608559692538361571095921575989136588898',
          eventName: 'aws:kinesis:record',
          invokeIdentityArn: 'arn:aws:iam::000000000000:role/local',
          awsRegion: 'us-east-1',
          eventSourceARN: streamArn,
        },
      ],
    })
  })

  it('says of which window it is', () => {
    const startMs = Date.UTC(2020, 11, 9, 7, 4)

    expect(
      builder.event({
        records: [],
        window: {
          startMs,
          endMs: startMs + 120_000,
          state: { 1: 282 },
          isFinalInvokeForWindow: true,
          isWindowTerminatedEarly: false,
        },
      }),
    ).toEqual({
      Records: [],
      window: { start: '2020-12-09T07:04:00Z', end: '2020-12-09T07:06:00Z' },
      state: { 1: 282 },
      shardId: 'shardId-000000000006',
      eventSourceARN: streamArn,
      isFinalInvokeForWindow: true,
      isWindowTerminatedEarly: false,
    })
  })

  it('never weighs more than its records were said to', () => {
    const anyRecord = fc.record({
      partitionKey: fc.string({ unit: 'binary', minLength: 1, maxLength: 256 }),
      sequenceNumber: fc.stringMatching(/^[1-9]\d{1,55}$/),
      arrivalMs: fc.integer({ min: 0, max: 4_102_444_800_000 }),
      data: fc.uint8Array({ maxLength: 100 }),
      payloadBytes: fc.constant(0),
    })
    fc.assert(
      fc.property(fc.array(anyRecord, { minLength: 1, maxLength: 5 }), (records) => {
        const actual = Buffer.byteLength(JSON.stringify(builder.event({ records })))
        const said = records.reduce((sum, of) => sum + builder.payloadBytes(of), 0)
        const envelope = '{"Records":[]}'.length

        expect(actual).toBeLessThanOrEqual(said + envelope)
        expect(said + envelope - actual).toBeLessThan(20 * records.length)
      }),
    )
  })
})

describe('the document of a discarded batch', () => {
  const discard = {
    kind: 'discard' as const,
    id: 1,
    lane: 0,
    batch: {
      records: [
        record,
        {
          ...record,
          sequenceNumber: '49590338271490256608559692538361571095921575989136588899',
          arrivalMs: 1_545_084_651_000,
        },
      ],
    },
    condition: 'RetryAttemptsExhausted' as const,
    invocations: 4,
    functionError: true,
  }
  const context = {
    requestId: 'c9b8fa9f-5a7f-4e1d-af9c-0c604cde93a5',
    functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:f',
    streamArn,
    shardId: 'shardId-000000000006',
    nowMs: Date.UTC(2019, 10, 14, 0, 38, 6, 21),
  }

  it('has the documented fields, and the whole event where the destination takes it', () => {
    expect(failureDocument(discard, { ...context, payload: '{"Records":[]}' })).toEqual({
      requestContext: {
        requestId: context.requestId,
        functionArn: context.functionArn,
        condition: 'RetryAttemptsExhausted',
        approximateInvokeCount: 4,
      },
      responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
      version: '1.0',
      timestamp: '2019-11-14T00:38:06.021Z',
      KinesisBatchInfo: {
        shardId: 'shardId-000000000006',
        startSequenceNumber: '49590338271490256608559692538361571095921575989136588898',
        endSequenceNumber: '49590338271490256608559692538361571095921575989136588899',
        approximateArrivalOfFirstRecord: '2018-12-17T22:10:50.987Z',
        approximateArrivalOfLastRecord: '2018-12-17T22:10:51.000Z',
        batchSize: 2,
        streamArn,
      },
      payload: '{"Records":[]}',
    })
  })

  it('has no response where there was no invocation, and no payload for queues and topics', () => {
    const document = failureDocument({ ...discard, condition: 'RecordAgeExceeded', invocations: 0 }, context)

    expect(document).not.toHaveProperty('responseContext')
    expect(document).not.toHaveProperty('payload')
  })

  it('is named as S3 destinations name it', () => {
    expect(failureObjectKey('mapping-id', 'shardId-000000000006', context.nowMs, 'random')).toBe(
      'aws/lambda/mapping-id/shardId-000000000006/2019/11/14/2019-11-14T00.38.06-random',
    )
  })
})
