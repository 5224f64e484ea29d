import { AssertionError } from 'node:assert'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { decodeAggregate } from '../aggregated-record/decode-aggregate.js'
import { readProducerTag } from '../aggregated-record/producer-tag.js'
import { aggregated } from './aggregated-data.js'
import { expectCheckpoint } from './expect-checkpoint.js'
import { kinesisEvent } from './kinesis-event.js'
import { lambdaContext } from './lambda-context.js'
import { ManualClock } from './manual-clock.js'
import { gzipped, logSubscription } from './test-data.js'

const bytesOf = (data: string) => Buffer.from(data, 'base64')

describe('builders of events', () => {
  it('pack members into an aggregate, with the producer where one is named', () => {
    const event = kinesisEvent([
      {
        partitionKey: 'container',
        data: aggregated([
          {
            partitionKey: 'a',
            explicitHashKey: '7',
            data: { n: 1 },
            producer: { producerId: 'p', sequence: 3 },
          },
          { data: 'plain text' },
        ]),
      },
    ])

    const decoded = decodeAggregate(bytesOf(event.Records[0]!.kinesis.data))
    if (decoded.kind !== 'aggregated') throw new Error('It is no aggregate.')
    expect(
      decoded.records.map(({ partitionKey, explicitHashKey, data, tags }) => [
        partitionKey,
        explicitHashKey,
        data.toString(),
        readProducerTag(tags),
      ]),
    ).toEqual([
      ['a', '7', '{"n":1}', { producerId: 'p', sequence: 3 }],
      ['key-1', undefined, 'plain text', undefined],
    ])
  })

  it('pack with gzip, also members', () => {
    const [member] = [aggregated([{ data: gzipped({ n: 1 }) }])].map((data) => decodeAggregate(data))
    if (member?.kind !== 'aggregated') throw new Error('It is no aggregate.')

    expect(gunzipSync(member.records[0]!.data).toString()).toBe('{"n":1}')
  })

  it('pack lines as a log subscription does', () => {
    const envelope = JSON.parse(
      gunzipSync(logSubscription(['START', 'END'], { logGroup: 'orders' })).toString(),
    )

    expect(envelope).toMatchObject({
      messageType: 'DATA_MESSAGE',
      logGroup: 'orders',
      logEvents: [{ message: 'START' }, { message: 'END' }],
    })
  })
})

describe('expectCheckpoint', () => {
  const event = kinesisEvent([{ data: 1 }, { partitionKey: 'b', data: 2 }, { data: 3 }])
  const failures = (...indexes: number[]) => ({
    batchItemFailures: indexes.map((index) => ({
      itemIdentifier: event.Records[index]!.kinesis.sequenceNumber,
    })),
  })

  it('holds where Lambda goes on there: at the lowest record that is named, or behind the batch', () => {
    expectCheckpoint(failures(1), event).at(1)
    expectCheckpoint(failures(2, 0), event).at(0)
    expectCheckpoint({ batchItemFailures: [] }, event).atEnd()
    expectCheckpoint(undefined, event).atEnd()
  })

  it.each([
    [
      () => expectCheckpoint(failures(1), event).at(0),
      /goes on at record 1 \(partition key b, .*at record 0 \(/,
    ],
    [() => expectCheckpoint(failures(1), event).atEnd(), /goes on at record 1 .* at the end of the batch/],
    [() => expectCheckpoint({ batchItemFailures: [] }, event).at(2), /goes on behind the batch; .* record 2/],
    [() => expectCheckpoint(failures(1), event).at(3), /record 3, and the event has 3/],
    [
      () => expectCheckpoint({ batchItemFailures: [{ itemIdentifier: '' }] }, event).at(0),
      /tries the whole batch again, because an itemIdentifier is missing/,
    ],
    [
      () => expectCheckpoint({ batchItemFailures: [{ itemIdentifier: '12' }] }, event).atEnd(),
      /names no record of the batch/,
    ],
  ])('fails otherwise, and says both places', (run, message) => {
    expect(run).toThrow(AssertionError)
    expect(run).toThrow(message)
  })
})

describe('a context of a test', () => {
  it('has as much time left as its clock says', async () => {
    const clock = new ManualClock()
    const context = lambdaContext({ clock, timeoutMs: 3_000 })

    await clock.advance(1_000)
    expect(context.getRemainingTimeInMillis()).toBe(2_000)
    await clock.advance(9_000)
    expect(context.getRemainingTimeInMillis()).toBe(0)
  })
})
