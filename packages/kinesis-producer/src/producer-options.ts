import { randomUUID } from 'node:crypto'
import type { KinesisClient, KinesisClientConfig } from '@aws-sdk/client-kinesis'
import {
  type Clock,
  InvalidOptionError,
  kinesisQuotas,
  type Random,
  refuseUnknownOptions,
  systemClock,
  systemRandom,
} from '@org/kinesis-core'
import { AwsSdkTransport } from './aws-sdk-transport.js'
import type { DeliveryQueueOptions } from './delivery-queue.js'
import type { ProducerLog } from './observability/producer-log.js'
import type { ProducerHooks } from './producer-hooks.js'
import type { PutRecordsTransport, StreamIdentity } from './put-records-transport.js'
import { type ResolvedSpoolOptions, resolveSpoolOptions, type SpoolOptions } from './spool/spool-options.js'

const MiB = 1024 * 1024
/** What a timer can count; it takes more for nothing. */
export const MAX_TIMER_MS = 2_147_483_647

export interface KinesisProducerOptions {
  /** The stream by name; this or `streamArn`. */
  streamName?: string
  /** The stream by ARN, also one of another account; its region is used unless `region` says otherwise. */
  streamArn?: string
  /** @default what the AWS SDK finds: AWS_REGION, the profile */
  region?: string
  /** Base URL of the service. @default what the AWS SDK finds: AWS_ENDPOINT_URL, the region's endpoint */
  endpoint?: string
  /** @default what the AWS SDK finds: environment, profile, role */
  credentials?: NonNullable<KinesisClientConfig['credentials']>
  /**
   * A client of your own instead of `region`, `endpoint` and `credentials`. Its retries are bypassed; its connections are its own
   * affair (the SDK's default opens one per request). It is not destroyed by `close`.
   */
  client?: KinesisClient
  /** Another way to the service instead of the AWS SDK, the service in process say. */
  transport?: PutRecordsTransport
  /**
   * `'none'`: fastest, records may overtake each other. `'per-key'`: records of one partition key are read in `put` order, for which
   * a key has one record in flight at a time. @default 'none'
   */
  ordering?: 'none' | 'per-key'
  /**
   * With `'per-key'`, when a record fails for good: go on with the next of its key, or fail all that follow it, and further puts of the
   * key, until `resumeKey`. @default 'continue'
   */
  onExpired?: 'continue' | 'halt-key'
  /** How long a record may wait for company, in milliseconds; 0 sends what was put in the same turn. @default 20 */
  lingerMs?: number
  /** Entries in one request, records or aggregates, 1 to 500. A full request is sent at once. @default 500 */
  maxBatchRecords?: number
  /** Data and partition keys in one request, in bytes, up to 10 MiB. A full request is sent at once. @default 2 MiB */
  maxBatchBytes?: number
  /** Data and partition key of one record, in bytes, up to 10 MiB. @default what the stream allows, which is asked when a record exceeds 1 MiB */
  maxRecordBytes?: number
  /**
   * Packs small records into aggregates of the KPL's format, as long as it is certain that the stream takes them. All consumers must unpack
   * them: KCL, Firehose, enhanced fan-out into Lambda and `@org/kinesis-processor` do. @default false
   */
  aggregation?: boolean | AggregationOptions
  /**
   * With `aggregation`: gives every record a tag with the producer's id and a number, the same each time that the record is sent, by which
   * `@org/kinesis-processor` tells a resend from another record; about 45 bytes a record, or less with a short id. A string, of at most 64
   * characters, is the id: no two producers, and no two lives of one, may have the same. True: a random one. Records that go alone have none.
   * @default false
   */
  tagRecords?: boolean | string
  /** Requests under way at once, 1 to 1,000; further ones wait. @default 8 */
  maxInFlightRequests?: number
  /**
   * Memory for records that have not settled, in bytes: data, partition keys, and 512 bytes for each record. When it is used up
   * `whenFull` decides. A single record is always taken. @default 64 MiB
   */
  maxBufferedBytes?: number
  /** What a put does when the buffer is full: wait for room (within `recordTtlMs`), or reject with `QueueFullError`. @default 'wait' */
  whenFull?: 'wait' | 'reject'
  /**
   * From `put` until a record is given up, in milliseconds. The default is longer than a full default buffer needs through a single
   * shard. @default 120_000
   */
  recordTtlMs?: number
  /** Requests that may carry a record before it is given up. @default Infinity, which leaves it to `recordTtlMs` */
  maxAttempts?: number
  /** Upper bound of the first retry's delay, in milliseconds; it doubles with every attempt, with full jitter. @default 100 */
  backoffBaseMs?: number
  /** Upper bound of every retry's delay, in milliseconds. @default 5_000 */
  backoffMaxMs?: number
  /** From sending a request to the end of its answer, in milliseconds; then it is aborted and retried. @default 10_000 */
  requestTimeoutMs?: number
  /**
   * Keeps every record on disk from its put until it is delivered, or its failure was told: what a process leaves behind, the next one with this
   * directory sends. Until that has been let in, puts wait and `enqueue` throws. @default none: records live in memory
   */
  spool?: SpoolOptions
  /** @default a clock that never goes back */
  clock?: Clock
  /** For jitter. @default Math.random */
  random?: Random
  hooks?: ProducerHooks
  /** Told what an operator should know, at most every ten seconds of each kind, and nothing of the records. @default none */
  log?: ProducerLog
}

