import { decodeAggregate } from '@org/kinesis-core'
import type { CheckpointLedger, ShardRecord, TrackedRecord } from '@org/kinesis-core/event-source-mapping'
import type { StreamRecord } from '../event-source-mapping/shard-reader.js'

interface KinesisSource {
  shardId: string
  partitionKey: string
  sequenceNumber: string
  subsequenceNumber: number
}

/** One user record on its way to an object: a Kinesis record, a member of an aggregated one, or what was put directly. */
export interface DeliveryRecord {
  recordId: string
  /** Undefined for records that were put to the delivery stream itself. */
  source: KinesisSource | undefined
  arrivalMs: number
  data: Uint8Array
  /** To be called once, when the record is in an object, in an error object, or dropped. */
  settle: () => void
}

export type Unpacked =
  | { kind: 'records'; records: DeliveryRecord[] }
  | { kind: 'corrupt'; record: DeliveryRecord; reason: string }

/**
 * Takes a Kinesis record apart as Firehose does before it transforms or delivers. The ledger counts the record as resolved when its last
 * member is settled: members have no checkpoint of their own.
 */
export function unpack(
  shardId: string,
  record: StreamRecord,
  ledger: CheckpointLedger<ShardRecord>,
  tracked: TrackedRecord<ShardRecord>,
): Unpacked {
  const decoded = decodeAggregate(record.data)
  const members = decoded.kind === 'aggregated' ? decoded.records : [record]
  let unsettled = members.length
  const settle = () => {
    unsettled -= 1
    if (unsettled <= 0) ledger.resolve([tracked])
  }
  const records = members.map((member, index) => ({
    recordId: `${record.sequenceNumber}${String(index).padStart(12, '0')}`,
    source: {
      shardId,
      partitionKey: member.partitionKey,
      sequenceNumber: record.sequenceNumber,
      subsequenceNumber: index,
    },
    arrivalMs: record.arrivalMs,
    data: member.data,
    settle,
  }))
  if (decoded.kind === 'corrupt') return { kind: 'corrupt', record: records[0]!, reason: decoded.reason }
  if (records.length === 0) settle()
  return { kind: 'records', records }
}
