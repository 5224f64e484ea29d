import { seededRandom } from '@org/kinesis-core'
import { lambdaContext } from '@org/kinesis-core/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PermanentError } from '../errors.js'
import { MemorySink } from '../handler-fixture.js'
import { mergeWindowPartials } from '../windows/window-partial.js'
import { type Anomaly, detectAnomalies } from './detect-anomalies.js'
import {
  type AmountPartial,
  type AmountWindow,
  aggregates,
  aPartial,
  MINUTE_MS,
  START_MS,
} from './merged-window-fixture.js'
import { robustZScore, type UnusualValue } from './robust-z-score.js'
import { windowAnomalies } from './window-anomalies.js'
import type { WindowAnomaliesOptions } from './window-anomalies-options.js'

type Options = WindowAnomaliesOptions<typeof aggregates, UnusualValue>

const amount = robustZScore({ value: (window: AmountWindow) => window.aggregates.amount, minimumHistory: 3 })

function anomaliesOf(partials: AmountPartial[], options: Partial<Options> = {}) {
  /** Whoever waits goes on at once: runs are minutes apart, tries less than a second. */
  const clock = {
    nowMs: START_MS,
    now: () => clock.nowMs,
    schedule: (_delayMs: number, callback: () => void) => {
      queueMicrotask(callback)
      return () => {}
    },
  }
  const raised = new MemorySink<Anomaly<UnusualValue>>()
  const saved: number[] = []
  const reads: { fromMs: number; toMs: number }[] = []
  const handler = windowAnomalies({
    aggregates,
    read: async (range) => {
      reads.push(range)
      return partials.filter((of) => of.windowStartMs >= range.fromMs && of.windowStartMs < range.toMs)
    },
    progress: {
      load: async () => saved.at(-1),
      async save(untilMs, previousMs) {
        if (previousMs !== saved.at(-1)) throw new Error('another run was faster')
        saved.push(untilMs)
      },
    },
    detectors: { amount },
    raise: raised,
    settleMs: 2 * MINUTE_MS,
    historyWindows: 5,
    clock,
    ...options,
  })
  /** A run so many minutes after the start. */
  const runAt = async (minute: number, timeoutMs = 60_000) => {
    clock.nowMs = START_MS + minute * MINUTE_MS
    return handler({}, lambdaContext({ timeoutMs }))
  }
  return { runAt, raised: raised.stored, saved, reads }
}

const minutes = (ms: number) => (ms - START_MS) / MINUTE_MS
const usual = [0, 1, 2, 3, 4].map((minute) => aPartial(minute, 100))

