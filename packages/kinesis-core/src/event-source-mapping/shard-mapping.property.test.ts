import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lambdaQuotas } from '../quotas.js'
import { type Random, seededRandom } from '../random.js'
import type {
  DiscardEffect,
  InvocationOutcome,
  InvokeEffect,
  MappedBatch,
  MappingEffect,
} from './mapping-effects.js'
import { aRecord, START_MS, sequences } from './mapping-fixture.js'
import { type MappingSettings, resolveMappingSettings } from './mapping-settings.js'
import { ShardMapping } from './shard-mapping.js'
import type { ShardRecord } from './shard-record.js'
import type { WindowState } from './tumbling-window.js'

/**
 * A host that does everything in an order drawn from a seed: offers records in pieces, answers invocations late and out of order with
 * successes, errors and partial failures, and writes discards when it likes.
 */
function simulate(
  settings: MappingSettings,
  offered: ShardRecord[],
  seed: number,
  failureRate: number,
  stateOf: (random: Random) => WindowState = () => ({ seen: 1 }),
) {
  const random = seededRandom(seed)
  const mapping = new ShardMapping<ShardRecord>(resolveMappingSettings(settings), seededRandom(seed + 1))
  const invoked: InvokeEffect<ShardRecord>[] = []
  /** Those that reached the function. */
  const attempts: InvokeEffect<ShardRecord>[] = []
  const discarded: DiscardEffect<ShardRecord>[] = []
  const checkpoints: number[] = []
  /** Successful deliveries and discards, in the order in which they settled. */
  const resolved: { sequence: number; key: string }[] = []
  /** What the filters kept out, and when: sequence numbers in the order in which they were offered. */
  const filtered: number[] = []
  const outside: (InvokeEffect<ShardRecord> | DiscardEffect<ShardRecord>)[] = []
  const lanesBusy = new Set<number>()
  let wakeAtMs: number | undefined
  let next = 0
  let nowMs = START_MS

  const perform = (effects: MappingEffect<ShardRecord>[]) => {
    wakeAtMs = undefined
    for (const effect of effects) {
      if (effect.kind === 'wake') wakeAtMs = effect.atMs
      else if (effect.kind === 'checkpoint') {
        const upTo = sequences([{ ...aRecord(0), ...effect }])[0]!
        checkpoints.push(upTo)
        const before = [...resolved.map(({ sequence }) => sequence), ...filtered].filter((of) => of <= upTo)
        expect(before, 'records before the checkpoint').toHaveLength(upTo + 1)
      } else {
        expect(lanesBusy.has(effect.lane)).toBe(false)
        lanesBusy.add(effect.lane)
        outside.push(effect)
        const done = new Set(resolved.map(({ sequence }) => sequence))
        expect(sequences(effect.batch.records).filter((sequence) => done.has(sequence))).toEqual([])
        if (effect.kind === 'invoke') invoked.push(effect)
        else discarded.push(effect)
      }
    }
  }
  const settleOne = () => {
    const [effect] = outside.splice(Math.floor(random() * outside.length), 1)
    if (effect === undefined) return
    lanesBusy.delete(effect.lane)
    const { records } = effect.batch
    if (effect.kind === 'discard') {
      for (const record of records)
        resolved.push({ sequence: sequences([record])[0]!, key: record.partitionKey })
      return perform(mapping.discarded(effect.id, nowMs))
    }
    const { outcome, upTo } = draw(
      effect.batch,
      random,
      failureRate,
      settings.reportBatchItemFailures ?? false,
      stateOf,
    )
    if (outcome.ok || outcome.invoked !== false) attempts.push(effect)
    for (const record of records.slice(0, upTo)) {
      resolved.push({ sequence: sequences([record])[0]!, key: record.partitionKey })
    }
    perform(mapping.settle(effect.id, outcome, nowMs))
  }

  for (let steps = 0; !mapping.isFinished; steps += 1) {
    if (steps > 20_000) throw new Error('the mapping does not come to an end')
    const choice = random()
    if (choice < 0.4 && next < offered.length) {
      const piece = offered.slice(next, next + 1 + Math.floor(random() * 20))
      next += piece.length
      if (settings.filters !== undefined)
        filtered.push(...sequences(piece.filter((record) => !isWanted(record))))
      perform(mapping.offer(piece, nowMs))
      if (next === offered.length) perform(mapping.end(nowMs))
    } else if (choice < 0.8 && outside.length > 0) settleOne()
    else if (wakeAtMs !== undefined) {
      nowMs = Math.max(nowMs, wakeAtMs)
      perform(mapping.tick(nowMs))
    }
  }
  return { mapping, invoked, attempts, discarded, checkpoints, resolved, filtered }
}

