import { InvalidOptionError, refuseUnknownOptions } from '@org/kinesis-core'
import {
  type MappingSettings,
  type ResolvedMappingSettings,
  resolveMappingSettings,
} from '@org/kinesis-core/event-source-mapping'
import type { LocalFunction } from '../function/local-function.js'
import { checkedOnFailure, type OnFailure } from './failure-destination.js'
import type { StartingPoint } from './shard-reader.js'

/** As for CreateEventSourceMapping, durations in milliseconds. */
export interface EventSourceMappingOptions extends Omit<MappingSettings, 'maximumPayloadBytes'> {
  streamName: string
  function: LocalFunction
  /**
   * ARN of a consumer of the stream, as RegisterStreamConsumer gives it: records are pushed to the mapping by enhanced fan-out, and
   * aggregates of KPL come unpacked. @default none: the mapping polls
   */
  consumerArn?: string | undefined
  /**
   * LATEST misses what is put until the mapping has looked at the stream. A time, in milliseconds since the epoch, begins with the first
   * record that arrived then or later, at the oldest one where it is before the trim horizon; it cannot be in the future.
   * @default 'TRIM_HORIZON'
   */
  startingPosition?: StartingPoint
  /**
   * `{ folder }` stands for an S3 bucket and keeps the records: a JSON document with the whole event for each batch that is discarded.
   * `{ queue }` (name, URL or ARN) and `{ topic }` (name or ARN) get positions alone, as in AWS. @default none: discarded batches are gone
   */
  onFailure?: OnFailure | undefined
  /**
   * What becomes of a batch that the failure destination does not take, which the service's documents leave open: `retry` holds the
   * shard up until it does, `drop` loses the batch and goes on. @default 'retry'
   */
  failedDelivery?: 'retry' | 'drop'
  /** As MetricsConfig: `EventCount` publishes how many records were polled, filtered out, invoked with, dropped. @default [] */
  metrics?: readonly 'EventCount'[]
  /** Between reads of a shard at its tip; behind it, reads follow at once. Milliseconds. @default 1_000 */
  pollIntervalMs?: number
}

export interface ResolvedEventSourceMappingOptions {
  streamName: string
  function: LocalFunction
  consumerArn: string | undefined
  startingPosition: StartingPoint
  onFailure: OnFailure | undefined
  failedDelivery: 'retry' | 'drop'
  metrics: readonly 'EventCount'[]
  pollIntervalMs: number
  settings: ResolvedMappingSettings
}

/** As a record, so that the compiler asks for an option that is missing here. */
const KNOWN: Record<keyof EventSourceMappingOptions, true> = {
  streamName: true,
  function: true,
  consumerArn: true,
  startingPosition: true,
  filters: true,
  maximumFilters: true,
  batchSize: true,
  maximumBatchingWindowMs: true,
  parallelizationFactor: true,
  maximumRetryAttempts: true,
  maximumRecordAgeMs: true,
  bisectBatchOnFunctionError: true,
  reportBatchItemFailures: true,
  tumblingWindowMs: true,
  onFailure: true,
  metrics: true,
  pollIntervalMs: true,
  retryBackoff: true,
  partialProgressResetsRetries: true,
  bisectWithoutProgress: true,
  windowStateAfterPartialFailure: true,
  idleWindowDelayMs: true,
  oversizedRecords: true,
  expiredRecords: true,
  failedDelivery: true,
}

export const eventSourceMappingOptionNames: readonly string[] = Object.keys(KNOWN)

export function resolveEventSourceMappingOptions(
  options: EventSourceMappingOptions,
  nowMs: number,
): ResolvedEventSourceMappingOptions {
  refuseUnknownOptions(options, eventSourceMappingOptionNames)
  const { streamName, startingPosition = 'TRIM_HORIZON', onFailure, pollIntervalMs = 1_000 } = options
  const { failedDelivery = 'retry', metrics = [] } = options
  if (failedDelivery !== 'retry' && failedDelivery !== 'drop') {
    throw new InvalidOptionError('failedDelivery', failedDelivery, 'Give retry or drop.')
  }
  return {
    streamName: checkedStreamName(streamName),
    function: checkedFunction(options.function),
    consumerArn: checkedConsumer(options.consumerArn, streamName),
    startingPosition: checkedPosition(startingPosition, nowMs),
    onFailure: onFailure === undefined ? undefined : checkedOnFailure(onFailure),
    failedDelivery,
    metrics: checkedMetrics(metrics),
    pollIntervalMs: checkedPollInterval(pollIntervalMs),
    settings: resolveMappingSettings(options),
  }
}

function checkedFunction(fn: LocalFunction): LocalFunction {
  if (typeof fn?.invoke === 'function') return fn
  throw new InvalidOptionError('function', fn, 'Pass what createFunction gave.')
}

function checkedMetrics(metrics: readonly 'EventCount'[]): readonly 'EventCount'[] {
  if (!Array.isArray(metrics)) throw new InvalidOptionError('metrics', metrics, "Give ['EventCount'], or [].")
  const strange = metrics.find((metric) => metric !== 'EventCount')
  if (strange !== undefined)
    throw new InvalidOptionError('metrics', strange, 'A mapping on Kinesis publishes EventCount alone.')
  return [...metrics]
}

function checkedConsumer(consumerArn: string | undefined, streamName: string): string | undefined {
  const stream = /^arn:aws[\w-]*:kinesis:[^:]+:\d{12}:stream\/([^/]+)\/consumer\/[^/:]+:\d+$/.exec(
    String(consumerArn),
  )?.[1]
  if (consumerArn === undefined || stream === streamName) return consumerArn
  throw new InvalidOptionError(
    'consumerArn',
    consumerArn,
    `Give the ARN of a consumer of the stream ${streamName}, as RegisterStreamConsumer gives it.`,
  )
}

export function checkedPosition(position: StartingPoint, nowMs: number): StartingPoint {
  if (position === 'TRIM_HORIZON' || position === 'LATEST') return position
  if (typeof position !== 'object' || position === null) {
    throw new InvalidOptionError(
      'startingPosition',
      position,
      'Give TRIM_HORIZON, LATEST, or { atTimestampMs } for AT_TIMESTAMP.',
    )
  }
  const { atTimestampMs } = position
  if (!Number.isFinite(atTimestampMs) || atTimestampMs < 0 || atTimestampMs > nowMs) {
    throw new InvalidOptionError(
      'startingPosition.atTimestampMs',
      atTimestampMs,
      'Give milliseconds since the epoch, not in the future.',
    )
  }
  return { atTimestampMs }
}

export function checkedStreamName(streamName: string): string {
  if (typeof streamName !== 'string' || !/^[a-zA-Z0-9_.-]{1,128}$/.test(streamName)) {
    throw new InvalidOptionError('streamName', streamName, 'Give the name of a stream.')
  }
  return streamName
}

export function checkedPollInterval(pollIntervalMs: number): number {
  if (!Number.isFinite(pollIntervalMs) || pollIntervalMs < 1 || pollIntervalMs > 60_000) {
    throw new InvalidOptionError('pollIntervalMs', pollIntervalMs, 'Give milliseconds from 1 to 60000.')
  }
  return pollIntervalMs
}
