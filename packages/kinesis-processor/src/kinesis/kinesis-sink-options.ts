import { type Clock, InvalidOptionError, refuseUnknownOptions, systemClock } from '@org/kinesis-core'
import { requireClock, requireFunction } from '../option-checks.js'
import type { RecordPosition } from '../stream-record.js'

/** A record for a stream, as `KinesisProducer` of `@org/kinesis-producer` takes it. */
export interface OutgoingRecord {
  partitionKey: string
  /** Bytes and text as they are, an object as JSON. */
  data: Uint8Array | string | object
  /** Chooses the shard instead of the partition key. */
  explicitHashKey?: string
}

/** What the sink needs of a producer; `KinesisProducer` has it. */
export interface RecordProducer {
  /** Resolves when the record is durable in the stream. */
  put(record: OutgoingRecord): Promise<unknown>
  /** Sends at once what would wait for more. The sink does not wait for it, but for each put. */
  flush?(): Promise<unknown>
  /** Lets a key through again that was halted when a record of it failed. */
  resumeKey?(partitionKey: string): unknown
}

export interface KinesisSinkOptions<T> {
  /** Of the other stream. It is the caller's: the sink never closes it. */
  producer: RecordProducer
  /** What a record becomes. @default its partition key, and its value: text and bytes as they are, anything else as JSON */
  record?: (value: T, position: RecordPosition) => OutgoingRecord
  /**
   * True: the producer keeps the records of a key in order, and refuses those behind one that failed (`ordering: 'per-key'`, `onExpired:
   * 'halt-key'`), so all are put at once. False: the sink puts a record when the one before it in its partition key is in the stream.
   * @default false
   */
  producerKeepsOrder?: boolean
  /** @default the system's clock */
  clock?: Clock
}

const KNOWN = [
  'producer',
  'record',
  'producerKeepsOrder',
  'clock',
] as const satisfies (keyof KinesisSinkOptions<unknown>)[]

export function resolveKinesisSinkOptions<T>(
  options: KinesisSinkOptions<T>,
): Required<KinesisSinkOptions<T>> {
  refuseUnknownOptions(options, KNOWN)
  const { producer, record = sameRecord, producerKeepsOrder = false, clock = systemClock } = options
  requireFunction('producer', producer?.put, 'Pass a KinesisProducer, or an object with put(record).')
  requireFunction(
    'record',
    record,
    'Pass a function from a value to { partitionKey, data }, or leave it out.',
  )
  requireClock(clock)
  if (typeof producerKeepsOrder !== 'boolean')
    throw new InvalidOptionError(
      'producerKeepsOrder',
      producerKeepsOrder,
      'Say whether the producer halts a key after a failure: true or false.',
    )
  return { producer, record, producerKeepsOrder, clock }
}

function sameRecord(value: unknown, { partitionKey }: RecordPosition): OutgoingRecord {
  const isSentAsItIs = typeof value === 'string' || value instanceof Uint8Array
  return { partitionKey, data: isSentAsItIs ? value : JSON.stringify(value) }
}
