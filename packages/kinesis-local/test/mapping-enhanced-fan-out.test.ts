import { encodeAggregate, partitionKeyHash, sleep } from '@org/kinesis-core'
import { ManualClock } from '@org/kinesis-core/testing'
import { afterEach, describe, expect, it } from 'vitest'
import type { EventSourceMappingOptions } from '../src/event-source-mapping/mapping-options.js'
import type { LocalFunctionOptions } from '../src/function/function-options.js'
import { createSimulation } from '../src/index.js'
import { aMapping, dataOf } from './mapping-fixture.js'
import { aStream, STREAM } from './stream-fixture.js'

const StreamARN = `arn:aws:kinesis:us-east-1:000000000000:stream/${STREAM}`
const cleanup: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of cleanup.splice(0).reverse()) await close()
})

/** A stream with a consumer, and a mapping on that. The clock is held where one is given. */
function aConsumer(streamOptions: Parameters<typeof aStream>[0] = {}) {
  const stream = aStream(streamOptions)
  const register = (ConsumerName: string) => {
    const { Consumer } = stream.service.call('RegisterStreamConsumer', { StreamARN, ConsumerName }) as {
      Consumer: { ConsumerARN: string }
    }
    return Consumer.ConsumerARN
  }
  const consumerArn = register('fast')
  return {
    ...stream,
    consumerArn,
    map: (
      exportName: string,
      options: Partial<EventSourceMappingOptions> = {},
      functionOptions: Partial<LocalFunctionOptions> = {},
    ) =>
      aMapping(
        cleanup,
        stream.service,
        exportName,
        { consumerArn, ...options },
        functionOptions,
        streamOptions.clock,
      ),
  }
}

/** A key for each half of the key space. */
const [low, high] = [(hash: bigint) => hash < 2n ** 127n, (hash: bigint) => hash >= 2n ** 127n].map(
  (isIn) =>
    Array.from({ length: 100 }, (_, index) => `key-${index}`).find((key) => isIn(partitionKeyHash(key)))!,
) as [string, string]

