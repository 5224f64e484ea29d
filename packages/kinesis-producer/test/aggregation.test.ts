import { setTimeout as sleep } from 'node:timers/promises'
import { partitionKeyHash } from '@org/kinesis-core'
import { startLocal } from '@org/kinesis-local'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { KinesisProducer, type KinesisProducerOptions, type Receipt } from '../src/index.js'
import { hashKeyIn } from './scripted-transport.js'
import { contentOf } from './stored-records.js'

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

type Local = Awaited<ReturnType<typeof startLocal>>

async function aService(options: Parameters<typeof startLocal>[0] & { shards?: number } = {}) {
  const { shards = 2, ...rest } = options
  const local = await startLocal({ streams: [{ name: 'orders', shards }], ...rest })
  cleanups.push(() => local.close())
  return local
}

function aProducer(local: Local, options: Partial<KinesisProducerOptions> = {}) {
  const producer = new KinesisProducer({
    streamName: 'orders',
    endpoint: local.url,
    region: local.region,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    aggregation: true,
    ...options,
  })
  cleanups.push(() => producer.close({ deadlineMs: 0 }))
  return producer
}

const numbered = (count: number, keys: number) =>
  Array.from({ length: count }, (_, index) => ({
    partitionKey: `key-${index % keys}`,
    data: `${index}: ${'.'.repeat(index % 90)}`,
  }))

describe('aggregated records', () => {
  it('share Kinesis records, are all there, and every receipt says where', async () => {
    const local = await aService()
    const producer = aProducer(local)
    const records = numbered(5_000, 400)

    const receipts = await Promise.all(records.map((record) => producer.put(record)))

    const { records: stored } = await contentOf(local)
    const byPlace = new Map(
      stored.map(({ holder, subSequenceNumber, partitionKey, data }) => [
        `${holder.shardId}/${holder.sequenceNumber}/${subSequenceNumber ?? 0}`,
        { partitionKey, data: Buffer.from(data).toString() },
      ]),
    )
    expect(stored).toHaveLength(5_000)
    receipts.forEach(({ shardId, sequenceNumber, subSequenceNumber }, index) => {
      expect(byPlace.get(`${shardId}/${sequenceNumber}/${subSequenceNumber}`)).toEqual(records[index])
    })
    const holders = new Set(stored.map(({ holder }) => holder.sequenceNumber))
    expect(holders.size).toBeLessThan(700)
  })

  it('lie in the shard of their aggregate, which has one of a few keys of its shard', async () => {
    const local = await aService({ shards: 3 })
    const producer = aProducer(local, { aggregation: { keyBuckets: 2 } })
    await producer.put({ partitionKey: 'first', data: 'x' })

    const explicit = { partitionKey: 'any', data: 'x', explicitHashKey: hashKeyIn(2, 3) }
    await producer.putAll([...numbered(3_000, 300), explicit, explicit])

    const { shards, records } = await contentOf(local)
    const aggregates = records.filter(({ holder }) => holder.isAggregate)
    expect(aggregates.length).toBeGreaterThan(2_900)
    for (const { holder, partitionKey, explicitHashKey } of aggregates) {
      const { startingHashKey, endingHashKey } = shards.get(holder.shardId)!
      const hashKey = explicitHashKey === undefined ? partitionKeyHash(partitionKey) : BigInt(explicitHashKey)
      expect(hashKey >= startingHashKey && hashKey <= endingHashKey).toBe(true)
    }
    const keysOf = Object.groupBy(aggregates, ({ holder }) => holder.shardId)
    for (const members of Object.values(keysOf)) {
      expect(new Set(members!.map(({ holder }) => holder.partitionKey)).size).toBe(2)
    }
  })

  it("with 'per-key' are of one key, which their aggregate carries, and in order", async () => {
    const local = await aService()
    const producer = aProducer(local, { ordering: 'per-key', lingerMs: 5 })
    await producer.put({ partitionKey: 'first', data: 'x' })

    await producer.putAll(numbered(4_000, 10))

    const { records } = await contentOf(local)
    const perKey = Object.groupBy(records, ({ partitionKey }) => partitionKey)
    for (let key = 0; key < 10; key++) {
      const members = perKey[`key-${key}`]!
      expect(members.every(({ holder }) => holder.partitionKey === `key-${key}`)).toBe(true)
      const numbers = members.map(({ data }) => Number.parseInt(Buffer.from(data).toString(), 10))
      expect(numbers).toHaveLength(400)
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
    }
    expect(new Set(records.map(({ holder }) => holder.sequenceNumber)).size).toBeLessThan(1_000)
  })

  it('are never in an aggregate of another shard, though the stream is resharded all the while', async () => {
    const local = await aService({ shards: 2 })
    const producer = aProducer(local, { lingerMs: 2 })
    const reshard = (TargetShardCount: number) =>
      local.kinesis.call('UpdateShardCount', {
        StreamName: 'orders',
        TargetShardCount,
        ScalingType: 'UNIFORM_SCALING',
      })
    const settled: Promise<Receipt>[] = []
    const records = numbered(3_000, 500)
    for (const [index, record] of records.entries()) {
      settled.push(producer.put(record))
      if (index === 500) await reshard(3)
      if (index === 1_700) await reshard(2)
      if (index % 50 === 49) await sleep(5)
    }
    const receipts = await Promise.all(settled)

    const { shards, records: stored } = await contentOf(local)
    const strayed = new Set<string>()
    for (const { holder, partitionKey } of stored) {
      const { startingHashKey, endingHashKey } = shards.get(holder.shardId)!
      const hashKey = partitionKeyHash(partitionKey)
      if (hashKey < startingHashKey || hashKey > endingHashKey) strayed.add(holder.sequenceNumber)
    }
    // What KCL sees: it drops an aggregate with a stray member whole.
    const seen = new Set(
      stored.flatMap(({ holder, data }) =>
        strayed.has(holder.sequenceNumber) ? [] : [Buffer.from(data).toString()],
      ),
    )
    expect(records.filter(({ data }) => !seen.has(data))).toEqual([])
    expect(receipts.filter(({ sequenceNumber }) => strayed.has(sequenceNumber))).toEqual([])
    expect(producer.stats()).toMatchObject({ delivered: 3_000, failed: 0, pending: 0 })
  })
})

