import { ManualClock } from '@org/kinesis-core/testing'
import { describe, expect, it } from 'vitest'
import {
  hashKeyIn,
  openShards,
  type ScriptedRequest,
  ScriptedTransport,
  stall,
} from '../test/scripted-transport.js'
import type { Receipt } from './delivery-report.js'
import { KinesisProducer } from './kinesis-producer.js'
import type { KinesisProducerOptions } from './producer-options.js'
import type { OpenShard } from './put-records-transport.js'

/** A producer that knows its stream: what is put from now on is packed. */
async function anAggregator(options: Partial<KinesisProducerOptions> = {}) {
  const transport = new ScriptedTransport()
  const clock = new ManualClock()
  const producer = new KinesisProducer({
    streamName: 'orders',
    transport,
    clock,
    random: () => 0.5,
    aggregation: { keyBuckets: 1 },
    ...options,
  })
  void producer.put({ partitionKey: 'first', data: 'first' })
  await clock.advance(100)
  transport.requests.length = 0
  return { producer, transport, clock }
}

/** Splits the only shard into two while the first request is on its way. */
function splitMeanwhile(transport: ScriptedTransport) {
  let requests = 0
  transport.script = ({ entries, store }: ScriptedRequest) => {
    if (++requests === 1) transport.shards = openShards(2, 'child-')
    return entries.map(store)
  }
}

const inHalf = (half: number, data: string) => ({
  partitionKey: data,
  data,
  explicitHashKey: hashKeyIn(half, 2),
})

describe('an aggregate that is divided', () => {
  it('gives each of its records the receipt of its own place, also where others have no callback', async () => {
    const { producer, transport, clock } = await anAggregator()
    splitMeanwhile(transport)
    const receipts = new Map<string, Receipt>()
    const noting = (data: string) => (receipt: Receipt) => void receipts.set(data, receipt)

    producer.enqueue(inHalf(0, 'a'))
    producer.enqueue(inHalf(1, 'blind'))
    producer.enqueue(inHalf(1, 'b'), noting('b'))
    producer.enqueue(inHalf(1, 'c'))
    producer.enqueue(inHalf(1, 'd'), noting('d'))
    await clock.advance(5_000)

    for (const [data, { shardId, sequenceNumber, subSequenceNumber }] of receipts) {
      expect(transport.stored).toContainEqual(
        expect.objectContaining({ data, shardId, sequenceNumber, subSequenceNumber }),
      )
    }
    expect([...receipts.keys()]).toEqual(['b', 'd'])
  })
})

describe('an aggregate whose key has another under way', () => {
  it('takes no records that would expire with it long before their time', async () => {
    const { producer, transport, clock } = await anAggregator({ ordering: 'per-key', recordTtlMs: 3_200 })
    transport.script = ({ signal }) => stall(signal)
    const startMs = clock.now()
    const failures: { afterMs: number }[] = []

    for (let atMs = 0; atMs < 3_000; atMs += 10) {
      producer.enqueue({ partitionKey: 'k', data: 'x' }, undefined, () =>
        failures.push({ afterMs: clock.now() - startMs - atMs }),
      )
      await clock.advance(10)
    }
    await clock.advance(20_000)

    expect(failures).toHaveLength(300)
    expect(Math.min(...failures.map(({ afterMs }) => afterMs))).toBeGreaterThanOrEqual(3_000)
  })
})

describe('a flush', () => {
  it('waits out no linger of records that come into an aggregate after it', async () => {
    const { producer, clock } = await anAggregator({ lingerMs: 50_000, maxBufferedBytes: 2_000 })

    for (let count = 0; count < 30; count++) void producer.put({ partitionKey: 'k', data: 'x'.repeat(300) })
    let isFlushed = false
    void producer.flush().then(() => {
      isFlushed = true
    })
    await clock.advance(1_000)

    expect(isFlushed).toBe(true)
  })
})

describe('an aggregate of maxContainerBytes', () => {
  it('is no larger than a record may be, its partition key included', async () => {
    const limit = { maxRecordBytes: 500, aggregation: { maxContainerBytes: 500 } }
    for (const ordering of ['none', 'per-key'] as const) {
      const { producer, transport, clock } = await anAggregator({ ...limit, ordering })

      const puts = Array.from({ length: 300 }, (_, index) =>
        producer.put({ partitionKey: 'k'.repeat(30), data: 'x'.repeat(index % 7) }),
      )
      await clock.advance(1_000)
      await Promise.all(puts)

      expect(transport.requests.flat().length).toBeLessThan(30)
      for (const { data, partitionKey } of transport.requests.flat())
        expect(data.byteLength + partitionKey.length).toBeLessThanOrEqual(500)
    }
  })
})

describe('an aggregate that landed in a wrong shard', () => {
  it('is sent again as well where the first listings lag behind the reshard', async () => {
    const { producer, transport, clock } = await anAggregator()
    const old = transport.shards as OpenShard[]
    splitMeanwhile(transport)
    let lagging = 2
    const list = transport.listShards.bind(transport)
    transport.listShards = async () => (lagging-- > 0 ? old : list())

    const puts = Promise.all([producer.put(inHalf(0, 'a')), producer.put(inHalf(1, 'b'))])
    await clock.advance(10_000)

    expect(await puts).toMatchObject([{ attempts: 2 }, { attempts: 2 }])
  })

  it('is sent again as well where that shard has been closed by the time of the answer', async () => {
    const { producer, transport, clock } = await anAggregator()
    transport.script = ({ number, entries, store }: ScriptedRequest) => {
      if (number > 1) return entries.map(store)
      transport.shards = openShards(2, 'child-')
      const results = entries.map(store)
      transport.shards = openShards(1, 'grandchild-')
      return new Promise((resolve) => clock.schedule(3_000, () => resolve(results)))
    }

    const puts = [inHalf(0, 'a'), inHalf(1, 'b')].map((record) => producer.put(record))
    await clock.advance(500)
    // What goes meanwhile brings the new shards, so that no listing after the answer brings others.
    void producer.put({ partitionKey: 'c', data: 'c' })
    await clock.advance(20_000)

    expect(await Promise.all(puts)).toMatchObject([{ attempts: 2 }, { attempts: 2 }])
  })

  it('is not sent again after maxAttempts', async () => {
    const { producer, transport, clock } = await anAggregator({ maxAttempts: 1 })
    splitMeanwhile(transport)

    const puts = Promise.allSettled([producer.put(inHalf(0, 'a')), producer.put(inHalf(1, 'b'))])
    await clock.advance(5_000)

    expect(transport.requests).toHaveLength(1)
    for (const outcome of await puts)
      expect(outcome).toMatchObject({
        reason: { code: 'ATTEMPTS_EXHAUSTED', attempts: 1, maybeDelivered: true },
      })
  })
})
