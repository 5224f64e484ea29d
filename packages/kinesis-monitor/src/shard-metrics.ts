import { MAX_HASH_KEY, type MetricStatistic, type MetricUnit, shardMetrics } from '@org/kinesis-core'
import { type MetricSummary, stateOf } from './metric-summary.js'
import type { MetricWindow } from './metric-window.js'
import type {
  CallOptions,
  MetricPoint,
  MonitorSource,
  SeriesReading,
  ShardDescription,
} from './monitor-source.js'

/** Core's names for the metrics that Kinesis publishes per shard: `incomingRecords`, `outgoingBytes`, ... */
export type ShardMetricName = keyof typeof shardMetrics

export const SHARD_METRIC_NAMES = Object.keys(shardMetrics) as ShardMetricName[]

export interface ShardMetric {
  metricName: string
  unit: MetricUnit
  /** The statistic that the points and `value` carry: Sum, or Maximum for the iterator age. */
  statistic: MetricStatistic
  state: MetricSummary['state']
  points: MetricPoint[]
  /** Over the whole window; undefined without points. */
  value: number | undefined
}

export interface ShardReport {
  shardId: string
  /** A closed shard takes no more records; it is still read until its consumers are through. */
  state: 'open' | 'closed'
  parentShardIds: readonly string[]
  /** Decimal, as in the Kinesis API; both ends belong to the shard. */
  hashKeyRange: { startingHashKey: string; endingHashKey: string }
  /** The shard's part of the whole key space, from 0 to 1. */
  keySpaceShare: number
  metrics: Partial<Record<ShardMetricName, ShardMetric>>
}

export interface ShardMetrics extends MetricWindow {
  streamName: string
  /** Open shards first, each group in the order of the key space. */
  shards: ShardReport[]
  complete: boolean
  /** Why it is not complete; and where there is no data at all, what to switch on. */
  problems: string[]
}

/** All shards with their metrics: one ListShards per 1,000 shards, one GetMetricData per 500 series. */
export async function readShardMetrics(
  source: MonitorSource,
  streamName: string,
  window: MetricWindow,
  selection: { metrics: readonly ShardMetricName[]; includeClosed: boolean },
  call?: CallOptions,
): Promise<ShardMetrics> {
  const listed = await source.listShards(streamName, call)
  const shards = listed.filter((shard) => selection.includeClosed || shard.state === 'open').sort(byKeySpace)
  const series = shards.flatMap((shard) =>
    selection.metrics.map((name) => ({
      namespace: shardMetrics[name].namespace,
      name: shardMetrics[name].name,
      dimensions: { StreamName: streamName, ShardId: shard.shardId },
      statistic: shardMetrics[name].statistic,
    })),
  )
  const { readings, complete, problems } = await source.readMetrics({ ...window, series }, call)
  const reports = shards.map((shard, index) => {
    const first = index * selection.metrics.length
    const metrics = selection.metrics.map((name, offset) => [
      name,
      toShardMetric(name, readings[first + offset]),
    ])
    return toReport(shard, Object.fromEntries(metrics))
  })
  const silent = complete && readings.every((reading) => reading.points.length === 0)
  return {
    streamName,
    ...window,
    shards: reports,
    complete,
    problems: silent ? [...problems, noShardMetrics(streamName)] : problems,
  }
}

function noShardMetrics(streamName: string): string {
  return (
    'No shard metrics in this window: the stream is idle, or shard-level metrics are off. ' +
    `Switch them on: aws kinesis enable-enhanced-monitoring --stream-name ${streamName} --shard-level-metrics ALL`
  )
}

function toShardMetric(name: ShardMetricName, reading: SeriesReading | undefined): ShardMetric {
  const { name: metricName, unit, statistic } = shardMetrics[name]
  const points = reading?.points ?? []
  const state = stateOf([reading ?? { points, state: 'unread' }], points.length > 0)
  return { metricName, unit, statistic, state, points, value: overWindow(statistic, points) }
}

function overWindow(statistic: MetricStatistic, points: readonly MetricPoint[]): number | undefined {
  if (points.length === 0) return undefined
  if (statistic === 'Sum') return points.reduce((total, point) => total + point.value, 0)
  return points.reduce((top, point) => Math.max(top, point.value), -Infinity)
}

function toReport(shard: ShardDescription, metrics: ShardReport['metrics']): ShardReport {
  const width = shard.endingHashKey - shard.startingHashKey + 1n
  return {
    shardId: shard.shardId,
    state: shard.state,
    parentShardIds: shard.parentShardIds,
    hashKeyRange: {
      startingHashKey: shard.startingHashKey.toString(),
      endingHashKey: shard.endingHashKey.toString(),
    },
    keySpaceShare: Number(width) / Number(MAX_HASH_KEY + 1n),
    metrics,
  }
}

function byKeySpace(a: ShardDescription, b: ShardDescription): number {
  if (a.state !== b.state) return a.state === 'open' ? -1 : 1
  if (a.startingHashKey !== b.startingHashKey) return a.startingHashKey < b.startingHashKey ? -1 : 1
  return a.shardId < b.shardId ? -1 : 1
}
