import { seededRandom } from '@org/kinesis-core'
import { ManualClock } from '@org/kinesis-core/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  failedEntry,
  openShards,
  reset,
  type ScriptedRequest,
  ScriptedTransport,
  stall,
  throttledEntry,
} from '../test/scripted-transport.js'
import type { Receipt } from './delivery-report.js'
import { KinesisProducer } from './kinesis-producer.js'
import type { ProducerError } from './producer-errors.js'
import { TransportFault } from './put-records-transport.js'

const MAX_RECORD_BYTES = 500
const AGGREGATE_FRAME_BYTES = 100

/** One run: how the producer is set up, what is put, and how the service behaves, all from plain numbers that can shrink. */
const aRun = fc.record({
  seed: fc.nat(),
  ordering: fc.constantFrom('none' as const, 'per-key' as const),
  haltKeys: fc.boolean(),
  aggregates: fc.boolean(),
  byCallbacks: fc.boolean(),
  whenFull: fc.constantFrom('wait' as const, 'reject' as const),
  shards: fc.integer({ min: 0, max: 5 }),
  lingerMs: fc.constantFrom(0, 5, 50),
  maxBatchRecords: fc.integer({ min: 1, max: 20 }),
  maxBatchBytes: fc.integer({ min: MAX_RECORD_BYTES, max: 2_000 }),
  maxInFlightRequests: fc.integer({ min: 1, max: 5 }),
  maxBufferedBytes: fc.constantFrom(600, 5_000, 1_000_000),
  recordTtlMs: fc.constantFrom(300, 3_000, 100_000),
  maxAttempts: fc.constantFrom(2, 5, 50),
  faultRate: fc.constantFrom(0, 0.2, 0.6, 1),
  puts: fc.array(
    fc.record({ key: fc.nat(5), bytes: fc.nat(150), pauseMs: fc.constantFrom(0, 0, 0, 1, 30) }),
    { maxLength: 80, size: 'max' },
  ),
  flushAfter: fc.nat(80),
  reshardAfter: fc.nat(80),
  closeAfterMs: fc.constantFrom(undefined, 0, 200),
})

type Run = typeof aRun extends fc.Arbitrary<infer T> ? T : never

/** A service that fails in every way that the wire knows, by the seed. */
function faultyService(run: Run, clock: ManualClock) {
  const random = seededRandom(run.seed)
  return ({ entries, store, signal }: ScriptedRequest) => {
    const delayMs = random() < 0.5 ? 0 : Math.floor(random() * 80)
    const answer = (results: () => ReturnType<typeof store>[]) =>
      new Promise<ReturnType<typeof store>[]>((resolve) => clock.schedule(delayMs, () => resolve(results())))
    if (random() >= run.faultRate) return answer(() => entries.map(store))
    switch (Math.floor(random() * 8)) {
      case 0:
        throw reset()
      case 1:
        entries.forEach(store)
        throw reset()
      case 2:
        throw new TransportFault('slow down', {
          kind: 'throttled',
          reason: 'Throttling',
          maybeDelivered: false,
        })
      case 3:
        return stall(signal)
      case 4:
        clock.schedule(Math.floor(random() * 2_000), () => entries.forEach(store))
        return stall(signal)
      case 5:
        return answer(() => entries.map(store).slice(1))
      case 6:
        return answer(() => entries.map((entry) => (random() < 0.5 ? throttledEntry : store(entry))))
      default:
        return answer(() => entries.map((entry) => (random() < 0.5 ? failedEntry : store(entry))))
    }
  }
}

