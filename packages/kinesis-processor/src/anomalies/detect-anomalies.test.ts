import { describe, expect, it } from 'vitest'
import { type AnomalyDetector, detectAnomalies } from './detect-anomalies.js'
import { type AmountWindow, type aggregates, aWindow, MINUTE_MS, START_MS } from './merged-window-fixture.js'

/** Tells the amounts that it was shown. */
const witness: AnomalyDetector<typeof aggregates, string> = {
  observe: ({ aggregates: { amount } }, history) =>
    `${amount} after ${history.map((of) => of.aggregates.amount).join(' ')}`,
}

const findings = (windows: AmountWindow[], options: { historyWindows?: number; fromMs?: number } = {}) =>
  detectAnomalies(windows, { detectors: { witness }, ...options }).map(({ finding }) => finding)

describe('detectAnomalies', () => {
  it('shows a detector each window with those before it of the same key, in whatever order they come', () => {
    const windows = [aWindow(2, 3), aWindow(0, 7, 'bob'), aWindow(0, 1), aWindow(1, 2), aWindow(1, 8, 'bob')]

    expect(findings(windows)).toEqual(['1 after ', '7 after ', '2 after 1', '8 after 7', '3 after 1 2'])
  })

  it('lets the history go back so many windows of time, whether there were events in them or not', () => {
    const windows = [0, 1, 2, 5, 6].map((minute) => aWindow(minute, minute))

    expect(findings(windows, { historyWindows: 4 })).toEqual([
      '0 after ',
      '1 after 0',
      '2 after 0 1',
      '5 after 1 2',
      '6 after 2 5',
    ])
  })

  it('judges windows from a time on, with what was before as history', () => {
    const windows = [0, 1, 2].map((minute) => aWindow(minute, minute))

    expect(findings(windows, { fromMs: START_MS + 2 * MINUTE_MS })).toEqual(['2 after 0 1'])
  })

  it('names what it found, of each detector, by an id that is the same each time', () => {
    const high: AnomalyDetector<typeof aggregates, { high: number }> = {
      observe: ({ aggregates: { amount } }) => (amount > 5 ? { high: amount } : undefined),
    }
    const odd: AnomalyDetector<typeof aggregates, { odd: number }> = {
      observe: ({ aggregates: { amount } }) => (amount % 2 === 1 ? { odd: amount } : undefined),
    }
    const windows = [aWindow(0, 4), aWindow(1, 9), aWindow(2, 6)]

    const anomalies = detectAnomalies<typeof aggregates, object>(windows, { detectors: { high, odd } })

    expect(anomalies.map(({ anomalyId }) => anomalyId)).toEqual([
      'high#2026-01-01T00:01:00.000Z#ann',
      'odd#2026-01-01T00:01:00.000Z#ann',
      'high#2026-01-01T00:02:00.000Z#ann',
    ])
    expect(anomalies[0]).toEqual({
      anomalyId: 'high#2026-01-01T00:01:00.000Z#ann',
      detector: 'high',
      key: 'ann',
      windowStartMs: START_MS + MINUTE_MS,
      windowEndMs: START_MS + 2 * MINUTE_MS,
      finding: { high: 9 },
    })
  })

  it.each([
    { detectors: {} },
    { detectors: { high: () => true } },
    { detectors: { witness }, historyWindows: 0 },
  ])('refuses options that cannot work: %o', (options) => {
    expect(() => detectAnomalies([], options as never)).toThrow(/detectors|historyWindows/)
  })
})
