import { firehoseQuotas, InvalidOptionError, refuseUnknownOptions } from '@org/kinesis-core'
import {
  checkedPollInterval,
  checkedPosition,
  checkedStreamName,
} from '../event-source-mapping/mapping-options.js'
import type { StartingPoint } from '../event-source-mapping/shard-reader.js'
import type { LocalFunction } from '../function/local-function.js'
import { resolveFormat, resolveStore } from './object-options.js'
import type { ObjectStore } from './object-store.js'
import type { ParquetConverter, ParquetOptions } from './parquet.js'
import { type Prefix, parseErrorPrefix, parsePrefix } from './prefix-expression.js'
import type { S3Destination } from './s3-store.js'
import { isTimeZone } from './zoned-time.js'

export interface DeliveryStreamOptions {
  /** 1 to 64 letters, digits, `-`, `_` and `.`; the first part of every object's name. */
  name: string
  /** The Kinesis stream it reads. */
  streamName: string
  /** Where it begins; Firehose itself begins at the tip. @default 'TRIM_HORIZON' */
  startingPosition?: StartingPoint
  /**
   * Absolute path of a file that remembers how far it is, so that a delivery that is started again, after a crash say, goes on there;
   * for streams that outlive the process. @default none: it begins at `startingPosition`
   */
  checkpointFile?: string
  /** Gets every record before it is delivered, in the event of a Firehose data transformation. @default records as they are */
  transform?: LocalFunction | undefined
  /** Absolute path of the folder that stands for the bucket. Give it, or `destination`. */
  folder?: string
  /** A bucket of an S3 endpoint (needs `@aws-sdk/client-s3`), or a store of your own. @default `folder` */
  destination?: S3Destination | ObjectStore
  /** @default 'year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/hour=!{timestamp:HH}/' */
  prefix?: string
  /** Of the timestamps in prefixes and objects' names; a name of the IANA database. @default 'UTC' */
  timeZone?: string
  /** Behind the name of every object; `''` for none. @default '.gz', '.parquet' or none */
  fileExtension?: string
  /**
   * Records are partitioned by what the transform returns in `metadata.partitionKeys`, which the prefix names with
   * `!{partitionKeyFromLambda:NAME}`; each partition is buffered by itself.
   * @default false
   */
  dynamicPartitioning?: boolean
  /** Partitions that may have records at once, 1 to 5,000; records of others go to the error prefix. @default 500 */
  maxActivePartitions?: number
  /** Converts JSON records to Apache Parquet (needs `@duckdb/node-api`). @default records as they are */
  parquet?: ParquetOptions
  /** Where records go that the transform failed, or that could not be unpacked, converted or partitioned. @default 'errors/!{firehose:error-output-type}/' */
  errorPrefix?: string
  /** An object is written when its oldest record has been buffered for this long; up to 900,000 ms. @default 300_000 */
  bufferIntervalMs?: number
  /** An object is written when it holds this much before compression; up to 128 MiB. AWS takes no less than 1 MiB. @default 5 MiB */
  bufferBytes?: number
  /** Of objects; those in Parquet are compressed inside. @default 'GZIP', or 'UNCOMPRESSED' with `parquet` */
  compression?: 'GZIP' | 'UNCOMPRESSED'
  /** How often an invocation that failed is tried again, 0 to 300; its records go to the error prefix then. @default 3 */
  transformRetries?: number
  /** A transform is invoked with this much data; up to 3 MiB, and never more than 6 MB as JSON. @default 1 MiB */
  transformBufferBytes?: number
  /** A transform is invoked when its oldest record has waited this long. @default 60_000 ms, or `bufferIntervalMs` if that is less */
  transformBufferIntervalMs?: number
  /** Between reads of a shard at its tip; milliseconds. @default 1_000 */
  pollIntervalMs?: number
}

export interface ResolvedDeliveryStreamOptions {
  name: string
  streamName: string
  startingPosition: StartingPoint
  checkpointFile: string | undefined
  transform: LocalFunction | undefined
  transformRetries: number
  store: ObjectStore
  prefix: Prefix
  errorPrefix: Prefix
  timeZone: string
  fileExtension: string
  maxActivePartitions: number
  parquet: ParquetConverter | undefined
  /** Of the configuration; a part of objects' names. */
  version: number
  bufferIntervalMs: number
  bufferBytes: number
  compression: 'GZIP' | 'UNCOMPRESSED'
  transformBufferBytes: number
  transformBufferIntervalMs: number
  pollIntervalMs: number
}

const MiB = 1024 * 1024
const DEFAULT_PREFIX =
  'year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/hour=!{timestamp:HH}/'
const DEFAULT_ERROR_PREFIX = 'errors/!{firehose:error-output-type}/'