describe('a mapping on a consumer of enhanced fan-out', () => {
  it('is pushed what was put before it and what is put then, with no time passing', async () => {
    const clock = new ManualClock()
    const { putMany, map } = aConsumer({ shards: 2, clock })
    putMany(50, (index) => `key-${index}`)
    const { mapping, seen } = await map('collect')
    await expect.poll(() => mapping.stats().recordsResolved).toBe(50)

    putMany(
      50,
      (index) => `key-${index}`,
      (index) => String(50 + index),
    )
    await expect.poll(() => mapping.stats().recordsResolved).toBe(100)

    const data = dataOf(await seen()).map(Number)
    expect(data.sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, index) => index))
    expect(mapping.stats().lastError).toBeUndefined()
  })

  it('subscribes again after the five minutes of a subscription, and misses nothing between', async () => {
    const clock = new ManualClock()
    const { put, map, service } = aConsumer({ clock })
    const subscriptions: unknown[] = []
    const call = service.call.bind(service)
    service.call = (operation, input) => {
      if (operation === 'SubscribeToShard') subscriptions.push(input.StartingPosition)
      return call(operation, input)
    }
    const { mapping, seen } = await map('collect')
    for (let minute = 0; minute < 12; minute += 1) {
      put('key', String(minute))
      await clock.advance(60_000)
    }
    await expect.poll(() => mapping.stats().recordsResolved).toBe(12)

    expect(dataOf(await seen()).map(Number)).toEqual(Array.from({ length: 12 }, (_, minute) => minute))
    expect(subscriptions).toEqual([
      { Type: 'TRIM_HORIZON' },
      { Type: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: expect.any(String) },
      { Type: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: expect.any(String) },
    ])
  })

  it('takes nothing of the throughput that other readers of its shards share', async () => {
    const clock = new ManualClock()
    const { putMany, map, service } = aConsumer({ clock, shardLimits: true })
    const iterator = () =>
      service.call('GetShardIterator', {
        StreamName: STREAM,
        ShardId: 'shardId-000000000000',
        ShardIteratorType: 'TRIM_HORIZON',
      }) as { ShardIterator: string }
    putMany(100, () => 'key')
    const { mapping } = await map('collect')
    await expect.poll(() => mapping.stats().recordsResolved).toBe(100)

    for (let read = 0; read < 5; read += 1) {
      expect(service.call('GetRecords', iterator())).toHaveProperty('Records')
    }
  })

  it.each([
    ['LATEST', ['after']],
    ['TRIM_HORIZON', ['before', 'after']],
  ] as const)('begins at %s', async (startingPosition, expected) => {
    const { put, map } = aConsumer()
    put('key', 'before')
    const { mapping, seen } = await map('collect', { startingPosition })
    await expect.poll(() => mapping.stats().shards[0]?.millisBehindLatest).toBe(0)
    put('key', 'after')

    await mapping.drain()

    expect(dataOf(await seen())).toEqual(expected)
  })

  it('that began at LATEST misses nothing when its subscription breaks before the first event', async () => {
    const clock = new ManualClock()
    const { put, map, service } = aConsumer({ clock })
    const call = service.call.bind(service)
    let isBroken = false
    service.call = (operation, input) => {
      if (operation !== 'SubscribeToShard' || isBroken) return call(operation, input)
      isBroken = true
      const next = () => Promise.reject(new Error('socket hang up'))
      return { EventStream: { [Symbol.asyncIterator]: () => ({ next }) } }
    }
    put('key', 'before')
    await clock.advance(1_000)
    const { mapping, seen } = await map('collect', { startingPosition: 'LATEST' })
    await expect.poll(() => mapping.stats().lastError).toContain('socket hang up')
    put('key', 'between')
    await clock.advance(10_000)
    await expect.poll(() => mapping.stats().shards[0]?.millisBehindLatest).toBe(0)
    await mapping.drain()

    expect(dataOf(await seen())).toEqual(['between'])
  })

  it('reads the children of a shard when their parent is resolved, and keeps the order of every key', async () => {
    const { putMany, map, service } = aConsumer()
    const { mapping, seen } = await map(
      'collect',
      { batchSize: 10 },
      { fault: ({ number }) => (number % 4 === 1 ? 'throw' : undefined) },
    )
    for (const [round, TargetShardCount] of [2, 4, 3].entries()) {
      putMany(
        100,
        (index) => `key-${index % 10}`,
        (index) => String(round * 100 + index),
      )
      service.call('UpdateShardCount', {
        StreamName: STREAM,
        TargetShardCount,
        ScalingType: 'UNIFORM_SCALING',
      })
    }

    await mapping.drain()

    const records = (await seen()).flatMap((invocation) => invocation.records)
    expect(records).toHaveLength(300)
    for (let key = 0; key < 10; key += 1) {
      const order = records.filter((record) => record.key === `key-${key}`).map(({ data }) => Number(data))
      expect(order).toEqual([...order].sort((a, b) => a - b))
    }
    expect(mapping.stats().shards.every(({ status }) => status === 'done')).toBe(true)
  })

  it('gets the members of aggregates, filtered one by one, and not those of other shards', async () => {
    const { put, map } = aConsumer({ shards: 2 })
    const members = [low, high, low, low].map((partitionKey, index) => ({
      partitionKey,
      data: Buffer.from(JSON.stringify({ index })),
    }))
    put('container', encodeAggregate(members), '5')
    const { mapping, seen } = await map('collect', {
      filters: [{ data: { index: [{ 'anything-but': 2 }] } }],
      metrics: ['EventCount'],
    })

    await mapping.drain()

    const [{ records } = { records: [] }, ...others] = await seen()
    expect(others).toEqual([])
    expect(records.map(({ key, data }) => [key, data])).toEqual([
      [low, '{"index":0}'],
      [low, '{"index":3}'],
    ])
    expect(new Set(records.map(({ sequenceNumber }) => sequenceNumber)).size).toBe(1)
    expect(mapping.stats()).toMatchObject({
      recordsRead: 4,
      strayRecords: 1,
      recordsFiltered: 1,
      recordsResolved: 2,
      recordsDiscarded: 0,
    })
  })

  it('that polls gets aggregates as they are', async () => {
    const { put, map } = aConsumer()
    put('container', encodeAggregate([{ partitionKey: low, data: Buffer.from('1') }]))
    const { mapping, seen } = await map('collect', { consumerArn: undefined })

    await mapping.drain()

    expect((await seen())[0]!.records).toMatchObject([{ key: 'container' }])
  })

  it('asks for no more than its function can take', async () => {
    const { putMany, map } = aConsumer()
    putMany(40_000, () => 'key')
    const { mapping } = await map('alwaysFail', { batchSize: 10 })

    await expect.poll(() => mapping.stats().failedInvocations).toBeGreaterThan(5)

    expect(mapping.stats().recordsRead).toBeLessThan(30_000)
  })

  it('goes on when its consumer comes to be, and says what is missing until then', async () => {
    const clock = new ManualClock()
    const { put, map, service, consumerArn } = aConsumer({ clock })
    service.call('DeregisterStreamConsumer', { ConsumerARN: consumerArn })
    put('key', 'a')
    const { mapping, seen } = await map('collect')
    await expect.poll(() => mapping.stats().lastError).toContain('not found')

    service.call('RegisterStreamConsumer', { StreamARN, ConsumerName: 'fast' })
    await clock.advance(10_000)
    await mapping.drain()

    expect(dataOf(await seen())).toEqual(['a'])
  })

  it.each(['fast', StreamARN, `${StreamARN}s/consumer/fast:1`])('is not on %s', async (consumerArn) => {
    await expect(aConsumer().map('collect', { consumerArn })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      option: 'consumerArn',
    })
  })
})

