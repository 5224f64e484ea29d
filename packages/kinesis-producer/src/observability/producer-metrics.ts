import type { Distribution } from './histogram.js'

/**
 * Counters since the producer was made. Names are those of the KPL where they mean the same; a Kinesis record is an entry of a request,
 * and carries one user record, or with aggregation many.
 */
export interface DeliveryMetrics {
  /** User records delivered. */
  UserRecordsPut: number
  /** Their data, in bytes. */
  UserRecordsDataPut: number
  /** User records accepted and given up. */
  UserRecordsFailed: number
  /** Attempts beyond the first, summed over user records. */
  UserRecordsRetried: number
  /** Attempts that the service throttled, summed over user records. */
  UserRecordsThrottled: number
  KinesisRecordsPut: number
  /** Their data, in bytes. */
  KinesisRecordsDataPut: number
  /** Attempts that failed, in Kinesis records, whatever became of them afterwards. */
  AllErrors: number
  /** The same by the service's or the system's name of the fault: `ProvisionedThroughputExceededException`, `ECONNRESET`. */
  ErrorsByCode: Readonly<Record<string, number>>
  /** Attempts beyond the first of each user record that has settled. */
  RetriesPerRecord: Distribution
  /**
   * From the put of a Kinesis record's oldest user record, or the end of its last attempt, until it was sent; in milliseconds, for each
   * attempt.
   */
  BufferingTime: Distribution
  /** From sending a request to the end of its answer, in milliseconds: of the stream per request, of a shard for each Kinesis record. */
  RequestTime: Distribution
  /** For each Kinesis record delivered. */
  UserRecordsPerKinesisRecord: Distribution
}

export interface StreamDeliveryMetrics extends DeliveryMetrics {
  /** User records accepted. */
  UserRecordsReceived: number
  /** Accepted and not settled; not a counter. */
  UserRecordsPending: number
  KinesisRecordsPerPutRecordsRequest: Distribution
  UserRecordsPerPutRecordsRequest: Distribution
}

export interface ProducerMetrics {
  readonly streamName: string
  /** Everything, also what no shard is known of: what failed before the shards were known, say, and what closed shards got. */
  stream: StreamDeliveryMetrics
  /** By shard id: open shards that were written to, and those that closed, for another ten minutes at least. */
  shards: ReadonlyMap<string, DeliveryMetrics>
}
