import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeAggregate, type KinesisEvent, sleep } from '@org/kinesis-core'
import { afterEach, describe, expect, it } from 'vitest'
import type { EventSourceMappingOptions } from '../src/event-source-mapping/mapping-options.js'
import { createSimulation } from '../src/index.js'
import { STREAM } from './stream-fixture.js'

const cleanup: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of cleanup.splice(0).reverse()) await close()
})

/** A stream in simulated time, and mappings from it to a handler, with the events that this got. */
async function aStream({ shards = 1 } = {}) {
  const sim = await createSimulation({ streams: [{ name: STREAM, shards }] })
  cleanup.push(() => sim.close())
  return {
    sim,
    put: (PartitionKey: string, data: string | Uint8Array) =>
      sim.kinesis.call('PutRecord', {
        StreamName: STREAM,
        PartitionKey,
        Data: typeof data === 'string' ? Buffer.from(data) : data,
      }) as { ShardId: string; SequenceNumber: string },
    map(
      handler: (event: KinesisEvent) => unknown = () => {},
      options: Partial<EventSourceMappingOptions> = {},
    ) {
      const events: KinesisEvent[] = []
      const fn = sim.createFunction({
        name: 'processor',
        handler: async (event: KinesisEvent) => {
          events.push(event)
          return handler(event)
        },
      })
      return {
        events,
        mapping: sim.createEventSourceMapping({ streamName: STREAM, function: fn, ...options }),
      }
    },
  }
}

const shardOf = ({ Records }: KinesisEvent) => Records[0]!.eventID.split(':')[0]!

