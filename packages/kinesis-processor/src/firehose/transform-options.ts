import { type Clock, refuseUnknownOptions, systemClock } from '@org/kinesis-core'
import type { Decoder } from '../json-decoder.js'
import { requireClock, requireFunction } from '../option-checks.js'

/** What the transform knows of a record beside its bytes. */
export interface DeliveryPosition {
  recordId: string
  /** In milliseconds since the epoch. */
  arrivalMs: number
  /** Set where the source is a Kinesis stream. */
  shardId?: string
  sequenceNumber?: string
  subSequenceNumber?: number
  partitionKey?: string
}

export interface TransformOutput {
  /** Written as one line of JSON. */
  value: unknown
  /** For dynamic partitioning: `!{partitionKeyFromLambda:NAME}` in the prefix. */
  partitionKeys?: Record<string, string>
}

export interface FirehoseTransformOptions<T> {
  /** Bytes to a value, or undefined to drop the record. A record that it throws on is ProcessingFailed, which Firehose keeps under the error prefix. */
  decode: Decoder<T>
  /** What to deliver, or undefined to drop the record. A record that it throws on is ProcessingFailed. */
  map: (
    value: T,
    position: DeliveryPosition,
    nowMs: number,
  ) => TransformOutput | undefined | Promise<TransformOutput | undefined>
  /** Told of each record that is ProcessingFailed, and why. @default nothing */
  onFailed?: (error: unknown, position: DeliveryPosition) => void
  /** @default the system's clock */
  clock?: Clock
}

export type ResolvedFirehoseTransformOptions<T> = Required<FirehoseTransformOptions<T>>

const KNOWN = [
  'decode',
  'map',
  'onFailed',
  'clock',
] as const satisfies (keyof FirehoseTransformOptions<unknown>)[]

export function resolveFirehoseTransformOptions<T>(
  options: FirehoseTransformOptions<T>,
): ResolvedFirehoseTransformOptions<T> {
  refuseUnknownOptions(options, KNOWN)
  const { decode, map, onFailed = () => {}, clock = systemClock } = options
  requireFunction('decode', decode, 'Pass json(schema), or a function from bytes to a value.')
  requireFunction('map', map, 'Pass a function from a value to { value }.')
  requireFunction('onFailed', onFailed, 'Pass a function, or leave it out.')
  requireClock(clock)
  return { decode, map, onFailed, clock }
}
