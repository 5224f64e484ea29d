import { isAbsolute } from 'node:path'
import { firehoseQuotas, InvalidOptionError } from '@org/kinesis-core'
import { checkedPollInterval, checkedStreamName } from '../event-source-mapping/mapping-options.js'
import type { LocalFunction } from '../function/local-function.js'
import { type Prefix, parseErrorPrefix, parsePrefix } from './prefix-expression.js'

export interface DeliveryStreamOptions {
  /** 1 to 64 letters, digits, `-`, `_` and `.`; the first part of every object's name. */
  name: string
  /** The Kinesis stream it reads, from its beginning. */
  streamName: string
  /** Gets every record before it is delivered, in the event of a Firehose data transformation. @default records as they are */
  transform?: LocalFunction | undefined
  /** Absolute path of the folder that stands for the bucket. */
  folder: string
  /** @default 'year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/hour=!{timestamp:HH}/' */
  prefix?: string
  /** Where records go that the transform failed, or that could not be unpacked. @default 'errors/!{firehose:error-output-type}/' */
  errorPrefix?: string
  /** An object is written when its oldest record has been buffered for this long; up to 900,000 ms. @default 300_000 */
  bufferIntervalMs?: number
  /** An object is written when it holds this much before compression; up to 128 MiB. AWS takes no less than 1 MiB. @default 5 MiB */
  bufferBytes?: number
  /** @default 'GZIP' */
  compression?: 'GZIP' | 'UNCOMPRESSED'
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
  transform: LocalFunction | undefined
  folder: string
  prefix: Prefix
  errorPrefix: Prefix
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

export function resolveDeliveryStreamOptions(options: DeliveryStreamOptions): ResolvedDeliveryStreamOptions {
  const { name, folder, compression = 'GZIP' } = options
  if (typeof name !== 'string' || !/^[a-zA-Z0-9_.-]{1,64}$/.test(name)) {
    throw new InvalidOptionError('name', name, 'Give 1 to 64 letters, digits, hyphens, dots or underscores.')
  }
  if (typeof folder !== 'string' || !isAbsolute(folder)) {
    throw new InvalidOptionError('folder', folder, 'Give an absolute path.')
  }
  if (compression !== 'GZIP' && compression !== 'UNCOMPRESSED') {
    throw new InvalidOptionError('compression', compression, 'Give GZIP or UNCOMPRESSED.')
  }
  const bufferIntervalMs = within(
    'bufferIntervalMs',
    options.bufferIntervalMs ?? 300_000,
    0,
    firehoseQuotas.maxBufferIntervalMs,
  )
  return {
    name,
    streamName: checkedStreamName(options.streamName),
    transform: options.transform,
    folder,
    prefix: parsePrefix('prefix', options.prefix ?? DEFAULT_PREFIX),
    errorPrefix: parseErrorPrefix(
      'errorPrefix',
      options.errorPrefix ?? 'errors/!{firehose:error-output-type}/',
    ),
    bufferIntervalMs,
    bufferBytes: within('bufferBytes', options.bufferBytes ?? 5 * MiB, 1, firehoseQuotas.maxBufferBytes),
    compression,
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

function within(option: string, value: number, low: number, high: number): number {
  if (!Number.isFinite(value) || value < low || value > high) {
    throw new InvalidOptionError(option, value, `Give a number from ${low} to ${high}.`)
  }
  return value
}
