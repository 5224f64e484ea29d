import { decodeAggregate, type KinesisEvent, type KinesisEventRecord } from '@org/kinesis-core'
import { PermanentError, UnexpectedEventError } from './errors.js'

/** Where a record stands in its stream. Unique, and the same on every retry. */
export interface RecordPosition {
  streamArn: string
  streamName: string
  shardId: string
  sequenceNumber: string
  /** Place in an aggregated record, from 0; 0 for a plain record. */
  subSequenceNumber: number
  partitionKey: string
  /** When the stream took it, in milliseconds since the epoch. */
  arrivalMs: number
}

export interface StreamRecord {
  position: RecordPosition
  data: Uint8Array
  /** Set where the record cannot be unpacked; `data` is the whole of it then. */
  fault: PermanentError | undefined
}

/** The user records of a batch in stream order: aggregates unpacked, their members sharing a sequence number. */
export function readEvent(event: unknown): StreamRecord[] {
  const { Records: records } = (event ?? {}) as Partial<KinesisEvent>
  if (!Array.isArray(records)) {
    throw new UnexpectedEventError('The event has no Records: map this function to a Kinesis stream.')
  }
  return records.flatMap(readRecord)
}

function readRecord(record: KinesisEventRecord): StreamRecord[] {
  const { kinesis, eventID, eventSourceARN } = record
  if (kinesis?.sequenceNumber === undefined || eventID === undefined || eventSourceARN === undefined) {
    throw new UnexpectedEventError(
      `A record of source ${JSON.stringify(record.eventSource)} is no Kinesis record: map this function to a Kinesis stream.`,
    )
  }
  const data = Buffer.from(kinesis.data, 'base64')
  const position: RecordPosition = {
    streamArn: eventSourceARN,
    streamName: eventSourceARN.slice(eventSourceARN.lastIndexOf('/') + 1),
    shardId: eventID.slice(0, eventID.indexOf(':')),
    sequenceNumber: kinesis.sequenceNumber,
    subSequenceNumber: 0,
    partitionKey: kinesis.partitionKey,
    arrivalMs: Math.round(kinesis.approximateArrivalTimestamp * 1000),
  }
  const decoded = decodeAggregate(data)
  if (decoded.kind === 'plain') return [{ position, data, fault: undefined }]
  if (decoded.kind === 'corrupt') {
    const fault = new PermanentError(`The aggregated record is broken: ${decoded.reason}.`, {
      reasonCode: 'corrupt-aggregate',
    })
    return [{ position, data, fault }]
  }
  return decoded.records.map((member, subSequenceNumber) => ({
    position: { ...position, subSequenceNumber, partitionKey: member.partitionKey },
    data: member.data,
    fault: undefined,
  }))
}