export interface AggregationOptions {
  /** Size of an aggregate and its partition key, in bytes, 256 up to 1 MiB; it is closed before it would be larger. Larger records go alone. @default 51_200 */
  maxContainerBytes?: number
  /**
   * With `ordering: 'none'`: aggregates of one shard have this many partition keys, 1 to 64, chosen by the keys of their records; a
   * consumer that runs keys of a shard in parallel, as Lambda does, can use as many lanes. @default 4
   */
  keyBuckets?: number
}

/** As a record, so that the compiler asks for an option that is missing here. */
const KNOWN: Record<keyof KinesisProducerOptions, true> = {
  streamName: true,
  streamArn: true,
  region: true,
  endpoint: true,
  credentials: true,
  client: true,
  transport: true,
  ordering: true,
  onExpired: true,
  lingerMs: true,
  maxBatchRecords: true,
  maxBatchBytes: true,
  maxRecordBytes: true,
  aggregation: true,
  tagRecords: true,
  maxInFlightRequests: true,
  maxBufferedBytes: true,
  whenFull: true,
  recordTtlMs: true,
  maxAttempts: true,
  backoffBaseMs: true,
  backoffMaxMs: true,
  requestTimeoutMs: true,
  spool: true,
  clock: true,
  random: true,
  hooks: true,
  log: true,
}

/** Every option filled and checked; nothing is optional any more. */
export interface ResolvedKinesisProducerOptions extends DeliveryQueueOptions {
  stream: StreamIdentity
  transport: PutRecordsTransport
  whenFull: 'wait' | 'reject'
  aggregation: Required<AggregationOptions> | undefined
  maxInFlightRequests: number
  requestTimeoutMs: number
  spool: ResolvedSpoolOptions | undefined
  clock: Clock
  hooks: ProducerHooks
  log: ProducerLog | undefined
}

/**
 * Elapsed time on the scale of the epoch. The system's clock may be set in mid-run, which would expire everything, or nothing.
 */
const steadyClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  schedule: systemClock.schedule,
}

