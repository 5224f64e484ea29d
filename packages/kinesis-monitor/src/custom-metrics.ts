import type { StandardUnit } from '@aws-sdk/client-cloudwatch'
import { InvalidOptionError, StreamingError } from '@org/kinesis-core'
import type { CallOptions, MonitorSource, PublishedMetric } from './monitor-source.js'

/** Where the custom metrics go. */
export const CUSTOM_NAMESPACE = 'KinesisCustom'

export interface CustomMetric {
  /** 1 to 255 characters. */
  name: string
  value: number
  /** One of CloudWatch's units. @default 'Count' */
  unit?: StandardUnit | undefined
  /** At most 30, name and value not empty. @default none */
  dimensions?: Readonly<Record<string, string>> | undefined
  /** When it was measured: at most two weeks back and two hours ahead. @default now */
  timestamp?: Date | undefined
}

/** Some requests were taken before one failed: `published` metrics, from the front of the list, are in CloudWatch. */
export class PartiallyPublishedError extends StreamingError {
  override name = 'PartiallyPublishedError'
  readonly published: number
  readonly total: number

  constructor(published: number, total: number, cause: StreamingError) {
    super(`Only the first ${published} of ${total} metrics were published. ${cause.message}`, {
      code: 'PARTIALLY_PUBLISHED',
      retryable: cause.retryable,
      cause,
    })
    this.published = published
    this.total = total
  }
}

/** Metrics of one PutMetricData request (CloudWatch API reference). */
const MAX_METRICS = 1_000
/** A request may weigh 1 MB; the margin is for the envelope. */
const MAX_REQUEST_BYTES = 1_000_000 - 10_000
const MAX_DIMENSIONS = 30
/** CloudWatch refuses anything beyond, and what is not a number. */
const MAX_MAGNITUDE = 2 ** 360
const HOUR_MS = 3_600_000

/** Publishes all of them in as few requests as the limits allow, and returns how many requests it took. */
export async function publishCustomMetrics(
  source: MonitorSource,
  metrics: readonly CustomMetric[],
  nowMs: number,
  call?: CallOptions,
): Promise<number> {
  const batches = batchMetrics(metrics.map((metric, index) => resolveMetric(metric, index, nowMs)))
  let published = 0
  for (const batch of batches) {
    try {
      await source.publishMetrics(CUSTOM_NAMESPACE, batch, call)
    } catch (error) {
      if (published === 0 || !StreamingError.isInstance(error)) throw error
      throw new PartiallyPublishedError(published, metrics.length, error)
    }
    published += batch.length
  }
  return batches.length
}

export function batchMetrics(metrics: readonly PublishedMetric[]): PublishedMetric[][] {
  const batches: PublishedMetric[][] = []
  let batch: PublishedMetric[] = []
  let bytes = 0
  for (const metric of metrics) {
    const size = requestBytes(metric)
    if (batch.length === MAX_METRICS || bytes + size > MAX_REQUEST_BYTES) {
      batches.push(batch)
      batch = []
      bytes = 0
    }
    batch.push(metric)
    bytes += size
  }
  if (batch.length > 0) batches.push(batch)
  return batches
}

/** What the metric weighs in the JSON request, never less: member names are counted generously. */
function requestBytes(metric: PublishedMetric): number {
  let bytes = 150 + 3 * metric.name.length
  for (const [name, value] of Object.entries(metric.dimensions)) {
    bytes += 30 + Buffer.byteLength(JSON.stringify(name)) + Buffer.byteLength(JSON.stringify(value))
  }
  return bytes
}

function resolveMetric(metric: CustomMetric, index: number, nowMs: number): PublishedMetric {
  const { name, value, unit = 'Count', dimensions = {}, timestamp } = metric
  const refuse = (field: string, found: unknown, remedy: string): never => {
    throw new InvalidOptionError(`metrics[${index}].${field}`, found, remedy)
  }
  if (name.length < 1 || name.length > 255) refuse('name', name, 'Use 1 to 255 characters.')
  if (!(Math.abs(value) <= MAX_MAGNITUDE)) refuse('value', value, 'Use a number between -2^360 and 2^360.')
  const entries = Object.entries(dimensions)
  if (entries.length > MAX_DIMENSIONS) {
    refuse('dimensions', dimensions, `Use at most ${MAX_DIMENSIONS}; it has ${entries.length}.`)
  }
  for (const [key, text] of entries) {
    if (key.trim() === '' || key.length > 255 || key.startsWith(':')) {
      refuse('dimensions', key, 'A name has 1 to 255 characters and does not begin with a colon.')
    }
    if (text.trim() === '' || text.length > 1024)
      refuse(`dimensions.${key}`, text, 'Use 1 to 1024 characters.')
  }
  const timestampMs = timestamp?.getTime() ?? nowMs
  if (!(timestampMs >= nowMs - 14 * 24 * HOUR_MS && timestampMs <= nowMs + 2 * HOUR_MS)) {
    refuse('timestamp', String(timestamp), 'Use at most two weeks back and two hours ahead.')
  }
  return { name, value, unit, dimensions, timestampMs }
}