describe('a mapping', () => {
  it('goes on with the children of a shard that expired before it was read to its end', async () => {
    const { sim, put, map } = await aStream()
    for (let index = 0; index < 30_000; index += 1) {
      put('key', 'old')
      if (index % 500 === 499) await sim.advance(1_000)
    }
    let isDown = true
    const { events, mapping } = map(
      () => {
        if (isDown) throw new Error('down')
      },
      { batchSize: 1, retryBackoff: { baseMs: 60_000, maxMs: 3_600_000 } },
    )
    await sim.advance(60_000)
    sim.kinesis.call('UpdateShardCount', {
      StreamName: STREAM,
      TargetShardCount: 2,
      ScalingType: 'UNIFORM_SCALING',
    })
    await sim.advance(25 * 3_600_000)
    isDown = false
    put('key', 'new')

    await sim.run(mapping.drain())

    const handed = events.flatMap(({ Records }) => Records.map(({ kinesis }) => kinesis.data))
    expect(handed.at(-1)).toBe(Buffer.from('new').toString('base64'))
  })

  it('hands over the documented event: records of one shard, in their order, at most batchSize', async () => {
    const { sim, put, map } = await aStream({ shards: 2 })
    const written = new Map<string, string[]>()
    for (let index = 0; index < 50; index += 1) {
      const { ShardId, SequenceNumber } = put(`key-${index}`, String(index))
      written.set(ShardId, [...(written.get(ShardId) ?? []), SequenceNumber])
    }
    const { events, mapping } = map(undefined, { batchSize: 7 })

    await sim.run(mapping.drain())

    const handed = new Map<string, string[]>()
    for (const event of events) {
      expect(event.Records.length).toBeLessThanOrEqual(7)
      expect(new Set(event.Records.map(({ eventID }) => eventID.split(':')[0])).size).toBe(1)
      const numbers = event.Records.map(({ kinesis }) => kinesis.sequenceNumber)
      handed.set(shardOf(event), [...(handed.get(shardOf(event)) ?? []), ...numbers])
    }
    expect(handed).toEqual(written)
    expect(events.find((event) => shardOf(event) === 'shardId-000000000000')).toEqual({
      Records: expect.arrayContaining([
        {
          kinesis: {
            kinesisSchemaVersion: '1.0',
            partitionKey: expect.stringMatching(/^key-\d+$/),
            sequenceNumber: written.get('shardId-000000000000')![0],
            data: expect.any(String),
            approximateArrivalTimestamp: Date.UTC(2026, 0, 1) / 1_000,
          },
          eventSource: 'aws:kinesis',
          eventVersion: '1.0',
          eventID: `shardId-000000000000:${written.get('shardId-000000000000')![0]}`,
          eventName: 'aws:kinesis:record',
          invokeIdentityArn: 'arn:aws:iam::000000000000:role/local',
          awsRegion: 'us-east-1',
          eventSourceARN: `arn:aws:kinesis:us-east-1:000000000000:stream/${STREAM}`,
        },
      ]),
    })
  })

  it('publishes the age of the last record of a batch when its function is done', async () => {
    const { sim, put, map } = await aStream()
    put('key', 'first')
    await sim.advance(10_000)
    put('key', 'last')
    await sim.advance(5_000)
    const { events, mapping } = map(() => sleep(sim.clock, 2_000))

    await sim.run(mapping.drain())

    expect(events.map(({ Records }) => Records.length)).toEqual([2])
    const series = sim.metrics.series('AWS/Lambda', 'IteratorAge', { FunctionName: 'processor' })!
    expect(series.unit).toBe('Milliseconds')
    const ages = sim.metrics.query(series, 0, sim.clock.now() + 60_000, 60).map(({ values }) => values)
    expect(ages).toEqual([{ sum: 7_000, count: 1, minimum: 7_000, maximum: 7_000 }])
  })

  it('closes the window of a shard that is split, and its children begin afresh', async () => {
    const { sim, put, map } = await aStream()
    const count = ({ Records, state }: KinesisEvent) => ({
      state: { count: Number(state?.count ?? 0) + Records.length },
    })
    const { events } = map(count, { tumblingWindowMs: 900_000 })
    put('key', 'a')
    put('key', 'b')
    await sim.advance(2_000)
    expect(events.map(({ isFinalInvokeForWindow }) => isFinalInvokeForWindow)).toEqual([false])

    sim.kinesis.call('SplitShard', {
      StreamName: STREAM,
      ShardToSplit: 'shardId-000000000000',
      NewStartingHashKey: String(2n ** 127n),
    })
    const child = put('key', 'c').ShardId
    await sim.advance(5_000)

    expect(events.slice(1)).toMatchObject([
      { Records: [], shardId: 'shardId-000000000000', state: { count: 2 }, isFinalInvokeForWindow: true },
      { Records: [{}], shardId: child, state: {}, isFinalInvokeForWindow: false },
    ])
    expect(child).not.toBe('shardId-000000000000')
  })

  it.each([
    ['the key of their members', () => 'member', 1],
    ['keys of their own', (index: number) => `container-${index}`, 10],
  ])(
    'that polls runs parallel batches of aggregates by the keys of the containers: %s',
    async (_, keyOf, expected) => {
      const { sim, put, map } = await aStream()
      for (let index = 0; index < 100; index += 1) {
        put(keyOf(index), encodeAggregate([{ partitionKey: 'member', data: Buffer.from(String(index)) }]))
      }
      let running = 0
      let atOnce = 0
      const { mapping } = map(
        async () => {
          running += 1
          atOnce = Math.max(atOnce, running)
          await sleep(sim.clock, 1_000)
          running -= 1
        },
        { parallelizationFactor: 10 },
      )

      await sim.run(mapping.drain())

      expect(atOnce).toBe(expected)
    },
  )

  it('holds time while it writes a batch that was given up into a folder', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'given-up-'))
    cleanup.push(() => rm(folder, { recursive: true }))
    const { sim, put, map } = await aStream()
    put('key', 'poison')
    put('key', 'good')
    const { events, mapping } = map(
      ({ Records }) => {
        if (Buffer.from(Records[0]!.kinesis.data, 'base64').toString() === 'poison') throw new Error('no')
      },
      { batchSize: 1, maximumRetryAttempts: 1, onFailure: { folder } },
    )

    await sim.run(mapping.drain())

    expect(events).toHaveLength(3)
    const files = await readdir(folder, { recursive: true })
    expect(files.filter((name) => name.endsWith('.json'))).toHaveLength(1)
  })
})
