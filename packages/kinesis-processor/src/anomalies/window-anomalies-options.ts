import { type Clock, type Random, refuseUnknownOptions, systemClock, systemRandom } from '@org/kinesis-core'
import { requireFunction, requireTime, whole } from '../option-checks.js'
import type { Sink } from '../sink.js'
import { checkAggregates, type WindowAggregates } from '../windows/window-aggregate.js'
import type { WindowPartial } from '../windows/window-partial.js'
import {
  type Anomaly,
  type AnomalyDetectors,
  checkDetectors,
  DEFAULT_HISTORY_WINDOWS,
} from './detect-anomalies.js'

/** Where it is kept up to when windows were judged. */
export interface AnomalyProgress {
  /** Milliseconds since the epoch; undefined before the first run. */
  load(): Promise<number | undefined>
  /** Rejects where it is not `previousMs` any more: another run went on from there. */
  save(untilMs: number, previousMs: number | undefined): Promise<void>
}

export interface WindowAnomaliesOptions<A extends WindowAggregates<never>, F> {
  /** Those of `tumblingWindows`, to merge its partials with. */
  aggregates: A
  /** All partials of the windows that start at `fromMs` or later, and before `toMs`, in milliseconds since the epoch. */
  read: (range: {
    fromMs: number
    toMs: number
  }) => AsyncIterable<WindowPartial<A>> | Promise<Iterable<WindowPartial<A>>>
  progress: AnomalyProgress
  /** What is watched, by name. */
  detectors: AnomalyDetectors<A, F>
  /** Takes the anomalies. They must all be stored: anything else fails the invocation, and they are raised again. */
  raise: Sink<Anomaly<F>>
  /** That of `tumblingWindows`, in milliseconds. @default 60_000 */
  windowMs?: number
  /**
   * So long after its end a window is taken for complete and judged, in milliseconds, 0 or more. What comes later counts as history alone: give it
   * Lambda's window and the lateness of events, and two minutes for idle shards. @default 300_000
   */
  settleMs?: number
  /** How far back the history of a window goes, in windows; so many are read for each run. @default 60 */
  historyWindows?: number
  /** Told of each anomaly that `raise` refuses with a `PermanentError`, which is then left out. @default a line on standard error */
  onUnstorable?: (anomaly: Anomaly<F>, error: unknown) => void
  /** @default the system's clock */
  clock?: Clock
  /** @default Math.random */
  random?: Random
}

export type ResolvedWindowAnomaliesOptions<A extends WindowAggregates<never>, F> = Required<
  WindowAnomaliesOptions<A, F>
>

const KNOWN = [
  'aggregates',
  'read',
  'progress',
  'detectors',
  'raise',
  'windowMs',
  'settleMs',
  'historyWindows',
  'onUnstorable',
  'clock',
  'random',
] as const satisfies (keyof WindowAnomaliesOptions<WindowAggregates<never>, unknown>)[]

export function resolveWindowAnomaliesOptions<A extends WindowAggregates<never>, F>(
  options: WindowAnomaliesOptions<A, F>,
): ResolvedWindowAnomaliesOptions<A, F> {
  refuseUnknownOptions(options, KNOWN)
  const { aggregates, read, progress, detectors, raise } = options
  const { onUnstorable = warn, clock = systemClock, random = systemRandom } = options
  checkAggregates(aggregates)
  requireFunction('read', read, 'Pass a function from a range of time to the partials of its windows.')
  requireFunction('progress', progress?.load, 'Pass an object with load() and save().')
  requireFunction('progress', progress?.save, 'Pass an object with load() and save().')
  checkDetectors(detectors)
  requireFunction('raise', raise?.write, 'Pass a sink for the anomalies.')
  requireFunction('onUnstorable', onUnstorable, 'Pass a function, or leave it out.')
  requireTime({ clock, random })
  return {
    aggregates: { ...aggregates },
    read,
    progress,
    detectors: { ...detectors },
    raise,
    windowMs: whole('windowMs', options.windowMs ?? 60_000, 1),
    settleMs: whole('settleMs', options.settleMs ?? 300_000, 0),
    historyWindows: whole('historyWindows', options.historyWindows ?? DEFAULT_HISTORY_WINDOWS, 1),
    onUnstorable,
    clock,
    random,
  }
}

function warn<F>({ anomalyId }: Anomaly<F>, error: unknown): void {
  console.warn(
    `kinesis-processor: the anomaly ${anomalyId.slice(0, 300)} can never be stored, and is left out.`,
    error,
  )
}
