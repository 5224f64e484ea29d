import type { MetricDefinition, MetricUnit } from '@org/kinesis-core'
import type { MetricSeries, SeriesReading } from './monitor-source.js'

export interface MetricDatapoint {
  /** The start of the period, in milliseconds since the epoch. */
  timestampMs: number
  sum: number
  average: number
  maximum: number
  /** How many values were published in the period. */
  sampleCount: number
}

/** One metric over a window. */
export interface MetricSummary {
  metricName: string
  unit: MetricUnit
  /**
   * `reported`: there are data points, be they zero. `missing`: nothing was published, which says nothing about the value.
   * `partial` and `unread`: CloudWatch did not give all, or anything; ask again.
   */
  state: 'reported' | 'missing' | 'partial' | 'unread'
  /** Oldest first; periods without data have no point. */
  datapoints: MetricDatapoint[]
  /** Over the whole window; undefined without data points. */
  sum: number | undefined
  /** Of all values published in the window, not of the periods' averages. */
  average: number | undefined
  maximum: number | undefined
}

/** Average is Sum over SampleCount by CloudWatch's definition, so three series give all four. */
const STATISTICS = ['Sum', 'Maximum', 'SampleCount'] as const
export const SERIES_PER_SUMMARY = STATISTICS.length

export function summarySeries(
  metric: MetricDefinition,
  dimensions: Readonly<Record<string, string>>,
): MetricSeries[] {
  return STATISTICS.map((statistic) => ({
    namespace: metric.namespace,
    name: metric.name,
    dimensions,
    statistic,
  }))
}

/** Puts the three readings of `summarySeries` together. */
export function summarize(metric: MetricDefinition, readings: readonly SeriesReading[]): MetricSummary {
  const [sums, maxima, counts] = readings
  const maximumAt = valuesByTime(maxima)
  const countAt = valuesByTime(counts)
  const datapoints: MetricDatapoint[] = []
  for (const { timestampMs, value: sum } of sums?.points ?? []) {
    const maximum = maximumAt.get(timestampMs)
    const sampleCount = countAt.get(timestampMs)
    // A period that only some of the series have is one that was not read to the end.
    if (maximum === undefined || sampleCount === undefined || sampleCount === 0) continue
    datapoints.push({ timestampMs, sum, average: sum / sampleCount, maximum, sampleCount })
  }
  const hasPoints = datapoints.length > 0
  const sum = datapoints.reduce((total, point) => total + point.sum, 0)
  const sampleCount = datapoints.reduce((total, point) => total + point.sampleCount, 0)
  return {
    metricName: metric.name,
    unit: metric.unit,
    state: stateOf(readings, hasPoints),
    datapoints,
    sum: hasPoints ? sum : undefined,
    average: hasPoints ? sum / sampleCount : undefined,
    maximum: hasPoints
      ? datapoints.reduce((top, point) => Math.max(top, point.maximum), -Infinity)
      : undefined,
  }
}

export function stateOf(readings: readonly SeriesReading[], hasPoints: boolean): MetricSummary['state'] {
  if (readings.every((reading) => reading.state === 'complete')) return hasPoints ? 'reported' : 'missing'
  return hasPoints ? 'partial' : 'unread'
}

function valuesByTime(reading: SeriesReading | undefined): Map<number, number> {
  return new Map(reading?.points.map((point) => [point.timestampMs, point.value]))
}