describe('windowAnomalies', () => {
  it('raises a window that is unusual once it has settled, also of a key that falls silent', async () => {
    const { runAt, raised } = anomaliesOf([...usual, aPartial(5, 900)])

    await runAt(7.9)
    expect(raised).toEqual([])
    expect(await runAt(8)).toEqual({ judgedUntilMs: START_MS + 6 * MINUTE_MS, windows: 1, anomalies: 1 })
    await runAt(9)

    expect(raised).toEqual([
      {
        anomalyId: 'amount#2026-01-01T00:05:00.000Z#ann',
        detector: 'amount',
        key: 'ann',
        windowStartMs: START_MS + 5 * MINUTE_MS,
        windowEndMs: START_MS + 6 * MINUTE_MS,
        finding: { value: 900, median: 100, deviation: 10, score: 80 },
      },
    ])
  })

  it('judges what the partials of all shards add up to', async () => {
    const halves = [0, 1, 2, 3, 4, 5].flatMap((minute) => [
      aPartial(minute, 50, 'ann', 0),
      aPartial(minute, 50, 'ann', 1),
    ])
    const { runAt, raised } = anomaliesOf([...halves, aPartial(5, 400, 'ann', 2)])

    await runAt(8)

    expect(raised).toMatchObject([{ finding: { value: 500, median: 100 } }])
  })

  it('begins with the newest window that has settled, and reads as far back as its history goes', async () => {
    const { runAt, reads, saved } = anomaliesOf(usual)

    await runAt(9.5)

    expect(reads.map(({ fromMs, toMs }) => [minutes(fromMs), minutes(toMs)])).toEqual([[1, 7]])
    expect(saved.map(minutes)).toEqual([7])
  })

  it('makes up for an outage, in pieces as long as the history', async () => {
    const { runAt, reads, raised } = anomaliesOf([...usual, aPartial(5, 900), aPartial(16, 900)])

    await runAt(7)
    await runAt(20)

    expect(reads.slice(1).map(({ fromMs, toMs }) => [minutes(fromMs), minutes(toMs)])).toEqual([
      [0, 10],
      [5, 15],
      [10, 18],
    ])
    expect(raised.map(({ windowStartMs }) => minutes(windowStartMs))).toEqual([5])
  })

  it('leaves to the next run what it has no time for', async () => {
    const { runAt, saved } = anomaliesOf(usual)

    await runAt(7)

    expect(await runAt(60, 0)).toEqual({ judgedUntilMs: START_MS + 5 * MINUTE_MS, windows: 0, anomalies: 0 })
    expect(saved.map(minutes)).toEqual([5])
  })

  it('raises again, with the same id, what was raised in a run that failed', async () => {
    const raised = new MemorySink<Anomaly<UnusualValue>>()
    let failures = 1
    const saved: number[] = []
    const { runAt } = anomaliesOf([...usual, aPartial(5, 900)], {
      raise: raised,
      progress: {
        load: async () => saved.at(-1),
        async save(untilMs) {
          if (failures-- > 0) throw new Error('no table')
          saved.push(untilMs)
        },
      },
    })

    await expect(runAt(8)).rejects.toThrow('no table')
    await runAt(8)

    expect(raised.stored.map(({ anomalyId }) => anomalyId)).toEqual(
      Array(2).fill('amount#2026-01-01T00:05:00.000Z#ann'),
    )
  })

  it('makes no progress while its sink does not take the anomalies, and leaves out what that never will', async () => {
    const partials = [...usual, aPartial(5, 900)]
    const busy = anomaliesOf(partials, { raise: new MemorySink(() => new Error('busy')) })
    const refused: string[] = []
    const picky = anomaliesOf(partials, {
      raise: new MemorySink(() => new PermanentError('too large')),
      onUnstorable: ({ key }) => refused.push(key),
    })

    await expect(busy.runAt(8)).rejects.toThrow('1 of 1 anomalies could not be stored')
    expect(busy.saved).toEqual([])
    expect(await picky.runAt(8)).toMatchObject({ anomalies: 0 })
    expect(refused).toEqual(['ann'])
  })

  it('raises what a batch job over all windows would, through failures, pauses and runs at any time', async () => {
    const partial = fc.tuple(
      fc.nat(24),
      fc.oneof(
        { weight: 4, arbitrary: fc.integer({ min: 95, max: 105 }) },
        { weight: 1, arbitrary: fc.nat(900) },
      ),
      fc.constantFrom('ann', 'bob'),
      fc.nat(2),
    )
    let found = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(partial, { minLength: 60, maxLength: 120 }),
        fc.array(fc.double({ min: 0.1, max: 4, noNaN: true }), { maxLength: 30 }),
        fc.integer(),
        async (given, pauses, seed) => {
          const random = seededRandom(seed)
          const ids = new Set<string>()
          const saved = [START_MS]
          const partials = given.map((of) => aPartial(...of))
          const { runAt } = anomaliesOf(partials, {
            raise: {
              async write(records) {
                return records.map(({ value }) => {
                  if (random() < 0.3) return { stored: false, error: new Error('busy') }
                  ids.add(value.anomalyId)
                  return { stored: true }
                })
              },
            },
            progress: {
              load: async () => saved.at(-1),
              async save(untilMs) {
                if (random() < 0.3) throw new Error('no table')
                saved.push(untilMs)
              },
            },
          })
          let minute = 0
          const runAfter = async (pause: number) => {
            minute += pause
            await runAt(minute).catch(() => {})
          }
          for (const pause of pauses) await runAfter(pause)
          while (saved.at(-1)! < START_MS + 31 * MINUTE_MS) await runAfter(40)

          const windows = mergeWindowPartials(partials, aggregates)
          const expected = detectAnomalies(windows, { detectors: { amount }, historyWindows: 5 })
          expect([...ids].sort()).toEqual(expected.map(({ anomalyId }) => anomalyId).sort())
          found += expected.length
        },
      ),
      { numRuns: 200 },
    )
    expect(found).toBeGreaterThan(100)
  })

  it.each([
    { read: undefined },
    { progress: { load: async () => 1 } },
    { detectors: {} },
    { raise: () => {} },
    { aggregates: { amount: 7 } },
    { settleMs: -1 },
    { windowMs: 0 },
    { history: 5 },
  ])('refuses options that cannot work: %o', (options) => {
    expect(() => anomaliesOf([], options as never)).toThrow(Object.keys(options)[0])
  })
})
