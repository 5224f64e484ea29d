import { InvalidOptionError } from '@org/kinesis-core'
import { describe, expect, it } from 'vitest'
import { type DynamoDbWindowTableOptions, dynamoDbWindowTable } from '../src/dynamodb.js'
import { count, stats } from '../src/windows/measures.js'
import { reducer } from '../src/windows/window-aggregate.js'
import type { WindowPartial } from '../src/windows/window-partial.js'
import { startServices } from './local-fixture.js'

const START_MS = Date.UTC(2026, 0, 1)
const MINUTE_MS = 60_000

const aggregates = {
  amount: stats((of: number) => of),
  events: count<number>(),
  notes: reducer({ initial: () => ({ list: [null, true, ''] }), add: (of) => of, merge: (a) => a }),
}
type Partials = WindowPartial<typeof aggregates>

function partial(minute: number, key = 'ann', shard = 0): Partials {
  const windowStartMs = START_MS + minute * MINUTE_MS
  const shardId = `shardId-00000000000${shard}`
  return {
    key,
    windowStartMs,
    windowEndMs: windowStartMs + MINUTE_MS,
    count: 1,
    aggregates: {
      amount: { count: 1, sum: 0.1 + 0.2, average: null, minimum: -1e-100, maximum: 1e100 },
      events: 1,
      notes: { list: [null, true, ''] },
    },
    shardId,
    partialId: `${new Date(windowStartMs).toISOString()}#${shardId}#1.0`,
    firstSequenceNumber: '1',
  }
}

type Services = Awaited<ReturnType<typeof startServices>>
/** The fixture's table has other names for its keys. */
const tableOf = ({ dynamodb }: Services, options: Partial<DynamoDbWindowTableOptions> = {}) =>
  dynamoDbWindowTable<typeof aggregates>({
    client: dynamodb,
    tableName: 'orders',
    key: { partition: 'id', sort: 'at' },
    ...options,
  })

async function store({ emit }: ReturnType<typeof tableOf>, partials: readonly Partials[]) {
  const results = await emit.write(
    partials.map((value) => ({
      value,
      position: {
        streamArn: '',
        streamName: '',
        shardId: value.shardId,
        sequenceNumber: '1',
        subSequenceNumber: 0,
        partitionKey: value.key,
        arrivalMs: 0,
      },
    })),
    { remainingMs: () => 60_000 },
  )
  expect(results.every(({ stored }) => stored)).toBe(true)
}

async function read({ read: of }: ReturnType<typeof tableOf>, fromMinute: number, toMinute: number) {
  const range = { fromMs: START_MS + fromMinute * MINUTE_MS, toMs: START_MS + toMinute * MINUTE_MS }
  const found: Partials[] = []
  for await (const one of of(range)) found.push(one)
  return found
}

const place = ({ windowStartMs, key, shardId }: Partials) =>
  `${(windowStartMs - START_MS) / MINUTE_MS} ${key} ${shardId.at(-1)}`

describe('a table of windows', () => {
  it('gives back the partials of a range of time as they were, each once', async () => {
    await using services = await startServices()
    const table = tableOf(services)
    const partials = [partial(0), partial(1), partial(1, 'bob'), partial(1, 'bob', 1), partial(2)]

    await store(table, partials)
    await store(table, partials.slice(1, 3))

    expect((await read(table, 0.5, 2)).map(place).sort()).toEqual(['1 ann 0', '1 bob 0', '1 bob 1'])
    expect(await read(table, 0, 1)).toEqual([partial(0)])
    expect(await read(table, 3, 100)).toEqual([])
  })

  it('reads windows whose partials do not fit in one answer', async () => {
    await using services = await startServices()
    const table = tableOf(services, { buckets: 1 })
    // A query answers with 1 MB at most.
    const long = 'x'.repeat(900)
    const partials = Array.from({ length: 1_300 }, (_, n) => partial(0, `${long}${n}`))

    await store(table, partials)

    expect(await read(table, 0, 1)).toHaveLength(1_300)
    expect(services.requests.filter(({ operation }) => operation === 'Query').length).toBeGreaterThan(1)
  })

  it('keeps how far anomalies were looked for, and refuses a run that another has passed', async () => {
    await using services = await startServices()
    const { progress } = tableOf(services)

    expect(await progress.load()).toBeUndefined()
    await progress.save(1_000, undefined)
    await progress.save(2_000, 1_000)
    await expect(progress.save(1_500, 1_000)).rejects.toThrow(/condition/)
    await expect(progress.save(1_500, undefined)).rejects.toThrow(/condition/)

    expect(await progress.load()).toBe(2_000)
  })

  it.each([
    { key: { partition: 'key', sort: 'at' } },
    { key: { partition: 'id' } },
    { buckets: 0 },
    { bucket: 4 },
  ])('refuses %j', async (options) => {
    await using services = await startServices()

    expect(() => tableOf(services, options as never)).toThrow(InvalidOptionError)
  })
})