async function play(run: Run) {
  const clock = new ManualClock()
  const transport = new ScriptedTransport({ shards: Math.max(1, run.shards) })
  if (run.shards === 0) transport.shards = new Error('ListShards is denied')
  transport.script = faultyService(run, clock)
  const producer = new KinesisProducer({
    streamName: 'orders',
    transport,
    clock,
    random: seededRandom(run.seed + 1),
    ordering: run.ordering,
    ...(run.ordering === 'per-key' && run.haltKeys ? { onExpired: 'halt-key' as const } : {}),
    ...(run.aggregates ? { aggregation: { maxContainerBytes: MAX_RECORD_BYTES, keyBuckets: 2 } } : {}),
    whenFull: run.whenFull,
    lingerMs: run.lingerMs,
    maxBatchRecords: run.maxBatchRecords,
    maxBatchBytes: run.maxBatchBytes,
    maxRecordBytes: MAX_RECORD_BYTES,
    maxInFlightRequests: run.maxInFlightRequests,
    maxBufferedBytes: run.maxBufferedBytes,
    recordTtlMs: run.recordTtlMs,
    maxAttempts: run.maxAttempts,
    requestTimeoutMs: 400,
  })
  const settlements: { data: string; times: number; receipt?: Receipt; error?: ProducerError }[] = []
  const flushes: { before: number; open: () => number }[] = []
  let peakBytes = 0
  for (const [index, put] of run.puts.entries()) {
    const data = `${index}:`.padEnd(put.bytes, '.')
    const settlement: (typeof settlements)[number] = { data, times: 0 }
    settlements.push(settlement)
    const onDelivered = (receipt: Receipt) => {
      settlement.times++
      settlement.receipt = receipt
    }
    const onFailed = (error: ProducerError) => {
      settlement.times++
      settlement.error = error
    }
    const record = { partitionKey: `key-${put.key}`, data: put.bytes % 2 === 0 ? data : Buffer.from(data) }
    if (run.byCallbacks) {
      try {
        producer.enqueue(record, onDelivered, onFailed)
      } catch (error) {
        onFailed(error as ProducerError)
      }
    } else producer.put(record).then(onDelivered, onFailed)
    peakBytes = Math.max(peakBytes, producer.stats().bufferedBytes)
    if (index === run.reshardAfter && run.shards > 0) transport.shards = openShards(3, 'child-')
    if (index === run.flushAfter) {
      const before = settlements.length
      void producer.flush().then(() => {
        const open = settlements.slice(0, before).filter(({ times }) => times === 0).length
        flushes.push({ before, open: () => open })
      })
    }
    if (put.pauseMs > 0) await clock.advance(put.pauseMs)
  }
  const closing = producer.close(run.closeAfterMs === undefined ? {} : { deadlineMs: run.closeAfterMs })
  await clock.advance(run.recordTtlMs + 10_000)
  const closed = await closing
  // What the service still had in its hands when everybody had gone home.
  await clock.advance(10_000)
  return { transport, producer, settlements, flushes, closed, peakBytes }
}

