import { consumerMetrics, type MetricDefinition, shardMetrics, streamMetrics } from '@org/kinesis-core'
import type { MetricSink } from '../service.js'
import type { Stream } from './stream.js'

/** Publishes what Kinesis publishes to CloudWatch: per stream always, per shard where enhanced monitoring is on. */
export class KinesisMetrics {
  constructor(private readonly sink: MetricSink | undefined) {}

  stream(stream: Stream, metric: keyof typeof streamMetrics, value: number, nowMs: number): void {
    this.#put(streamMetrics[metric], { StreamName: stream.settings.name }, value, nowMs)
  }

  shard(
    stream: Stream,
    shardId: string,
    metric: keyof typeof shardMetrics,
    value: number,
    nowMs: number,
  ): void {
    const definition = shardMetrics[metric]
    if (!stream.shardLevelMetrics.has(definition.name)) return
    this.#put(definition, { StreamName: stream.settings.name, ShardId: shardId }, value, nowMs)
  }

  consumerSubscribed(stream: Stream, consumer: string, success: boolean, nowMs: number): void {
    this.#consumer(stream, consumer, 'subscribeSuccess', success ? 1 : 0, nowMs)
  }

  /** What one event brought to a consumer of enhanced fan-out. */
  consumerRead(
    stream: Stream,
    consumer: string,
    records: number,
    bytes: number,
    behindMs: number,
    nowMs: number,
  ): void {
    this.#consumer(stream, consumer, 'records', records, nowMs)
    this.#consumer(stream, consumer, 'bytes', bytes, nowMs)
    this.#consumer(stream, consumer, 'millisBehindLatest', behindMs, nowMs)
  }

  #consumer(
    stream: Stream,
    consumer: string,
    metric: keyof typeof consumerMetrics,
    value: number,
    nowMs: number,
  ): void {
    const dimensions = { StreamName: stream.settings.name, ConsumerName: consumer }
    this.#put(consumerMetrics[metric], dimensions, value, nowMs)
  }

  #put(
    { namespace, name, unit }: MetricDefinition,
    dimensions: Record<string, string>,
    value: number,
    timestampMs: number,
  ): void {
    this.sink?.put({ namespace, name, dimensions, value, unit, timestampMs })
  }
}
