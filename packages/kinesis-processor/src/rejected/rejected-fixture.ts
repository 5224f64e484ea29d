import { type RejectedRecord, rejectedRecord } from '../rejected-record.js'
import type { RecordPosition } from '../stream-record.js'

/** An envelope as the handler makes it; a test says only what matters to it. */
export function aRejectedRecord(
  options: Partial<RecordPosition> & {
    data?: Uint8Array | string
    error?: unknown
    reasonCode?: 'invalid' | 'undecodable' | 'corrupt-aggregate'
    rejectedMs?: number
  } = {},
): RejectedRecord {
  const {
    data = 'payload',
    error = new Error('bad'),
    reasonCode = 'invalid',
    rejectedMs = 0,
    ...place
  } = options
  const position: RecordPosition = {
    streamArn: 'arn:aws:kinesis:us-east-1:000000000000:stream/orders',
    streamName: 'orders',
    shardId: 'shardId-000000000000',
    sequenceNumber: '1',
    subSequenceNumber: 0,
    partitionKey: 'a',
    arrivalMs: 0,
    ...place,
  }
  return rejectedRecord(
    { position, data: typeof data === 'string' ? Buffer.from(data) : data, fault: undefined },
    { error, reasonCode },
    rejectedMs,
  )
}
