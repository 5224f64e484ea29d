import type { MetricStatistic, MetricUnit } from '@org/kinesis-core'

/**
 * Everything that the monitor knows about the world. One implementation speaks the public APIs (`awsMonitorSource`), on AWS and
 * against local endpoints; a program that has the facts elsewhere can bring its own. Every method throws `StreamingError`s.
 */
export interface MonitorSource {
  describeStream(streamName: string, options?: CallOptions): Promise<StreamDescription>
  /** All shards of the stream, open and closed, as long as the stream keeps them. */
  listShards(streamName: string, options?: CallOptions): Promise<ShardDescription[]>
  /** The readings stand in the order of `request.series`. What could not be read is marked, and does not throw. */
  readMetrics(request: MetricRequest, options?: CallOptions): Promise<MetricReadings>
  publishMetrics(namespace: string, data: readonly PublishedMetric[], options?: CallOptions): Promise<void>
  /** A shard iterator at `position`. */
  openShard(
    streamName: string,
    shardId: string,
    position: ShardPosition,
    options?: CallOptions,
  ): Promise<string>
  /** One GetRecords call, never repeated by itself: the caller counts the reads of a shard. */
  readShard(streamName: string, iterator: string, limit: number, options?: CallOptions): Promise<ShardRead>
  /** Frees the connections that the source opened itself. */
  close(): void
}

export interface CallOptions {
  signal?: AbortSignal | undefined
}

export interface StreamDescription {
  streamName: string
  streamArn: string
  status: 'CREATING' | 'DELETING' | 'ACTIVE' | 'UPDATING'
  mode: 'PROVISIONED' | 'ON_DEMAND'
  retentionMs: number
  openShardCount: number
  /** Enhanced fan-out consumers; consumers that poll with GetRecords are unknown to the service. */
  registeredConsumerCount: number
}

export interface ShardDescription {
  shardId: string
  /** The one it was split from, or the two it was merged from; empty for the first shards of a stream. */
  parentShardIds: readonly string[]
  startingHashKey: bigint
  endingHashKey: bigint
  /** A closed shard takes no more records, and is kept until its last record is past the retention. */
  state: 'open' | 'closed'
}

export interface MetricSeries {
  namespace: string
  name: string
  dimensions: Readonly<Record<string, string>>
  statistic: MetricStatistic
}

export interface MetricRequest {
  series: readonly MetricSeries[]
  /** Inclusive. */
  startMs: number
  /** Exclusive. */
  endMs: number
  periodSeconds: number
}

export interface MetricPoint {
  /** The start of the period, in milliseconds since the epoch. */
  timestampMs: number
  value: number
}

export interface SeriesReading {
  /** Oldest first. None at all in a `complete` reading means that nothing was published, which is not zero. */
  points: MetricPoint[]
  /** `partial`: some points may be missing; `unread`: the call failed. */
  state: 'complete' | 'partial' | 'unread'
}

export interface MetricReadings {
  readings: SeriesReading[]
  /** True where every series was read to its end. */
  complete: boolean
  /** Why not, one line each. */
  problems: string[]
}

export interface PublishedMetric {
  name: string
  value: number
  unit: MetricUnit | 'None' | (string & {})
  dimensions: Readonly<Record<string, string>>
  timestampMs: number
}

export type ShardPosition =
  | { type: 'LATEST' }
  | { type: 'TRIM_HORIZON' }
  | { type: 'AT_TIMESTAMP'; timestampMs: number }
  | { type: 'AFTER_SEQUENCE_NUMBER'; sequenceNumber: string }

export interface ShardRecord {
  sequenceNumber: string
  partitionKey: string
  data: Uint8Array
  arrivalMs: number
}

export interface ShardRead {
  records: ShardRecord[]
  /** Undefined at the end of a closed shard. */
  nextIterator: string | undefined
  millisBehindLatest: number
  /** At the end of a closed shard: the shards that take over its keys. */
  childShards: { shardId: string; parentShardIds: readonly string[] }[]
}