describe('in simulated time', () => {
  /** Twenty minutes of records, of which each tenth is bad, and what a pushed mapping with a failure queue made of them. */
  async function twentyMinutes(seed: number) {
    const sim = await createSimulation({ seed, streams: [{ name: 'orders', shards: 2 }], queues: ['failed'] })
    const StreamARN = 'arn:aws:kinesis:us-east-1:000000000000:stream/orders'
    const { Consumer } = sim.kinesis.call('RegisterStreamConsumer', { StreamARN, ConsumerName: 'fast' }) as {
      Consumer: { ConsumerARN: string }
    }
    const mapping = sim.createEventSourceMapping({
      streamName: 'orders',
      consumerArn: Consumer.ConsumerARN,
      function: sim.createFunction({
        name: 'processor',
        handler: async ({ Records }: { Records: { kinesis: { data: string } }[] }) => {
          if (Records.some(({ kinesis }) => atob(kinesis.data) === 'bad')) throw new Error('a bad record')
        },
      }),
      maximumRetryAttempts: 1,
      bisectBatchOnFunctionError: true,
      onFailure: { queue: 'failed' },
    })
    const produce = async () => {
      for (let second = 0; second < 1_200; second += 1) {
        const Data = Buffer.from(second % 10 === 9 ? 'bad' : String(second))
        sim.kinesis.call('PutRecord', { StreamName: 'orders', PartitionKey: `key-${second % 7}`, Data })
        await sleep(sim.clock, 1_000)
      }
      await mapping.drain()
    }
    await sim.run(produce())
    const { recordsResolved, recordsDiscarded, lastError } = mapping.stats()
    const failed = sim.queueMessages('failed').map(({ body }) => JSON.parse(body).KinesisBatchInfo.batchSize)
    const trace = sim.trace()
    await sim.close()
    return { recordsResolved, recordsDiscarded, lastError, failed, trace }
  }

  it('resolves and gives up the same for the same seed, through every subscription', async () => {
    const first = await twentyMinutes(7)

    expect(first).toMatchObject({ recordsResolved: 1_080, recordsDiscarded: 120 })
    expect(first.failed).toEqual(Array(120).fill(1))
    expect(await twentyMinutes(7)).toEqual(first)
  })
})
