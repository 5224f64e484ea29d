import { ManualClock } from '@org/kinesis-core/testing'
import { describe, expect, it } from 'vitest'
import { KinesisProducer } from '../src/index.js'
import { aProducerOnTheWire, numbered } from './observed-service.js'
import { openShards, ScriptedTransport } from './scripted-transport.js'

describe('metrics over the wire', () => {
  it('count what the stream took, by shard and in all', async () => {
    await using service = await aProducerOnTheWire({ shards: 2 })
    const { producer } = service

    const receipts = await Promise.all(numbered(100).map((record) => producer.put(record)))
    const { streamName, stream, shards } = producer.metrics()

    expect(streamName).toBe('orders')
    expect(stream).toMatchObject({
      UserRecordsReceived: 100,
      UserRecordsPending: 0,
      UserRecordsPut: 100,
      UserRecordsDataPut: 190,
      UserRecordsFailed: 0,
      KinesisRecordsPut: 100,
      KinesisRecordsDataPut: 190,
      AllErrors: 0,
      ErrorsByCode: {},
      RetriesPerRecord: { count: 100, max: 0 },
      UserRecordsPerKinesisRecord: { count: 100, p50: 1, max: 1 },
    })
    const { requests } = producer.stats()
    expect(stream.RequestTime).toMatchObject({ count: requests })
    expect(stream.RequestTime.max).toBeGreaterThan(0)
    expect(stream.KinesisRecordsPerPutRecordsRequest).toMatchObject({ count: requests, sum: 100 })
    expect(stream.UserRecordsPerPutRecordsRequest).toMatchObject({ count: requests, sum: 100 })
    expect(stream.BufferingTime).toMatchObject({ count: 100 })
    expect([...shards.keys()].sort()).toEqual([...new Set(receipts.map(({ shardId }) => shardId))].sort())
    for (const [shardId, shard] of shards) {
      const landed = receipts.filter((receipt) => receipt.shardId === shardId).length
      expect(shard).toMatchObject({ UserRecordsPut: landed, KinesisRecordsPut: landed })
      expect(shard.RequestTime.count).toBe(landed)
    }
  })

  it('tell user records from the Kinesis records that carry them', async () => {
    await using service = await aProducerOnTheWire({ aggregation: { keyBuckets: 1 } })
    const { producer } = service
    await producer.put({ partitionKey: 'first', data: 'x' })

    await Promise.all(numbered(100).map((record) => producer.put(record)))

    const { stream } = producer.metrics()
    expect(stream).toMatchObject({
      UserRecordsPut: 101,
      UserRecordsDataPut: 191,
      KinesisRecordsPut: 2,
      RetriesPerRecord: { count: 101 },
      UserRecordsPerKinesisRecord: { count: 2, max: 100 },
      UserRecordsPerPutRecordsRequest: { max: 100 },
      KinesisRecordsPerPutRecordsRequest: { max: 1 },
    })
    expect(stream.KinesisRecordsDataPut).toBeGreaterThan(stream.UserRecordsDataPut)
  })

  it('count errors by code, for each Kinesis record, and the retries that they cost', async () => {
    await using service = await aProducerOnTheWire({
      faults: (call) => (call === 1 ? { kind: 'error500' } : call === 2 ? { kind: 'throttle' } : undefined),
    })
    const { producer } = service

    await Promise.all(numbered(10).map((record) => producer.put(record)))

    const { stream } = producer.metrics()
    expect(stream).toMatchObject({
      UserRecordsPut: 10,
      UserRecordsRetried: 20,
      UserRecordsThrottled: 10,
      AllErrors: 20,
      RetriesPerRecord: { count: 10, p50: 2, max: 2 },
      BufferingTime: { count: 30 },
      KinesisRecordsPerPutRecordsRequest: { sum: 30 },
    })
    const codes = Object.entries(stream.ErrorsByCode)
    expect(codes).toHaveLength(2)
    expect(stream.ErrorsByCode).toMatchObject({ ProvisionedThroughputExceededException: 10 })
  })

  it('count what was given up', async () => {
    await using service = await aProducerOnTheWire({ maxAttempts: 2, faults: () => ({ kind: 'error500' }) })
    const { producer } = service

    await Promise.allSettled(numbered(3).map((record) => producer.put(record)))

    expect(producer.metrics().stream).toMatchObject({
      UserRecordsPut: 0,
      UserRecordsFailed: 3,
      UserRecordsPending: 0,
      AllErrors: 6,
      RetriesPerRecord: { count: 3, p50: 1 },
    })
  })
})

describe('metrics of shards that close', () => {
  it('are kept for ten minutes, and in the totals for good', async () => {
    const transport = new ScriptedTransport({ shards: 1 })
    const clock = new ManualClock()
    const producer = new KinesisProducer({ streamName: 'orders', transport, clock, lingerMs: 0 })
    const put = async () => {
      producer.enqueue({ partitionKey: 'a', data: 'x' })
      await clock.advance(0)
    }
    const shardIds = () => [...producer.metrics().shards.keys()]
    await put()
    transport.shards = openShards(2, 'child-')
    // The first that lands elsewhere makes the producer look, a second after it last did.
    for (let second = 0; second < 3; second++) {
      await clock.advance(1_000)
      await put()
    }
    const child = shardIds().find((shardId) => shardId.startsWith('child-'))!

    await clock.advance(9 * 60_000)
    expect(shardIds()).toEqual(['shardId-000000000000', child])
    await clock.advance(60_000)
    expect(shardIds()).toEqual([child])

    const { stream, shards } = producer.metrics()
    expect(stream.UserRecordsPut).toBe(4)
    expect(shards.get(child)!.UserRecordsPut).toBe(3)
  })
})