export function resolveKinesisProducerOptions(
  options: KinesisProducerOptions,
): ResolvedKinesisProducerOptions {
  if (typeof options !== 'object' || options === null) {
    throw new InvalidOptionError('options', options, 'Pass at least { streamName }.')
  }
  refuseUnknownOptions(options, Object.keys(KNOWN))
  const stream = resolveStream(options)
  const maxInFlightRequests = integer(options, 'maxInFlightRequests', 8, 1, 1_000)
  const maxRecordBytes =
    options.maxRecordBytes === undefined
      ? undefined
      : integer(options, 'maxRecordBytes', 0, 1, kinesisQuotas.maxRecordBytes)
  const least = Math.max(2 * MiB, maxRecordBytes ?? 0)
  const maxBatchBytes = integer(options, 'maxBatchBytes', least, 1, kinesisQuotas.maxPutRecordsBytes)
  if (maxRecordBytes !== undefined && maxBatchBytes < maxRecordBytes) {
    throw new InvalidOptionError(
      'maxBatchBytes',
      maxBatchBytes,
      `A record of maxRecordBytes (${maxRecordBytes}) must fit: raise it, or lower maxRecordBytes.`,
    )
  }
  const backoff = {
    baseMs: integer(options, 'backoffBaseMs', 100, 1, MAX_TIMER_MS),
    maxMs: integer(options, 'backoffMaxMs', Math.max(5_000, options.backoffBaseMs ?? 0), 1, MAX_TIMER_MS),
  }
  if (backoff.maxMs < backoff.baseMs) {
    throw new InvalidOptionError(
      'backoffMaxMs',
      backoff.maxMs,
      `It is the upper bound: use at least backoffBaseMs (${backoff.baseMs}).`,
    )
  }
  return {
    stream,
    ordering: oneOf(options, 'ordering', 'none', ['none', 'per-key']),
    onExpired: resolveOnExpired(options),
    lingerMs: integer(options, 'lingerMs', 20, 0, 60_000),
    maxBatchRecords: integer(options, 'maxBatchRecords', 500, 1, kinesisQuotas.maxPutRecords),
    maxBatchBytes,
    maxRecordBytes,
    aggregation: resolveAggregation(options),
    producerId: resolveProducerId(options),
    maxInFlightRequests,
    maxBufferedBytes: integer(options, 'maxBufferedBytes', 64 * MiB, 1, Number.MAX_SAFE_INTEGER),
    whenFull: oneOf(options, 'whenFull', 'wait', ['wait', 'reject']),
    recordTtlMs: integer(options, 'recordTtlMs', 120_000, 1, MAX_TIMER_MS),
    maxAttempts:
      options.maxAttempts === Number.POSITIVE_INFINITY
        ? Number.POSITIVE_INFINITY
        : integer(options, 'maxAttempts', Number.POSITIVE_INFINITY, 1, Number.MAX_SAFE_INTEGER),
    backoff,
    requestTimeoutMs: integer(options, 'requestTimeoutMs', 10_000, 1, MAX_TIMER_MS),
    spool: options.spool === undefined ? undefined : resolveSpoolOptions(options.spool),
    clock: options.clock ?? steadyClock,
    random: options.random ?? systemRandom,
    hooks: { ...options.hooks },
    log: resolveLog(options.log),
    // Last, because it makes an HTTP agent: nothing is left behind where an option above is wrong.
    transport: resolveTransport(options, maxInFlightRequests),
  }
}

function resolveAggregation(options: KinesisProducerOptions): Required<AggregationOptions> | undefined {
  const { aggregation } = options
  if (aggregation === undefined || aggregation === false) return undefined
  const own = aggregation === true ? {} : aggregation
  refuseUnknownOptions(own, ['maxContainerBytes', 'keyBuckets'])
  const most = Math.min(MiB, options.maxRecordBytes ?? MiB, options.maxBatchBytes ?? MiB)
  const { maxContainerBytes = Math.min(51_200, most), keyBuckets = 4 } = own
  within('aggregation.maxContainerBytes', maxContainerBytes, 256, most)
  within('aggregation.keyBuckets', keyBuckets, 1, 64)
  // With an order per key, aggregates carry the keys of their records.
  return { maxContainerBytes, keyBuckets: options.ordering === 'per-key' ? 1 : keyBuckets }
}

function resolveProducerId({ tagRecords, aggregation }: KinesisProducerOptions): string | undefined {
  if (tagRecords === undefined || tagRecords === false) return undefined
  if (!aggregation) {
    throw new InvalidOptionError(
      'tagRecords',
      tagRecords,
      'Tags are part of aggregates: set aggregation to true as well.',
    )
  }
  if (tagRecords === true) return randomUUID()
  if (typeof tagRecords === 'string' && /^[\x21-\x7e]{1,64}$/.test(tagRecords)) return tagRecords
  throw new InvalidOptionError(
    'tagRecords',
    tagRecords,
    'Use true, or an id of 1 to 64 printable ASCII characters.',
  )
}