describe('whatever the service does', () => {
  it('every put settles exactly once, and says the truth about it', async () => {
    await fc.assert(
      fc.asyncProperty(aRun, async (run) => {
        const { transport, producer, settlements, flushes, closed } = await play(run)

        expect(settlements.map(({ times }) => times)).toEqual(settlements.map(() => 1))
        for (const { data, receipt, error } of settlements) {
          const [stored, dropped] = [transport.stored, transport.dropped].map((records) =>
            records.filter((record) => record.data === data),
          )
          if (receipt !== undefined) {
            const { shardId, sequenceNumber, subSequenceNumber, attempts, history } = receipt
            expect(stored).toContainEqual(
              expect.objectContaining({ shardId, sequenceNumber, subSequenceNumber }),
            )
            expect(history).toHaveLength(attempts)
            expect(history.at(-1)).not.toHaveProperty('errorCode')
            if (attempts === 1) expect(stored).toHaveLength(1)
          } else if (!error!.maybeDelivered) expect([...stored!, ...dropped!]).toEqual([])
        }
        const stats = producer.stats()
        expect(stats.put).toBe(stats.delivered + stats.failed)
        expect(stats.put + stats.refused).toBe(settlements.length)
        expect(stats).toMatchObject({
          pending: 0,
          bufferedBytes: 0,
          waitingForRoom: 0,
          inFlightRequests: 0,
          delivered: settlements.filter(({ receipt }) => receipt !== undefined).length,
        })
        for (const flush of flushes) expect(flush.open()).toBe(0)
        for (const { data, error } of closed.undelivered) {
          const settlement = settlements.find((other) => other.data === Buffer.from(data).toString())
          expect(settlement!.error).toBe(error)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('requests keep to their bounds and memory to its own', async () => {
    await fc.assert(
      fc.asyncProperty(aRun, async (run) => {
        const { transport, peakBytes } = await play(run)

        for (const entries of transport.requests) {
          expect(entries.length).toBeGreaterThan(0)
          expect(entries.length).toBeLessThanOrEqual(run.maxBatchRecords)
          const bytes = entries.reduce(
            (sum, entry) => sum + entry.data.byteLength + entry.partitionKey.length,
            0,
          )
          expect(bytes).toBeLessThanOrEqual(run.maxBatchBytes)
          const keys = new Set(entries.map((entry) => entry.partitionKey))
          if (run.ordering === 'per-key') expect(keys.size).toBe(entries.length)
        }
        // A single record is always taken, and the frame of an aggregate is counted when it is there.
        expect(peakBytes).toBeLessThanOrEqual(Math.max(run.maxBufferedBytes, 1_100) + AGGREGATE_FRAME_BYTES)
      }),
      { numRuns: 100 },
    )
  })

  it("with 'per-key', the delivered records of a key first appear in put order", async () => {
    await fc.assert(
      fc.asyncProperty(aRun, async (run) => {
        const { transport, settlements } = await play({ ...run, ordering: 'per-key' })

        const delivered = new Set(
          settlements.filter(({ receipt }) => receipt !== undefined).map(({ data }) => data),
        )
        for (let key = 0; key <= 5; key++) {
          const seen = new Set<string>()
          for (const record of transport.stored) {
            if (record.partitionKey === `key-${key}` && delivered.has(record.data)) seen.add(record.data)
          }
          const positions = [...seen].map((data) => Number.parseInt(data, 10))
          expect(positions).toEqual(positions.toSorted((a, b) => a - b))
        }
      }),
      { numRuns: 300 },
    )
  })

  it("with 'halt-key', a key shows no gap: after a failure nothing of it is delivered", async () => {
    await fc.assert(
      fc.asyncProperty(aRun, async (run) => {
        const { settlements } = await play({
          ...run,
          ordering: 'per-key',
          haltKeys: true,
          whenFull: 'wait',
          byCallbacks: false,
          closeAfterMs: undefined,
        })

        for (let key = 0; key <= 5; key++) {
          const outcomes = run.puts.flatMap((put, index) =>
            put.key === key ? [settlements[index]!.receipt !== undefined] : [],
          )
          expect(outcomes).toEqual(outcomes.toSorted((a, b) => Number(b) - Number(a)))
        }
      }),
      { numRuns: 200 },
    )
  })

  it('records beyond the limits of their shards wait, through reshards and throttles, and all arrive', async () => {
    const aBurst = fc.record({ records: fc.integer({ min: 1, max: 1_500 }), pauseMs: fc.nat(600) })
    await fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.constantFrom('none' as const, 'per-key' as const),
        fc.array(aBurst, { minLength: 1, maxLength: 5 }),
        fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 5 }),
        async (seed, ordering, bursts, reshards) => {
          const clock = new ManualClock()
          const random = seededRandom(seed)
          const transport = new ScriptedTransport({
            shards: 1,
            script: ({ entries, store }) =>
              entries.map((entry) => (random() < 0.05 ? throttledEntry : store(entry))),
          })
          const producer = new KinesisProducer({ streamName: 'orders', transport, clock, random, ordering })
          let put = 0
          for (const [index, burst] of bursts.entries()) {
            for (let count = 0; count < burst.records; count++) {
              void producer.put({ partitionKey: `key-${put % 1_000}`, data: String(put++) })
            }
            await clock.advance(burst.pauseMs)
            const shards = reshards[index]
            if (shards !== undefined) transport.shards = openShards(shards, `generation-${index}-`)
          }
          // Far less than recordTtlMs: nothing may be left to expire.
          await clock.advance(30_000)

          expect(producer.stats()).toMatchObject({ delivered: put, pending: 0, failed: 0 })
        },
      ),
      { numRuns: 60 },
    )
  })
})
