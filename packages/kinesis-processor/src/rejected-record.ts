import { isPermanent, type ReasonCode } from './errors.js'
import type { StreamRecord } from './stream-record.js'

/** What is kept of a record that can never be processed: enough to know why, and to put it back. */
export interface RejectedRecord {
  version: 1
  streamArn: string
  streamName: string
  shardId: string
  sequenceNumber: string
  subSequenceNumber: number
  partitionKey: string
  /** ISO 8601. */
  arrivalTime: string
  rejectedTime: string
  reasonCode: ReasonCode
  /** The error and its causes, outermost first. */
  errors: { name: string; message: string }[]
  /** Base64 of the record as it was. */
  payload: string
}

/** Durable when it resolves. Where it rejects, the records stay unresolved and come again. */
export interface RejectedSink {
  write(records: readonly RejectedRecord[]): Promise<readonly RejectedResult[]>
}

export type RejectedResult = { stored: true } | { stored: false; error: unknown }

const MAX_CAUSES = 5
const MAX_MESSAGE_LENGTH = 1_000

export function rejectedRecord(
  { position, data }: StreamRecord,
  error: unknown,
  nowMs: number,
): RejectedRecord {
  const { arrivalMs, ...place } = position
  return {
    version: 1,
    ...place,
    arrivalTime: new Date(arrivalMs).toISOString(),
    rejectedTime: new Date(nowMs).toISOString(),
    reasonCode: isPermanent(error) ? error.reasonCode : 'rejected-by-step',
    errors: errorChain(error),
    payload: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'),
  }
}

function errorChain(error: unknown): { name: string; message: string }[] {
  const chain: { name: string; message: string }[] = []
  for (let next = error; next !== undefined && chain.length < MAX_CAUSES; ) {
    const isError = next instanceof Error
    const message = isError ? next.message : String(next)
    chain.push({ name: isError ? next.name : typeof next, message: message.slice(0, MAX_MESSAGE_LENGTH) })
    next = isError ? next.cause : undefined
  }
  return chain
}
