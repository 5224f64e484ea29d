import { createHash } from 'node:crypto'
import { isPermanent, type ReasonCode } from './errors.js'
import { jsonText } from './json-text.js'
import type { SinkContext, SinkResult } from './sink.js'
import type { StreamRecord } from './stream-record.js'

/** The envelope of a record that can never be processed: enough to know why, and to put it back. `parseRejectedRecord` reads it again. */
export interface RejectedRecord {
  version: 1
  streamArn: string
  streamName: string
  shardId: string
  sequenceNumber: string
  /** Place in an aggregated record, from 0; 0 for a plain record. */
  subSequenceNumber: number
  partitionKey: string
  /** When the stream took it, in milliseconds since the epoch. */
  arrivalMs: number
  /** The same in ISO 8601. */
  arrivalTime: string
  /** ISO 8601. */
  rejectedTime: string
  /** A later release may write others. */
  reasonCode: ReasonCode | (string & {})
  /** The error and its causes, outermost first: at most 5, names of at most 100 characters and messages of at most 1,000. */
  errors: { name: string; message: string }[]
  /** Base64 of the record as it was. */
  payload: string
}

/**
 * Where rejected records are kept. It answers for each, at the same index, and what it says is stored is durable. Whatever it does not
 * store, or all when it throws, stays unresolved and comes again: a record may be there more than once.
 */
export interface RejectedSink {
  write(records: readonly RejectedRecord[], context: SinkContext): Promise<readonly SinkResult[]>
}

const MAX_CAUSES = 5
const MAX_NAME_LENGTH = 100
const MAX_MESSAGE_LENGTH = 1_000

export function rejectedRecord(
  { position, data }: StreamRecord,
  fault: { error: unknown; reasonCode: ReasonCode },
  nowMs: number,
): RejectedRecord & { reasonCode: ReasonCode } {
  const { streamArn, streamName, shardId, sequenceNumber, subSequenceNumber, partitionKey, arrivalMs } =
    position
  return {
    version: 1,
    streamArn,
    streamName,
    shardId,
    sequenceNumber,
    subSequenceNumber,
    partitionKey,
    arrivalMs,
    arrivalTime: isoTime(arrivalMs),
    rejectedTime: isoTime(nowMs),
    reasonCode: (isPermanent(fault.error) ? fault.error.reasonCode : undefined) ?? fault.reasonCode,
    errors: errorChain(fault.error),
    payload: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'),
  }
}

/** The bytes of the record as they were. */
export function rejectedPayload({ payload }: Pick<RejectedRecord, 'payload'>): Uint8Array {
  return Buffer.from(payload, 'base64')
}

/** As it is stored: one line of JSON, which a queue takes, whatever the partition key and the error messages hold. */
export function envelopeText(record: RejectedRecord): string {
  return jsonText(record)
}

/**
 * The same for every envelope of one record: repeats have it in common. The position alone would not do: after a release that unpacks records in
 * another way, the same place may be that of another part, or of the whole.
 */
export function recordIdentity(record: RejectedRecord): string {
  const { streamArn, shardId, sequenceNumber, subSequenceNumber, payload } = record
  const digest = createHash('sha256').update(payload).digest('base64')
  return JSON.stringify([streamArn, shardId, sequenceNumber, subSequenceNumber, digest])
}

/** A time that no calendar holds must not keep a record from being rejected. */
function isoTime(ms: number): string {
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : String(ms)
}

function errorChain(error: unknown): { name: string; message: string }[] {
  const chain: { name: string; message: string }[] = []
  for (let next = error; next !== undefined && chain.length < MAX_CAUSES; ) {
    const { name, message, cause } =
      next instanceof Error ? next : { name: typeof next, message: next, cause: undefined }
    chain.push({
      name: text(name).slice(0, MAX_NAME_LENGTH),
      message: text(message).slice(0, MAX_MESSAGE_LENGTH),
    })
    next = cause
  }
  return chain
}

/** Anything can be thrown, also what has no text. */
function text(value: unknown): string {
  try {
    return String(value)
  } catch {
    return Object.prototype.toString.call(value)
  }
}
