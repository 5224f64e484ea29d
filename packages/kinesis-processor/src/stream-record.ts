import {
  decodeAggregate,
  type KinesisEventRecord,
  type ProducerSequence,
  readProducerTag,
} from '@org/kinesis-core'
import { PermanentError, UnexpectedEventError } from './errors.js'
import { type Unpack, unpackEach } from './unpack.js'

/** Where a record stands in its stream. Unique, and the same on every retry; but see `subSequenceNumber`. */
export interface RecordPosition {
  streamArn: string
  streamName: string
  shardId: string
  sequenceNumber: string
  /**
   * Place in an aggregated record, from 0; 0 for a plain record. With enhanced fan-out, where Lambda takes aggregates apart, the place among
   * those of the aggregate in the batch.
   */
  subSequenceNumber: number
  partitionKey: string
  /** When the stream took it, in milliseconds since the epoch. */
  arrivalMs: number
  /**
   * Which record of which producer it is, where the producer says so (`tagRecords` of `@org/kinesis-producer`): the same for a record that was
   * sent twice. A key, or a condition, made of it lets a sink store each record once.
   */
  producer?: ProducerSequence
}

export interface StreamRecord {
  position: RecordPosition
  data: Uint8Array
  /** Set where the record cannot be unpacked; `data` is the whole of it then. */
  fault: PermanentError | undefined
}

/** The user records of a batch in stream order: aggregates unpacked, their members sharing a sequence number. */
export function readEvent(event: unknown, unpack?: Unpack): StreamRecord[] {
  const records: unknown = isObject(event) ? event.Records : undefined
  if (!Array.isArray(records)) {
    throw new UnexpectedEventError('The event has no Records: map this function to a Kinesis stream.')
  }
  const read: StreamRecord[] = []
  // All records of a batch are of one shard: what is read of it once is the same text for each of them.
  let source = { arn: '', streamArn: '', streamName: '', shardId: '' }
  for (const record of records) {
    requireKinesisRecord(record)
    const { eventID, eventSourceARN: arn } = record
    if (
      arn !== source.arn ||
      eventID.charAt(source.shardId.length) !== ':' ||
      !eventID.startsWith(source.shardId)
    ) {
      source = { arn, ...streamOf(arn), shardId: eventID.slice(0, eventID.indexOf(':')) }
    }
    readRecord(record, source, read)
  }
  return unpack === undefined ? read : unpackEach(read, unpack)
}

function readRecord(
  { kinesis }: KinesisEventRecord,
  { streamArn, streamName, shardId }: { streamArn: string; streamName: string; shardId: string },
  read: StreamRecord[],
): void {
  const data = Buffer.from(kinesis.data, 'base64')
  // Lambda itself takes aggregates apart for enhanced fan-out: their members come as records that share a sequence number.
  const before = read.at(-1)?.position
  const isMember = before?.sequenceNumber === kinesis.sequenceNumber
  const firstSubSequenceNumber = isMember ? before.subSequenceNumber + 1 : 0
  const position: RecordPosition = {
    streamArn,
    streamName,
    shardId,
    sequenceNumber: kinesis.sequenceNumber,
    subSequenceNumber: firstSubSequenceNumber,
    partitionKey: kinesis.partitionKey,
    arrivalMs: Math.round(kinesis.approximateArrivalTimestamp * 1000),
  }
  const decoded = decodeAggregate(data)
  if (decoded.kind === 'plain') read.push({ position, data, fault: undefined })
  else if (decoded.kind === 'corrupt') {
    const fault = new PermanentError(`The aggregated record is broken: ${decoded.reason}.`, {
      reasonCode: 'corrupt-aggregate',
    })
    read.push({ position, data, fault })
  } else {
    for (const [index, { partitionKey, data: memberData, tags }] of decoded.records.entries()) {
      const producer = readProducerTag(tags)
      const subSequenceNumber = firstSubSequenceNumber + index
      const memberPosition: RecordPosition = { ...position, subSequenceNumber, partitionKey }
      if (producer !== undefined) memberPosition.producer = producer
      read.push({ position: memberPosition, data: memberData, fault: undefined })
    }
  }
}

/** A mapping on an enhanced fan-out consumer names the consumer: `…:stream/NAME/consumer/CONSUMER:1700000000`. */
export function streamOf(arn: string): { streamArn: string; streamName: string } {
  const streamArn = arn.replace(/\/consumer\/.*$/, '')
  return { streamArn, streamName: streamArn.slice(streamArn.lastIndexOf('/') + 1) }
}

function requireKinesisRecord(record: unknown): asserts record is KinesisEventRecord {
  const missing = missingField(record)
  if (missing === undefined) return
  const source = isObject(record) && typeof record.eventSource === 'string' ? record.eventSource : 'unknown'
  throw new UnexpectedEventError(
    `A record of source ${source.slice(0, 80)} has no usable ${missing}: map this function to a Kinesis stream.`,
  )
}

function missingField(record: unknown): string | undefined {
  if (!isObject(record) || !isObject(record.kinesis)) return 'kinesis'
  const { kinesis, eventID, eventSourceARN } = record
  if (typeof eventID !== 'string' || !eventID.includes(':')) return 'eventID'
  if (typeof eventSourceARN !== 'string') return 'eventSourceARN'
  if (!Number.isFinite(kinesis.approximateArrivalTimestamp)) return 'approximateArrivalTimestamp'
  // One by one: a list of names would be looked through for every record.
  if (typeof kinesis.sequenceNumber !== 'string') return 'sequenceNumber'
  if (typeof kinesis.partitionKey !== 'string') return 'partitionKey'
  return typeof kinesis.data === 'string' ? undefined : 'data'
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