/** What `filters` of the runs below let pass. */
const onlyWanted = [{ data: { wanted: [true] } }]
const isWanted = ({ data }: ShardRecord) =>
  data !== undefined && Buffer.from(data).toString() === '{"wanted":true}'
/** Too large for any invocation. */
const isLarge = ({ payloadBytes }: ShardRecord) => payloadBytes > 6 * 1024 * 1024
const dataOf = (wanted: boolean) => Buffer.from(JSON.stringify({ wanted }))

/** What an invocation weighs, as Lambda would see it. */
const payloadBytesOf = ({ records, window }: MappedBatch<ShardRecord>) =>
  records.reduce(
    (sum, { payloadBytes }) => sum + payloadBytes,
    Buffer.byteLength(JSON.stringify(window ?? {})),
  )
const hasRoom = (batch: MappedBatch<ShardRecord>) => payloadBytesOf(batch) <= lambdaQuotas.maxPayloadBytes

function draw(
  batch: MappedBatch<ShardRecord>,
  random: Random,
  failureRate: number,
  reports: boolean,
  stateOf: (random: Random) => WindowState,
): { outcome: InvocationOutcome; upTo: number } {
  const { records } = batch
  const state = stateOf(random)
  if (!hasRoom(batch) || random() < failureRate / 10)
    return { outcome: { ok: false, invoked: false }, upTo: 0 }
  if (random() >= failureRate) return { outcome: { ok: true, payload: { state } }, upTo: records.length }
  if (!reports || records.length === 0 || random() < 0.5) return { outcome: { ok: false }, upTo: 0 }
  const upTo = Math.floor(random() * records.length)
  const batchItemFailures = [{ itemIdentifier: records[upTo]!.sequenceNumber }]
  return { outcome: { ok: true, payload: { state, batchItemFailures } }, upTo }
}

const anyRun = fc.record({
  seed: fc.nat(),
  count: fc.integer({ min: 1, max: 120 }),
  keys: fc.integer({ min: 1, max: 12 }),
  failureRate: fc.double({ min: 0, max: 0.7, noNaN: true }),
  settings: fc.record({
    batchSize: fc.integer({ min: 1, max: 30 }),
    maximumBatchingWindowMs: fc.constantFrom(0, 500),
    parallelizationFactor: fc.integer({ min: 1, max: 10 }),
    maximumRetryAttempts: fc.integer({ min: -1, max: 4 }),
    bisectBatchOnFunctionError: fc.boolean(),
    reportBatchItemFailures: fc.boolean(),
    partialProgressResetsRetries: fc.boolean(),
    bisectWithoutProgress: fc.boolean(),
    filters: fc.constantFrom(undefined, onlyWanted),
    maximumRecordAgeMs: fc.constantFrom(-1, 20_000),
    oversizedRecords: fc.constantFrom('retry' as const, 'hold' as const, 'discard' as const),
  }),
  withLarge: fc.boolean(),
})

function run({
  seed,
  count,
  keys,
  failureRate,
  settings: { filters, ...others },
  withLarge,
}: typeof anyRun extends fc.Arbitrary<infer T> ? T : never) {
  const random = seededRandom(seed)
  const offered = Array.from({ length: count }, (_, index) =>
    aRecord(index, {
      partitionKey: `key-${Math.floor(random() * keys)}`,
      data: dataOf(random() < 0.5),
      // Without an end to its attempts a large record would hold its shard for ever.
      payloadBytes: withLarge && isBounded(others) && random() < 0.1 ? 7 * 1024 * 1024 : 100,
    }),
  )
  const settings: MappingSettings = filters === undefined ? others : { ...others, filters }
  return { offered, ...simulate(settings, offered, seed, failureRate) }
}

function isBounded({ maximumRecordAgeMs, maximumRetryAttempts, oversizedRecords }: MappingSettings): boolean {
  if (oversizedRecords === 'discard' || (maximumRecordAgeMs ?? -1) >= 0) return true
  return oversizedRecords === 'retry' && (maximumRetryAttempts ?? -1) >= 0
}

