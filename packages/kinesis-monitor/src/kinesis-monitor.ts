import { InvalidOptionError, refuseUnknownOptions } from '@org/kinesis-core'
import { type CustomMetric, publishCustomMetrics } from './custom-metrics.js'
import { assessHealth, type StreamHealth } from './health/assess-health.js'
import { type HealthThresholds, resolveHealthThresholds } from './health/health-thresholds.js'
import { readHealthSnapshot } from './health/read-snapshot.js'
import { type MetricWindowOptions, metricWindow } from './metric-window.js'
import {
  type KinesisMonitorOptions,
  type ResolvedKinesisMonitorOptions,
  resolveKinesisMonitorOptions,
} from './monitor-options.js'
import {
  readShardMetrics,
  SHARD_METRIC_NAMES,
  type ShardMetricName,
  type ShardMetrics,
} from './shard-metrics.js'
import { readStreamMetrics, type StreamMetrics } from './stream-metrics.js'
import { StreamTail } from './tail/stream-tail.js'
import { resolveTailOptions, type TailOptions, tailOptionNames } from './tail/tail-options.js'

export interface StreamMetricsOptions extends MetricWindowOptions {
  signal?: AbortSignal | undefined
}

export interface ShardMetricsOptions extends MetricWindowOptions {
  /** Which metrics; each costs one series per shard. @default all seven */
  metrics?: readonly ShardMetricName[] | undefined
  /** Also the shards that take no more records. @default true */
  includeClosed?: boolean | undefined
  signal?: AbortSignal | undefined
}

export interface StreamHealthOptions extends MetricWindowOptions {
  /**
   * How many consumers poll the stream with GetRecords: Lambda mappings without enhanced fan-out, Firehose, KCL, tails. Each
   * reads every record, so outgoing is this many times incoming when all keep up. Too low a number hides lag.
   * @default the readers in the topology (1 without one), less the registered enhanced fan-out consumers
   */
  consumers?: number | undefined
  thresholds?: HealthThresholds | undefined
  signal?: AbortSignal | undefined
}

/** Watches one stream. Holds no state but connections; every method reads afresh and throws `StreamingError`s. */
export class KinesisMonitor {
  readonly streamName: string
  readonly #options: ResolvedKinesisMonitorOptions

  constructor(options: KinesisMonitorOptions) {
    this.#options = resolveKinesisMonitorOptions(options)
    this.streamName = this.#options.streamName
  }

  /** Sum, average and maximum per period of every metric that Kinesis publishes for the stream. Looks 5 minutes back by default. */
  async getStreamMetrics(options: StreamMetricsOptions = {}): Promise<StreamMetrics> {
    const { source, clock } = this.#options
    const window = metricWindow(options, 5, clock.now())
    return readStreamMetrics(source, this.streamName, window, { signal: options.signal })
  }

  /** The metrics of every shard, with its hash key range. Looks 5 minutes back by default. */
  async getShardMetrics(options: ShardMetricsOptions = {}): Promise<ShardMetrics> {
    const { source, clock } = this.#options
    const { metrics = SHARD_METRIC_NAMES, includeClosed = true, signal } = options
    const unknown = metrics.find((name) => !SHARD_METRIC_NAMES.includes(name))
    if (unknown !== undefined) {
      throw new InvalidOptionError('metrics', unknown, `Use ${SHARD_METRIC_NAMES.join(', ')}.`)
    }
    const window = metricWindow(options, 5, clock.now())
    return readShardMetrics(source, this.streamName, window, { metrics, includeClosed }, { signal })
  }

  /** Publishes one metric in namespace `KinesisCustom`. Many at a time are cheaper with `putCustomMetrics`. */
  async putCustomMetric(
    name: string,
    value: number,
    options: Omit<CustomMetric, 'name' | 'value'> = {},
  ): Promise<void> {
    await this.putCustomMetrics([{ ...options, name, value }])
  }

  /** Publishes metrics in namespace `KinesisCustom`, 1,000 per request. All are checked before the first is sent. */
  async putCustomMetrics(
    metrics: readonly CustomMetric[],
    options: { signal?: AbortSignal } = {},
  ): Promise<void> {
    await publishCustomMetrics(this.#options.source, metrics, this.#options.clock.now(), options)
  }

  /** Judges the last 15 minutes by default: two API calls, however many functions and delivery streams the topology names. */
  async checkStreamHealth(options: StreamHealthOptions = {}): Promise<StreamHealth> {
    const { source, clock, neighbours, cliSuffix } = this.#options
    const { consumers, signal } = options
    if (consumers !== undefined && !(Number.isInteger(consumers) && consumers >= 0)) {
      throw new InvalidOptionError('consumers', consumers, 'Use a whole number, 0 where nobody polls.')
    }
    const thresholds = resolveHealthThresholds(options.thresholds)
    const takenAtMs = clock.now()
    const window = metricWindow(options, 15, takenAtMs)
    const request = { streamName: this.streamName, neighbours, window, takenAtMs, consumers, cliSuffix }
    return assessHealth(await readHealthSnapshot(source, request, { signal }), thresholds)
  }

  /** The records of all shards as they come; see `tailStream`. */
  followStream(options: TailOptions = {}): StreamTail {
    refuseUnknownOptions(options, tailOptionNames)
    const { source, clock } = this.#options
    return new StreamTail(this.streamName, resolveTailOptions(options, clock.now()), { source, clock })
  }

  /** Closes the connections that the monitor opened itself. End the tails first. */
  close(): void {
    this.#options.closeSource()
  }
}
