import { InvalidOptionError, refuseUnknownOptions } from '@org/kinesis-core'
import { requireFunction, whole } from '../option-checks.js'
import type { MergedWindow } from '../windows/window-partial.js'

/** Says whether a window's result is unusual for its key, from that and what was before alone: the same answer each time it is asked. */
export interface AnomalyDetector<A, F> {
  /**
   * @param history the key's windows before this one, oldest first, of the last `historyWindows` lengths; windows without events are not there
   * @returns what is unusual, as JSON; undefined where nothing is, or too little is known
   */
  observe(window: MergedWindow<A>, history: readonly MergedWindow<A>[]): F | undefined
}

export type AnomalyDetectors<A, F> = Readonly<Record<string, AnomalyDetector<A, F>>>

/** The event that is raised. */
export interface Anomaly<F> {
  /** `<detector>#<window start in ISO 8601>#<key>`: the same whenever it is raised again. */
  anomalyId: string
  /** Name of the detector that found it. */
  detector: string
  key: string
  /** In milliseconds since the epoch; the end is not part of the window. */
  windowStartMs: number
  windowEndMs: number
  /** What the detector says. */
  finding: F
}

export interface DetectAnomaliesOptions<A, F> {
  /** By name. */
  detectors: AnomalyDetectors<A, F>
  /** How far back the history of a window goes, in windows. @default 60 */
  historyWindows?: number
  /** Windows that start before are history alone, in milliseconds since the epoch. @default all are judged */
  fromMs?: number
}

export const DEFAULT_HISTORY_WINDOWS = 60

/**
 * The anomalies among merged windows of any keys and order, one entry a key and window; by window, and within one as keys first came. It keeps
 * nothing: the same windows give the same anomalies.
 *
 * @throws InvalidOptionError for options that cannot work
 */
export function detectAnomalies<A, F>(
  windows: Iterable<MergedWindow<A>>,
  options: DetectAnomaliesOptions<A, F>,
): Anomaly<F>[] {
  refuseUnknownOptions(options, ['detectors', 'historyWindows', 'fromMs'])
  const { detectors, fromMs = Number.NEGATIVE_INFINITY } = options
  checkDetectors(detectors)
  const historyWindows = whole('historyWindows', options.historyWindows ?? DEFAULT_HISTORY_WINDOWS, 1)
  const anomalies: Anomaly<F>[] = []
  for (const ofKey of Map.groupBy(windows, ({ key }) => key).values()) {
    const ordered = ofKey.sort((a, b) => a.windowStartMs - b.windowStartMs)
    let oldest = 0
    for (const [at, window] of ordered.entries()) {
      const { windowStartMs, windowEndMs } = window
      const sinceMs = windowStartMs - historyWindows * (windowEndMs - windowStartMs)
      while (ordered[oldest]!.windowStartMs < sinceMs) oldest += 1
      if (windowStartMs >= fromMs) anomalies.push(...judge(window, ordered.slice(oldest, at), detectors))
    }
  }
  return anomalies.sort((a, b) => a.windowStartMs - b.windowStartMs)
}

export function checkDetectors(detectors: unknown): void {
  if (typeof detectors !== 'object' || detectors === null || Object.keys(detectors).length === 0)
    throw new InvalidOptionError('detectors', detectors, 'Pass at least one: { amount: robustZScore(…) }.')
  for (const [name, detector] of Object.entries(detectors as AnomalyDetectors<unknown, unknown>))
    requireFunction(
      `detectors.${name}`,
      detector?.observe,
      'Pass robustZScore(…), or an object with observe().',
    )
}

function judge<A, F>(
  window: MergedWindow<A>,
  history: readonly MergedWindow<A>[],
  detectors: AnomalyDetectors<A, F>,
): Anomaly<F>[] {
  const { key, windowStartMs, windowEndMs } = window
  return Object.entries(detectors).flatMap(([detector, plug]) => {
    const finding = plug.observe(window, history)
    if (finding === undefined) return []
    const anomalyId = `${detector}#${new Date(windowStartMs).toISOString()}#${key}`
    return [{ anomalyId, detector, key, windowStartMs, windowEndMs, finding }]
  })
}
