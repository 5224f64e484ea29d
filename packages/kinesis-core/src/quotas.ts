/**
 * Service quotas, in one place. Sources: Kinesis Data Streams developer guide "Quotas and limits" and API reference
 * (PutRecords, GetRecords, UpdateMaxRecordSize); Lambda developer guide "Lambda quotas" and "Using Lambda with Kinesis";
 * Data Firehose developer guide "Quota" and "Data transformation"; DynamoDB developer guide "Quotas"; SQS developer
 * guide "Message quotas"; SNS developer guide "Publishing large messages".
 */
const KiB = 1024
const MiB = 1024 * KiB

export const kinesisQuotas = {
  /** Entries of one PutRecords call. */
  maxPutRecords: 500,
  /** Data and partition keys of one PutRecords call. */
  maxPutRecordsBytes: 10 * MiB,
  /** Data and partition key of one record, unless the stream's own setting says otherwise. */
  defaultMaxRecordBytes: 1 * MiB,
  /** The most that UpdateMaxRecordSize allows. */
  maxRecordBytes: 10 * MiB,
  /** Unicode characters, not bytes. */
  maxPartitionKeyLength: 256,
  shardWriteRecordsPerSecond: 1_000,
  shardWriteBytesPerSecond: 1 * MiB,
  shardReadBytesPerSecond: 2 * MiB,
  shardReadsPerSecond: 5,
  maxGetRecords: 10_000,
  maxGetRecordsBytes: 10 * MiB,
  shardIteratorLifetimeMs: 300_000,
  minRetentionHours: 24,
  maxRetentionHours: 8_760,
  maxListShards: 1_000,
  /** Consumers of enhanced fan-out on one stream (on-demand advantage: 50). */
  maxStreamConsumers: 20,
  /** After that a consumer calls SubscribeToShard again. */
  shardSubscriptionMs: 300_000,
  /** Before that a second SubscribeToShard of one consumer and shard is refused; after it, it takes over. */
  resubscribeAfterMs: 5_000,
  /** Of enhanced fan-out, for each consumer and shard. */
  consumerReadBytesPerSecond: 2 * MiB,
} as const

export const lambdaQuotas = {
  /** Request and response of a synchronous invocation; also the most that a batch of records may weigh. */
  maxPayloadBytes: 6 * MiB,
  maxBatchSize: 10_000,
  maxBatchingWindowMs: 300_000,
  maxParallelizationFactor: 10,
  maxRetryAttempts: 10_000,
  maxRecordAgeMs: 604_800_000,
  maxTumblingWindowMs: 900_000,
  /** How late the window of an idle shard may be closed. */
  maxIdleWindowDelayMs: 120_000,
  /** State of a tumbling window, per shard. */
  maxWindowStateBytes: 1 * MiB,
  /** Filters of a mapping that a raised quota allows; an account begins with `defaultMaxFilters`. */
  maxFilters: 10,
  defaultMaxFilters: 5,
  /** Characters of one filter pattern, as JSON. */
  maxFilterPatternLength: 4_096,
} as const

export const firehoseQuotas = {
  minBufferBytes: 1 * MiB,
  maxBufferBytes: 128 * MiB,
  maxBufferIntervalMs: 900_000,
  /** Request and response of a transform. */
  maxTransformPayloadBytes: 6 * MiB,
  transformRetries: 3,
} as const

export const dynamoDbQuotas = {
  maxItemBytes: 400 * KiB,
  maxBatchWriteItems: 25,
  maxBatchWriteBytes: 16 * MiB,
  maxPartitionKeyBytes: 2_048,
  maxSortKeyBytes: 1_024,
} as const

export const sqsQuotas = {
  maxMessageBytes: 1 * MiB,
  maxBatchEntries: 10,
} as const

export const snsQuotas = {
  /** Of a message, and of all in one PublishBatch, unless the topic's own `MaximumMessageSize` says otherwise. */
  defaultMaxMessageBytes: 256 * KiB,
  /** The most that `MaximumMessageSize` allows. */
  maxMessageBytes: 1 * MiB,
  maxBatchEntries: 10,
} as const