/** As a record, so that the compiler asks for an option that is missing here. */
const KNOWN: Record<keyof DeliveryStreamOptions, true> = {
  name: true,
  streamName: true,
  startingPosition: true,
  checkpointFile: true,
  transform: true,
  folder: true,
  destination: true,
  prefix: true,
  timeZone: true,
  fileExtension: true,
  dynamicPartitioning: true,
  maxActivePartitions: true,
  parquet: true,
  errorPrefix: true,
  bufferIntervalMs: true,
  bufferBytes: true,
  compression: true,
  transformRetries: true,
  transformBufferBytes: true,
  transformBufferIntervalMs: true,
  pollIntervalMs: true,
}

export function resolveDeliveryStreamOptions(
  options: DeliveryStreamOptions,
  nowMs: number,
  region: string,
): ResolvedDeliveryStreamOptions {
  refuseUnknownOptions(options, Object.keys(KNOWN))
  return {
    ...resolveDelivery(options, region),
    streamName: checkedStreamName(options.streamName),
    startingPosition: checkedPosition(options.startingPosition ?? 'TRIM_HORIZON', nowMs),
    checkpointFile: options.checkpointFile,
  }
}

/** All but where the records come from. */
export type ResolvedDelivery = Omit<
  ResolvedDeliveryStreamOptions,
  'streamName' | 'startingPosition' | 'checkpointFile'
>

export function resolveDelivery(
  options: Omit<DeliveryStreamOptions, 'streamName'>,
  region: string,
): ResolvedDelivery {
  const { name, transform, timeZone = 'UTC', dynamicPartitioning = false, errorPrefix } = options
  if (typeof name !== 'string' || !/^[a-zA-Z0-9_.-]{1,64}$/.test(name)) {
    throw new InvalidOptionError('name', name, 'Give 1 to 64 letters, digits, hyphens, dots or underscores.')
  }
  if (typeof timeZone !== 'string' || !isTimeZone(timeZone)) {
    throw new InvalidOptionError('timeZone', timeZone, 'Give a name such as Asia/Tokyo.')
  }
  if (transform !== undefined && typeof transform?.invoke !== 'function') {
    throw new InvalidOptionError('transform', transform, 'Give what createFunction gave.')
  }
  if (typeof dynamicPartitioning !== 'boolean') {
    throw new InvalidOptionError('dynamicPartitioning', dynamicPartitioning, 'Give true or false.')
  }
  if (dynamicPartitioning && transform === undefined) {
    throw new InvalidOptionError('dynamicPartitioning', true, 'Give a transform that returns partition keys.')
  }
  if (dynamicPartitioning && errorPrefix === undefined) {
    throw new InvalidOptionError('errorPrefix', errorPrefix, 'Dynamic partitioning needs one.')
  }
  const bufferIntervalMs = within(
    'bufferIntervalMs',
    options.bufferIntervalMs ?? 300_000,
    0,
    firehoseQuotas.maxBufferIntervalMs,
  )
  return {
    name,
    transform,
    transformRetries: wholeWithin(
      'transformRetries',
      options.transformRetries ?? firehoseQuotas.transformRetries,
      0,
      300,
    ),
    store: resolveStore(options, region),
    prefix: parsePrefix('prefix', options.prefix ?? DEFAULT_PREFIX, {
      timeZone,
      isPartitioned: dynamicPartitioning,
    }),
    errorPrefix: parseErrorPrefix('errorPrefix', errorPrefix ?? DEFAULT_ERROR_PREFIX, { timeZone }),
    timeZone,
    maxActivePartitions: wholeWithin('maxActivePartitions', options.maxActivePartitions ?? 500, 1, 5_000),
    version: 1,
    ...resolveFormat(options),
    bufferIntervalMs,
    bufferBytes: within('bufferBytes', options.bufferBytes ?? 5 * MiB, 1, firehoseQuotas.maxBufferBytes),
    transformBufferBytes: within('transformBufferBytes', options.transformBufferBytes ?? MiB, 1, 3 * MiB),
    transformBufferIntervalMs: within(
      'transformBufferIntervalMs',
      options.transformBufferIntervalMs ?? Math.min(60_000, bufferIntervalMs),
      0,
      firehoseQuotas.maxBufferIntervalMs,
    ),
    pollIntervalMs: checkedPollInterval(options.pollIntervalMs ?? 1_000),
  }
}

function wholeWithin(option: string, value: number, low: number, high: number): number {
  if (Number.isInteger(value)) return within(option, value, low, high)
  throw new InvalidOptionError(option, value, `Give a whole number from ${low} to ${high}.`)
}

function within(option: string, value: number, low: number, high: number): number {
  if (!Number.isFinite(value) || value < low || value > high) {
    throw new InvalidOptionError(option, value, `Give a number from ${low} to ${high}.`)
  }
  return value
}
