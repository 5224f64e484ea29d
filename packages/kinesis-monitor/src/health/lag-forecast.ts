import type { MetricDatapoint } from '../metric-summary.js'

export interface LagForecast {
  /** The newest iterator age. */
  ageMs: number
  /** By how many ms the age changes per second; below zero the consumer catches up. */
  growthMsPerSecond: number
  /** When the age meets the retention, if it goes on growing so; 0 when it already has; undefined when it does not grow. */
  timeToLossMs: number | undefined
  /** When the consumer has caught up, if it goes on so; undefined when it does not catch up. */
  catchUpMs: number | undefined
}

/**
 * Where the lag is going: a line through the maxima of the window by least squares, so that one bad minute does not make the
 * forecast. Undefined without data points; with one point alone no growth can be told.
 */
export function forecastLag(
  points: readonly MetricDatapoint[],
  retentionMs: number,
): LagForecast | undefined {
  const newest = points.at(-1)
  if (newest === undefined) return undefined
  const ageMs = newest.maximum
  const growthMsPerSecond = slopePerSecond(points)
  const untilLossMs = Math.max(0, retentionMs - ageMs)
  const timeToLossMs =
    growthMsPerSecond > 0 || untilLossMs === 0 ? secondsToMs(untilLossMs / growthMsPerSecond) : undefined
  const catchUpMs = growthMsPerSecond < 0 ? secondsToMs(ageMs / -growthMsPerSecond) : undefined
  return { ageMs, growthMsPerSecond, timeToLossMs, catchUpMs }
}

function slopePerSecond(points: readonly MetricDatapoint[]): number {
  const mean = (values: number[]) => values.reduce((total, value) => total + value, 0) / values.length
  const meanTime = mean(points.map((point) => point.timestampMs))
  const meanAge = mean(points.map((point) => point.maximum))
  let covariance = 0
  let variance = 0
  for (const point of points) {
    const time = point.timestampMs - meanTime
    covariance += time * (point.maximum - meanAge)
    variance += time * time
  }
  return variance === 0 ? 0 : (covariance / variance) * 1_000
}

/** 0 / 0 is the retention met with no growth: the loss is now. */
function secondsToMs(seconds: number): number {
  return Number.isNaN(seconds) ? 0 : Math.round(Math.max(0, seconds) * 1_000)
}
