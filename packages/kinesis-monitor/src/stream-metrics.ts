import { streamMetrics } from '@org/kinesis-core'
import { type MetricSummary, SERIES_PER_SUMMARY, summarize, summarySeries } from './metric-summary.js'
import type { MetricWindow } from './metric-window.js'
import type { CallOptions, MetricSeries, MonitorSource, SeriesReading } from './monitor-source.js'

/** Core's names for the metrics that Kinesis publishes per stream: `incomingRecords`, `iteratorAge`, ... */
export type StreamMetricName = keyof typeof streamMetrics

export interface StreamMetrics extends MetricWindow {
  streamName: string
  metrics: Record<StreamMetricName, MetricSummary>
  /** False where CloudWatch did not give everything; `problems` says why. */
  complete: boolean
  problems: string[]
}

const NAMES = Object.keys(streamMetrics) as StreamMetricName[]

/** Every metric of the stream, in one GetMetricData call (45 series of the 500 that one may hold). */
export async function readStreamMetrics(
  source: MonitorSource,
  streamName: string,
  window: MetricWindow,
  call?: CallOptions,
): Promise<StreamMetrics> {
  const request = { ...window, series: streamMetricSeries(streamName) }
  const { readings, complete, problems } = await source.readMetrics(request, call)
  return { streamName, ...window, metrics: toStreamMetrics(readings), complete, problems }
}

export function streamMetricSeries(streamName: string): MetricSeries[] {
  return NAMES.flatMap((name) => summarySeries(streamMetrics[name], { StreamName: streamName }))
}

/** `readings` are those of `streamMetricSeries`, in its order; more may follow. */
export function toStreamMetrics(readings: readonly SeriesReading[]): Record<StreamMetricName, MetricSummary> {
  const summaries = NAMES.map((name, index) => {
    const first = index * SERIES_PER_SUMMARY
    return [name, summarize(streamMetrics[name], readings.slice(first, first + SERIES_PER_SUMMARY))] as const
  })
  return Object.fromEntries(summaries) as Record<StreamMetricName, MetricSummary>
}
