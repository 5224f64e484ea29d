import { InvalidOptionError, refuseUnknownOptions } from '@org/kinesis-core'
import { requireFunction, whole } from '../option-checks.js'
import type { MergedWindow } from '../windows/window-partial.js'
import type { AnomalyDetector } from './detect-anomalies.js'

export interface RobustZScoreOptions<A> {
  /** What is watched of a window; undefined, or a number that is not finite, leaves the window out, also of the history. */
  value: (window: MergedWindow<A>) => number | null | undefined
  /** A value is unusual whose score is further from 0. @default 3.5, as Iglewicz and Hoaglin recommend ("How to Detect and Handle Outliers", 1993) */
  threshold?: number
  /** With fewer windows in its history none is unusual. @default 10 */
  minimumHistory?: number
  /**
   * A deviation below this is taken for it, in the unit of the value, above 0. Without a floor a key that is always the same would be unusual at
   * its first small change. @default a tenth of the median, or 1 where that is 0
   */
  minimumDeviation?: number
}

/** How far a value is from what is usual for its key. */
export interface UnusualValue {
  value: number
  /** Of the history. */
  median: number
  /** The spread of the history in the place of a standard deviation: 1.4826 times the median absolute deviation, or its floor. */
  deviation: number
  /** `(value - median) / deviation` */
  score: number
}

/** For a normal distribution the median absolute deviation times this is the standard deviation. */
const MAD_TO_DEVIATION = 1.4826

/**
 * A z-score from median and median absolute deviation, which the anomalies in the history hardly move: half of it may be unusual.
 *
 * @throws InvalidOptionError for options that cannot work
 */
export function robustZScore<A>(options: RobustZScoreOptions<A>): AnomalyDetector<A, UnusualValue> {
  refuseUnknownOptions(options, ['value', 'threshold', 'minimumHistory', 'minimumDeviation'])
  const { value: watched, minimumDeviation } = options
  requireFunction('value', watched, 'Pass a function from a merged window to the number to watch.')
  const threshold = positive('threshold', options.threshold ?? 3.5)
  const minimumHistory = whole('minimumHistory', options.minimumHistory ?? 10, 1)
  if (minimumDeviation !== undefined) positive('minimumDeviation', minimumDeviation)
  return {
    observe(window, history) {
      const value = watched(window)
      if (!isUsable(value)) return undefined
      const known = history.map(watched).filter(isUsable)
      if (known.length < minimumHistory) return undefined
      const median = medianOf(known)
      const spread = MAD_TO_DEVIATION * medianOf(known.map((of) => Math.abs(of - median)))
      const deviation = Math.max(spread, minimumDeviation ?? (Math.abs(median) / 10 || 1))
      const score = (value - median) / deviation
      return Math.abs(score) > threshold ? { value, median, deviation, score } : undefined
    },
  }
}

function positive(option: string, value: number): number {
  if (Number.isFinite(value) && value > 0) return value
  throw new InvalidOptionError(option, value, 'Give a number above 0.')
}

function isUsable(value: number | null | undefined): value is number {
  return Number.isFinite(value)
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