describe('whatever fails, and in whatever order answers come', () => {
  it('every record is resolved, filtered out or discarded exactly once', () => {
    fc.assert(
      fc.property(anyRun, (options) => {
        const { offered, resolved, filtered, mapping } = run(options)

        const done = [...resolved.map(({ sequence }) => sequence), ...filtered]
        expect(done.sort((a, b) => a - b)).toEqual(sequences(offered))
        expect(mapping.filteredRecords).toBe(filtered.length)
        expect(mapping.unresolvedRecords).toBe(0)
        expect(mapping.unresolvedBytes).toBe(0)
      }),
      { numRuns: 300 },
    )
  })

  it('records of one partition key are resolved in order', () => {
    fc.assert(
      fc.property(anyRun, (options) => {
        const lastOf = new Map<string, number>()
        for (const { key, sequence } of run(options).resolved) {
          expect(sequence).toBeGreaterThan(lastOf.get(key) ?? -1)
          lastOf.set(key, sequence)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('a checkpoint only moves forward, ends at the last record, and never passes one that is unresolved', () => {
    fc.assert(
      fc.property(anyRun, (options) => {
        const { offered, checkpoints } = run(options)

        expect(checkpoints).toEqual([...new Set(checkpoints)].sort((a, b) => a - b))
        expect(checkpoints.at(-1)).toBe(offered.length - 1)
      }),
      { numRuns: 100 },
    )
  })

  it('no batch passes the batch size, and none begins more often than its retries allow', () => {
    fc.assert(
      fc.property(anyRun, (options) => {
        const { invoked, attempts, discarded } = run(options)
        const { batchSize, maximumRetryAttempts, maximumRecordAgeMs, oversizedRecords } = options.settings

        expect(invoked.every(({ batch }) => batch.records.length <= batchSize)).toBe(true)
        const tooOld = discarded.filter(({ condition }) => condition === 'RecordAgeExceeded')
        if (maximumRecordAgeMs === -1) expect(tooOld).toEqual([])
        if (maximumRetryAttempts === -1) {
          const given = discarded.filter((discard) => !tooOld.includes(discard))
          expect(
            given.every(({ batch }) => oversizedRecords === 'discard' && batch.records.every(isLarge)),
          ).toBe(true)
          return
        }
        // The same first and last record: the same batch, for splitting changes one or the other.
        const times = new Map<string, number>()
        for (const { batch } of attempts) {
          const batchId = `${batch.records[0]!.sequenceNumber}-${batch.records.at(-1)!.sequenceNumber}`
          times.set(batchId, (times.get(batchId) ?? 0) + 1)
        }
        expect(Math.max(0, ...times.values())).toBeLessThanOrEqual(1 + maximumRetryAttempts)
      }),
      { numRuns: 300 },
    )
  })

  it('the same seed gives the same trace', () => {
    fc.assert(
      fc.property(anyRun, (options) => {
        expect(run(options).invoked).toEqual(run(options).invoked)
      }),
      { numRuns: 30 },
    )
  })
})

describe('windows, whatever fails', () => {
  it('follow one another, each closed, every record inside exactly one of them, whatever it and the state weigh', () => {
    const MB = 1024 * 1024
    const anyWindowedRun = fc.record({
      seed: fc.nat(),
      arrivals: fc.array(
        fc.tuple(fc.integer({ min: 0, max: 600_000 }), fc.constantFrom(100, MB, 3 * MB, 5.5 * MB)),
        {
          minLength: 1,
          maxLength: 60,
        },
      ),
      failureRate: fc.double({ min: 0, max: 0.6, noNaN: true }),
      stateBytes: fc.constantFrom([10], [10, 0.4 * MB, 0.9 * MB], [10, 0.9 * MB, 1.1 * MB]),
      batchSize: fc.integer({ min: 1, max: 30 }),
      bisectBatchOnFunctionError: fc.boolean(),
      reportBatchItemFailures: fc.boolean(),
      windowStateAfterPartialFailure: fc.constantFrom('returned' as const, 'before' as const),
    })
    fc.assert(
      fc.property(anyWindowedRun, ({ seed, arrivals, failureRate, stateBytes, ...settings }) => {
        const offered = arrivals
          .sort(([a], [b]) => a - b)
          .map(([offset, payloadBytes], index) =>
            aRecord(index, { arrivalMs: START_MS + offset, payloadBytes }),
          )

        const { invoked, resolved } = simulate(
          { ...settings, tumblingWindowMs: 60_000 },
          offered,
          seed,
          failureRate,
          (random) => ({ held: 'x'.repeat(stateBytes[Math.floor(random() * stateBytes.length)]!) }),
        )

        expect(invoked.every(({ batch }) => hasRoom(batch))).toBe(true)

        const starts = invoked.map(({ batch }) => batch.window!.startMs)
        expect(starts).toEqual([...starts].sort((a, b) => a - b))
        for (const { batch } of invoked) {
          for (const { arrivalMs } of batch.records) {
            expect(arrivalMs).toBeGreaterThanOrEqual(batch.window!.startMs)
            expect(arrivalMs).toBeLessThan(batch.window!.endMs)
          }
        }
        const closed = new Set(
          invoked
            .filter(({ batch }) => batch.window!.isFinalInvokeForWindow)
            .map(({ batch }) => batch.window!.startMs),
        )
        expect(closed).toEqual(new Set(starts))
        expect(resolved.map(({ sequence }) => sequence)).toEqual(sequences(offered))
      }),
      { numRuns: 100 },
    )
  })
})