function resolveStream(options: KinesisProducerOptions): StreamIdentity {
  const { streamName, streamArn } = options
  if (streamArn !== undefined) {
    if (streamName !== undefined) {
      throw new InvalidOptionError('streamName', streamName, 'Pass streamName or streamArn, not both.')
    }
    if (regionOfArn(streamArn) === undefined) {
      throw new InvalidOptionError(
        'streamArn',
        streamArn,
        'Pass an ARN such as arn:aws:kinesis:eu-west-1:123456789012:stream/orders.',
      )
    }
    return { streamArn }
  }
  if (typeof streamName !== 'string' || !/^[a-zA-Z0-9_.-]{1,128}$/.test(streamName)) {
    throw new InvalidOptionError(
      'streamName',
      streamName,
      'Pass the name of the stream (1 to 128 letters, digits, "_", "." or "-"), or streamArn.',
    )
  }
  return { streamName }
}

function regionOfArn(arn: unknown): string | undefined {
  if (typeof arn !== 'string') return undefined
  return /^arn:aws[a-z-]*:kinesis:([a-z0-9-]+):\d{12}:stream\/[a-zA-Z0-9_.-]{1,128}$/.exec(arn)?.[1]
}

function resolveTransport(options: KinesisProducerOptions, maxConnections: number): PutRecordsTransport {
  const { client, transport, region, endpoint, credentials, streamArn } = options
  const own = transport !== undefined ? 'transport' : client !== undefined ? 'client' : undefined
  for (const name of ['client', 'region', 'endpoint', 'credentials'] as const) {
    if (own === undefined || own === name || options[name] === undefined) continue
    throw new InvalidOptionError(
      name,
      options[name],
      `It has no effect beside ${own}: leave one of them out.`,
    )
  }
  if (transport !== undefined) return transport
  if (client !== undefined) return new AwsSdkTransport({ client, maxConnections })
  if (region !== undefined && (typeof region !== 'string' || region === '')) {
    throw new InvalidOptionError('region', region, 'Pass a region such as eu-west-1.')
  }
  if (endpoint !== undefined && !isHttpUrl(endpoint)) {
    throw new InvalidOptionError('endpoint', endpoint, 'Pass a URL such as http://127.0.0.1:4566.')
  }
  const resolvedRegion = region ?? regionOfArn(streamArn)
  return new AwsSdkTransport({
    maxConnections,
    ...(resolvedRegion === undefined ? {} : { region: resolvedRegion }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
  })
}

function resolveOnExpired(options: KinesisProducerOptions): 'continue' | 'halt-key' {
  const onExpired = oneOf(options, 'onExpired', 'continue', ['continue', 'halt-key'])
  if (onExpired === 'halt-key' && options.ordering !== 'per-key') {
    throw new InvalidOptionError('onExpired', onExpired, "Keys are halted only with ordering: 'per-key'.")
  }
  return onExpired
}

function resolveLog(log: ProducerLog | undefined): ProducerLog | undefined {
  if (log === undefined || typeof log?.warn === 'function') return log
  throw new InvalidOptionError('log', log, 'Pass an object with warn(message, details), such as console.')
}

function isHttpUrl(text: unknown): boolean {
  return typeof text === 'string' && URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)
}

function integer(
  options: KinesisProducerOptions,
  name:
    | 'lingerMs'
    | 'maxBatchRecords'
    | 'maxBatchBytes'
    | 'maxRecordBytes'
    | 'maxInFlightRequests'
    | 'maxBufferedBytes'
    | 'recordTtlMs'
    | 'maxAttempts'
    | 'backoffBaseMs'
    | 'backoffMaxMs'
    | 'requestTimeoutMs',
  fallback: number,
  least: number,
  most: number,
): number {
  const value = options[name]
  if (value === undefined) return fallback
  return within(name, value, least, most)
}

function within(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw new InvalidOptionError(name, value, `Use a whole number from ${least} to ${most}.`)
}

function oneOf<T extends string>(
  options: KinesisProducerOptions,
  name: 'ordering' | 'onExpired' | 'whenFull',
  fallback: T,
  allowed: readonly T[],
): T {
  const value: unknown = options[name]
  if (value === undefined) return fallback
  const found = allowed.find((candidate) => candidate === value)
  if (found === undefined) {
    throw new InvalidOptionError(name, value, `Use ${allowed.map((text) => `'${text}'`).join(' or ')}.`)
  }
  return found
}
