import { cbor, dateToTag } from '@smithy/core/cbor'
import { EventStreamCodec } from '@smithy/core/event-streams'
import { fromUtf8, toUtf8 } from '@smithy/core/serde'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Local, startLocal } from '../src/start-local.js'
import { post } from './support/clients.js'

const CBOR = 'application/x-amz-cbor-1.1'
const StreamName = 'orders'
const ShardId = 'shardId-000000000000'

let local: Local

beforeAll(async () => {
  local = await startLocal({ streams: [{ name: StreamName }] })
})
afterAll(() => local.close())

/** As the Java SDK 2 asks: the target in a header, timestamps in milliseconds. */
async function call(operation: string, input: unknown) {
  const body = cbor.serialize(input)
  const response = await post(local.url, `Kinesis_20131202.${operation}`, body, { 'content-type': CBOR })
  expect(response.headers.get('content-type')).toBe(CBOR)
  return { response, output: cbor.deserialize(new Uint8Array(await response.arrayBuffer())) }
}

describe('Kinesis in CBOR', () => {
  it('takes and gives bytes as bytes, and times as tagged milliseconds', async () => {
    const payloads = [
      Buffer.from([0, 255, 10]),
      Buffer.from('żółć'),
      Buffer.alloc(0),
      Buffer.alloc(70_000, 7),
    ]
    const before = Date.now()
    const { output: put } = await call('PutRecords', {
      StreamName,
      Records: payloads.map((payload) => ({ PartitionKey: 'ключ', Data: new Uint8Array(payload) })),
    })
    expect(put).toMatchObject({ FailedRecordCount: 0, EncryptionType: 'NONE' })
    const { output: at } = await call('GetShardIterator', {
      StreamName,
      ShardId,
      ShardIteratorType: 'AT_TIMESTAMP',
      Timestamp: { ...dateToTag(new Date(before)), value: before - 60_000 },
    })
    const { output } = await call('GetRecords', at)

    const records = output.Records as { Data: Uint8Array; ApproximateArrivalTimestamp: { value: number } }[]
    expect(records.map(({ Data }) => Buffer.from(Data))).toEqual(payloads)
    expect(records[0]).toMatchObject({ PartitionKey: 'ключ', ApproximateArrivalTimestamp: { tag: 1 } })
    expect(records[0]!.ApproximateArrivalTimestamp.value).toBeGreaterThanOrEqual(before)
    expect(output.MillisBehindLatest).toBe(0)
  })

  it('answers nothing as an empty map, and errors with their type', async () => {
    const tagged = await call('AddTagsToStream', { StreamName, Tags: { team: 'a' } })
    expect(tagged.output).toEqual({})

    const { response, output } = await call('DescribeStream', { StreamName: 'none' })
    expect(response.status).toBe(400)
    expect(response.headers.get('x-amzn-errortype')).toBe('ResourceNotFoundException')
    expect(output).toEqual({
      __type: 'ResourceNotFoundException',
      message: 'Stream none under account 000000000000 not found.',
    })
  })

  it.each([
    ['a list', [1]],
    ['bytes', new Uint8Array([1])],
    ['a number', 7],
  ])('refuses %s for a map', async (_what, input) => {
    const { response, output } = await call('ListStreams', input)

    expect(response.status).toBe(400)
    expect(output).toMatchObject({ __type: 'SerializationException' })
  })

  it('pushes events in CBOR to who subscribes in CBOR', async () => {
    const { output: registered } = await call('RegisterStreamConsumer', {
      StreamARN: `arn:aws:kinesis:us-east-1:000000000000:stream/${StreamName}`,
      ConsumerName: 'java',
    })
    const { ConsumerARN } = registered.Consumer
    const input = { ConsumerARN, ShardId, StartingPosition: { Type: 'TRIM_HORIZON' } }
    const response = await post(local.url, 'Kinesis_20131202.SubscribeToShard', cbor.serialize(input), {
      'content-type': CBOR,
    })
    const reader = response.body!.getReader()
    const codec = new EventStreamCodec(toUtf8, fromUtf8)
    let received = Buffer.alloc(0)
    const nextMessage = async () => {
      while (received.length < 4 || received.length < received.readUInt32BE(0)) {
        received = Buffer.concat([received, (await reader.read()).value!])
      }
      const message = received.subarray(0, received.readUInt32BE(0))
      received = received.subarray(message.length)
      return codec.decode(message)
    }

    expect((await nextMessage()).headers[':event-type']?.value).toBe('initial-response')
    const { headers, body } = await nextMessage()
    await reader.cancel()
    expect(headers[':content-type']?.value).toBe(CBOR)
    const event = cbor.deserialize(body)
    expect(Buffer.from(event.Records[1].Data).toString()).toBe('żółć')
  })
})

it('CloudWatch is spoken to in Smithy RPC v2, as boto3 and the AWS CLI do', async () => {
  const rpc = async (operation: string, input: unknown) => {
    const response = await fetch(
      `${local.url}/service/GraniteServiceVersion20100801/operation/${operation}`,
      {
        method: 'POST',
        headers: { 'smithy-protocol': 'rpc-v2-cbor', 'content-type': 'application/cbor' },
        body: new Uint8Array(cbor.serialize(input)),
      },
    )
    expect(response.headers.get('smithy-protocol')).toBe('rpc-v2-cbor')
    return { status: response.status, output: cbor.deserialize(new Uint8Array(await response.arrayBuffer())) }
  }
  const at = new Date('2026-01-01T00:00:30Z')
  await rpc('PutMetricData', {
    Namespace: 'Shop',
    MetricData: [{ MetricName: 'Orders', Value: 2.5, Timestamp: dateToTag(at) }],
  })

  const { output } = await rpc('GetMetricStatistics', {
    Namespace: 'Shop',
    MetricName: 'Orders',
    StartTime: dateToTag(new Date('2026-01-01T00:00:00Z')),
    EndTime: dateToTag(new Date('2026-01-01T00:01:00Z')),
    Period: 60,
    Statistics: ['Sum'],
  })
  expect(output.Datapoints).toMatchObject([
    { Sum: 2.5, Timestamp: { tag: 1, value: Date.UTC(2026, 0, 1) / 1_000 } },
  ])
  expect(await rpc('GetMetricStatistics', {})).toMatchObject({
    status: 400,
    output: { __type: expect.any(String), message: expect.any(String) },
  })
})