describe('a stream that does not take aggregates', () => {
  it('gets every record alone, and the producer says why', async () => {
    const local = await startLocal({
      streams: [],
      faults: ({ operation }) => (operation === 'DescribeStreamSummary' ? { kind: 'error500' } : undefined),
    })
    cleanups.push(() => local.close())
    await local.kinesis.call('CreateStream', { StreamName: 'orders', ShardCount: 1 })
    const onAggregationUnavailable = vi.fn()
    const producer = aProducer(local, { hooks: { onAggregationUnavailable } })

    await producer.putAll(numbered(300, 30))

    const { records } = await contentOf(local)
    expect(records.filter(({ holder }) => holder.isAggregate)).toEqual([])
    expect(records).toHaveLength(300)
    expect(onAggregationUnavailable).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ reason: 'unknown' }),
    )
  })
})

describe('a record beyond 1 MiB', () => {
  const large = { partitionKey: 'large', data: Buffer.alloc(3 * 1024 * 1024, 'x') }

  it('is sent where the stream takes it', async () => {
    const local = await aService()
    const StreamARN = `arn:aws:kinesis:${local.region}:${local.accountId}:stream/orders`
    await local.kinesis.call('UpdateMaxRecordSize', { StreamARN, MaxRecordSizeInKiB: 10_240 })
    const producer = aProducer(local, { aggregation: false })

    const receipts = await Promise.all([producer.put(large), producer.put({ ...large, data: 'small' })])

    expect(receipts.map(({ attempts }) => attempts)).toEqual([1, 1])
  })

  it('is refused by name and limit where the stream does not, and costs the others nothing', async () => {
    const local = await aService()
    const producer = aProducer(local, { aggregation: false })

    const [refused, taken] = await Promise.allSettled([
      producer.put(large),
      producer.put({ ...large, data: 'small' }),
    ])

    expect(refused).toMatchObject({
      reason: { code: 'RECORD_TOO_LARGE', limitBytes: 1_048_576, sizeBytes: large.data.length + 5 },
    })
    expect(taken.status).toBe('fulfilled')
  })
})
