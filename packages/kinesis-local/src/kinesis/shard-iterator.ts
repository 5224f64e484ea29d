import { kinesisQuotas } from '@org/kinesis-core'
import { ServiceError } from '../service.js'
import type { KinesisContext } from './kinesis-context.js'
import { refuseDryRun } from './refuse-dry-run.js'
import { matched, type Request } from './request.js'
import { counterOf, SEQUENCE_NUMBER } from './sequence-number.js'
import type { Shard } from './shard.js'
import type { Stream } from './stream.js'

/** Where a reader stands; what the opaque iterator carries. */
export interface IteratorPosition {
  streamName: string
  /** Tells a stream from an earlier one of its name. */
  generation: string
  shardId: string
  /** Read records from this counter on. */
  counter: number
  issuedAtMs: number
}

export const ITERATOR_TYPES = [
  'TRIM_HORIZON',
  'LATEST',
  'AT_SEQUENCE_NUMBER',
  'AFTER_SEQUENCE_NUMBER',
  'AT_TIMESTAMP',
] as const

export function getShardIterator({ streams, clock }: KinesisContext, request: Request): unknown {
  const stream = streams.withRecords(request)
  const shard = streams.shardOf(stream, request.string('ShardId'))
  const { generation } = stream
  const nowMs = clock.now()
  const counter = startingCounter(stream, shard, nowMs, {
    operation: 'GetShardIterator',
    type: request.oneOf('ShardIteratorType', ITERATOR_TYPES),
    sequenceNumber: request.optionalString('StartingSequenceNumber'),
    timestampMs: request.optionalTimestampMs('Timestamp'),
  })
  refuseDryRun(request)
  return {
    ShardIterator: encodeIterator({
      streamName: stream.settings.name,
      generation,
      shardId: shard.shardId,
      counter,
      issuedAtMs: nowMs,
    }),
  }
}

interface StartingPosition {
  operation: string
  type: (typeof ITERATOR_TYPES)[number]
  sequenceNumber: string | undefined
  timestampMs: number | undefined
}

/** The counter of the first record that a reader wants. */
export function startingCounter(
  stream: Stream,
  shard: Shard,
  nowMs: number,
  { operation, type, sequenceNumber: sequence, timestampMs: atMs }: StartingPosition,
): number {
  switch (type) {
    case 'TRIM_HORIZON':
    case 'LATEST':
      if (sequence !== undefined) throw mismatch(type, 'also a sequence number')
      return type === 'LATEST' ? stream.counter : 0
    case 'AT_TIMESTAMP': {
      if (atMs === undefined) throw mismatch(type, 'no timestamp')
      if (atMs > nowMs) {
        throw new ServiceError(
          'InvalidArgumentException',
          `The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. timestampInMillis: ${atMs}, currentTimestampInMillis: ${nowMs}`,
        )
      }
      return shard.log.firstArrivedFrom(atMs) ?? stream.counter
    }
  }
  if (sequence === undefined) throw mismatch(type, 'no sequence number')
  matched('StartingSequenceNumber', sequence, SEQUENCE_NUMBER)
  const counter = counterOf(shard.prefix, sequence)
  // A number that was not given out yet is another stream's of the same name: to read behind it would skip what comes until then.
  if (counter === undefined || counter > stream.counter) {
    throw new ServiceError(
      'InvalidArgumentException',
      `StartingSequenceNumber ${sequence.slice(0, 80)} used in ${operation} on shard ${shard.shardId} in stream ${stream.settings.name} under account ${stream.settings.arn.split(':')[4]} is invalid.`,
    )
  }
  return type === 'AFTER_SEQUENCE_NUMBER' ? counter + 1 : counter
}

function mismatch(type: string, given: string): ServiceError {
  return new ServiceError(
    'InvalidArgumentException',
    `Must specify AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and a sequence number, AT_TIMESTAMP and a timestamp, or TRIM_HORIZON or LATEST alone. Request specified ${type} and ${given}.`,
  )
}

export function encodeIterator(position: IteratorPosition): string {
  const { streamName, generation, shardId, counter, issuedAtMs } = position
  return Buffer.from(JSON.stringify([streamName, generation, shardId, counter, issuedAtMs])).toString(
    'base64',
  )
}

export function decodeIterator(text: string, nowMs: number): IteratorPosition {
  const position = parse(text)
  if (position === undefined) throw new ServiceError('InvalidArgumentException', 'Invalid ShardIterator.')
  if (nowMs - position.issuedAtMs > kinesisQuotas.shardIteratorLifetimeMs) {
    throw new ServiceError(
      'ExpiredIteratorException',
      `Iterator expired. The iterator was created at time ${new Date(position.issuedAtMs).toISOString()} while right now it is ${new Date(nowMs).toISOString()} which is further in the future than the tolerated delay of ${kinesisQuotas.shardIteratorLifetimeMs} milliseconds.`,
    )
  }
  return position
}

function parse(text: string): IteratorPosition | undefined {
  let fields: unknown
  try {
    fields = JSON.parse(Buffer.from(text, 'base64').toString('utf8'))
  } catch {
    return undefined
  }
  if (!Array.isArray(fields)) return undefined
  const [streamName, generation, shardId, counter, issuedAtMs] = fields as unknown[]
  if (typeof streamName !== 'string' || typeof generation !== 'string' || typeof shardId !== 'string')
    return undefined
  if (!isSafeNumber(counter) || !isSafeNumber(issuedAtMs)) return undefined
  return { streamName, generation, shardId, counter, issuedAtMs }
}

function isSafeNumber(value: unknown): value is number {
  // A date can hold no more than this.
  return typeof value === 'number' && Number.isFinite(value) && Math.abs(value) <= 8.64e15
}
