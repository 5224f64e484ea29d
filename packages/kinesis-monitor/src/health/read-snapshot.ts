import { deliveryMetrics, functionMetrics, type MetricDefinition } from '@org/kinesis-core'
import { SERIES_PER_SUMMARY, summarize, summarySeries } from '../metric-summary.js'
import type { MetricWindow } from '../metric-window.js'
import type { CallOptions, MetricSeries, MonitorSource, SeriesReading } from '../monitor-source.js'
import { streamMetricSeries, toStreamMetrics } from '../stream-metrics.js'
import type { StreamNeighbours } from '../stream-neighbours.js'
import type { HealthSnapshot } from './health-snapshot.js'

export interface SnapshotRequest {
  streamName: string
  neighbours: StreamNeighbours
  window: MetricWindow
  takenAtMs: number
  /** Undefined: counted from the topology and the registered consumers. */
  consumers: number | undefined
  cliSuffix: string
}

const FUNCTION_METRICS = ['invocations', 'errors', 'throttles', 'iteratorAge'] as const
const DELIVERY_METRICS = ['dataFreshness', 'deliverySuccess'] as const

/** Reads everything that the rules need: one DescribeStreamSummary, and one GetMetricData for the stream and all around it. */
export async function readHealthSnapshot(
  source: MonitorSource,
  request: SnapshotRequest,
  call?: CallOptions,
): Promise<HealthSnapshot> {
  const { streamName, neighbours, window, takenAtMs, cliSuffix } = request
  const series = [
    ...streamMetricSeries(streamName),
    ...neighbours.functions.flatMap(({ name }) =>
      seriesOf(functionMetrics, FUNCTION_METRICS, { FunctionName: name }),
    ),
    ...neighbours.deliveryStreams.flatMap((name) =>
      seriesOf(deliveryMetrics, DELIVERY_METRICS, { DeliveryStreamName: name }),
    ),
  ]
  // One after the other: a missing stream or a denied call is told of the stream first, always the same way.
  const stream = await source.describeStream(streamName, call)
  const { readings, complete, problems } = await source.readMetrics({ ...window, series }, call)

  let next = streamMetricSeries(streamName).length
  const take = <K extends string>(catalogue: Record<K, MetricDefinition>, names: readonly K[]) =>
    Object.fromEntries(
      names.map((name) => {
        const summary = summarize(catalogue[name], slice(readings, next))
        next += SERIES_PER_SUMMARY
        return [name, summary]
      }),
    ) as Record<K, ReturnType<typeof summarize>>
  const functions = neighbours.functions.map((one) => ({
    ...one,
    ...take<(typeof FUNCTION_METRICS)[number]>(functionMetrics, FUNCTION_METRICS),
  }))
  const deliveryStreams = neighbours.deliveryStreams.map((name) => ({
    name,
    ...take<(typeof DELIVERY_METRICS)[number]>(deliveryMetrics, DELIVERY_METRICS),
  }))
  return {
    takenAtMs,
    window,
    stream,
    metrics: toStreamMetrics(readings),
    functions,
    deliveryStreams,
    // Whoever has a registered consumer does not poll; who that is, the service does not tell by function.
    pollingConsumers: request.consumers ?? Math.max(0, neighbours.readers - stream.registeredConsumerCount),
    complete,
    problems,
    cliSuffix,
  }
}

function seriesOf<K extends string>(
  catalogue: Record<K, MetricDefinition>,
  names: readonly K[],
  dimensions: Record<string, string>,
): MetricSeries[] {
  return names.flatMap((name) => summarySeries(catalogue[name], dimensions))
}

function slice(readings: readonly SeriesReading[], first: number): SeriesReading[] {
  return readings.slice(first, first + SERIES_PER_SUMMARY)
}
