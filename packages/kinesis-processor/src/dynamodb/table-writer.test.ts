import type { BatchWriteItemCommandInput, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { ManualClock } from '@org/kinesis-core/testing'
import { describe, expect, it } from 'vitest'
import { runOn } from '../handler-fixture.js'
import type { SinkRecord } from '../sink.js'
import { dynamoDbSink } from './dynamodb-sink.js'

type Value = { id: string }
type Requests = NonNullable<BatchWriteItemCommandInput['RequestItems']>[string]

const record = (id: string, partitionKey = id): SinkRecord<Value> => ({
  value: { id },
  position: {
    streamArn: '',
    streamName: '',
    shardId: '',
    sequenceNumber: '1',
    subSequenceNumber: 0,
    partitionKey,
    arrivalMs: 0,
  },
})

/**
 * A table whose answers are scripted: the emulator never runs out of capacity. Each answer takes the requests, and gives those that it
 * leaves unprocessed.
 */
async function write(
  records: SinkRecord<Value>[],
  answers: ((requests: Requests) => Requests)[],
  remainingMs = () => 60_000,
) {
  const clock = new ManualClock()
  const sent: string[][] = []
  const client = {
    send: async ({ input }: { input: BatchWriteItemCommandInput }) => {
      const requests = input.RequestItems?.orders ?? []
      sent.push(requests.map(({ PutRequest }) => PutRequest?.Item?.id?.S ?? '?'))
      const answer = answers[sent.length - 1] ?? (() => [])
      return { UnprocessedItems: { orders: answer(requests) } }
    },
  } as unknown as DynamoDBClient
  const sink = dynamoDbSink<Value>({
    client,
    tableName: 'orders',
    key: { partition: 'id' },
    item: (value) => value,
    uniqueKeys: true,
    random: () => 0.999,
    clock,
  })
  const startedAtMs = clock.now()
  const results = await runOn(clock, sink.write(records, { remainingMs }))
  return { stored: results.map(({ stored }) => stored), results, sent, tookMs: clock.now() - startedAtMs }
}

const unprocessed =
  (...places: number[]) =>
  (requests: Requests) =>
    places.map((place) => requests[place]!)
const all = (requests: Requests) => requests

describe('items that a table leaves unprocessed', () => {
  it('are sent again, they alone, with a delay that grows', async () => {
    const { stored, sent, tookMs } = await write(
      [record('a'), record('b'), record('c')],
      [unprocessed(0, 2), unprocessed(1)],
    )

    expect(stored).toEqual([true, true, true])
    expect(sent).toEqual([['a', 'b', 'c'], ['a', 'c'], ['c']])
    expect(tookMs).toBeGreaterThanOrEqual(49 + 99)
  })

  it('fail when the tries are used up, and what was stored stays stored', async () => {
    const { stored, results, sent } = await write(
      [record('a'), record('b'), record('c')],
      [unprocessed(1, 2), all, all, all, all, all],
    )

    expect(stored).toEqual([true, false, false])
    expect(sent).toHaveLength(5)
    expect(results[1]).toMatchObject({
      error: { message: 'orders left 2 items unprocessed: it is short of capacity.' },
    })
  })

  it('are left when the time does not suffice to wait for them', async () => {
    const { stored, sent } = await write([record('a'), record('b')], [unprocessed(1)], () => 20)

    expect(stored).toEqual([true, false])
    expect(sent).toHaveLength(1)
  })

  it('are not taken for stored when the table names others', async () => {
    const { stored } = await write(
      [record('a'), record('b')],
      [() => [{ PutRequest: { Item: { id: { S: 'z' } } } }]],
    )

    expect(stored).toEqual([false, false])
  })

  it('stay stored where a later request fails', async () => {
    const { stored } = await write(
      [record('a'), record('b')],
      [
        unprocessed(1),
        () => {
          throw new Error('connection reset')
        },
      ],
    )

    expect(stored).toEqual([true, false])
  })
})
