/**
 * The KPL aggregated record: magic, an AggregatedRecord message, the MD5 of that message
 * (awslabs/amazon-kinesis-producer, aggregation-format.md).
 */
export const MAGIC = Buffer.from([0xf3, 0x89, 0x9a, 0xc2])
export const MD5_BYTES = 16

export const aggregatedRecordFields = { partitionKeyTable: 1, explicitHashKeyTable: 2, records: 3 } as const
export const recordFields = { partitionKeyIndex: 1, explicitHashKeyIndex: 2, data: 3, tags: 4 } as const
export const tagFields = { key: 1, value: 2 } as const

/** Reserved by the format and ignored by its readers so far. */
export interface RecordTag {
  key: string
  value?: string
}

/** One record of the user's inside an aggregate. */
export interface UserRecord {
  partitionKey: string
  /** Decimal; overrides the hash of the partition key. */
  explicitHashKey?: string
  data: Uint8Array
  tags?: readonly RecordTag[]
}
