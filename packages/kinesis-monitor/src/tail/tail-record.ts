import { decodeAggregate } from '@org/kinesis-core'
import type { ShardRecord } from '../monitor-source.js'

export interface TailRecord {
  shardId: string
  sequenceNumber: string
  /** The place in its KPL aggregate, from 0; undefined for a record that is none. */
  subSequenceNumber: number | undefined
  partitionKey: string
  /** Set where the producer chose the hash key itself; known for members of aggregates only. */
  explicitHashKey: string | undefined
  data: Uint8Array
  /** When Kinesis took it, in milliseconds since the epoch. */
  arrivalMs: number
  /** Why a record that is marked as an aggregate could not be taken apart; `data` is then the whole of it. */
  corrupt: string | undefined
}

/** One record of the stream is one record for the caller, or as many as its aggregate holds, in their order. */
export function toTailRecords(shardId: string, record: ShardRecord, deaggregate: boolean): TailRecord[] {
  const { sequenceNumber, partitionKey, data, arrivalMs } = record
  const whole: TailRecord = {
    shardId,
    sequenceNumber,
    subSequenceNumber: undefined,
    partitionKey,
    explicitHashKey: undefined,
    data,
    arrivalMs,
    corrupt: undefined,
  }
  if (!deaggregate) return [whole]
  const decoded = decodeAggregate(data)
  if (decoded.kind === 'plain') return [whole]
  if (decoded.kind === 'corrupt') return [{ ...whole, corrupt: decoded.reason }]
  return decoded.records.map((member, index) => ({
    ...whole,
    subSequenceNumber: index,
    partitionKey: member.partitionKey,
    explicitHashKey: member.explicitHashKey,
    data: member.data,
  }))
}
