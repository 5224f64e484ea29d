/**
 * Every metric that the toolkit emits, alarms on or draws: namespace, name, unit, statistic and the exact dimension names.
 * Emitters, alarms and the monitor all read it here, so that none can drift from the others.
 */
export type MetricUnit = 'Count' | 'Bytes' | 'Milliseconds' | 'Seconds' | 'Percent'
export type MetricStatistic = 'Sum' | 'Average' | 'Maximum' | 'Minimum' | 'SampleCount'

export interface MetricDefinition {
  namespace: string
  name: string
  unit: MetricUnit
  /** The statistic that says most about it. */
  statistic: MetricStatistic
  /** Exactly these, no more and no fewer: CloudWatch takes every other set for another metric. */
  dimensions: readonly string[]
}

const stream = (name: string, unit: MetricUnit, statistic: MetricStatistic): MetricDefinition => ({
  namespace: 'AWS/Kinesis',
  name,
  unit,
  statistic,
  dimensions: ['StreamName'],
})

const shard = (name: string, unit: MetricUnit, statistic: MetricStatistic): MetricDefinition => ({
  namespace: 'AWS/Kinesis',
  name,
  unit,
  statistic,
  dimensions: ['StreamName', 'ShardId'],
})

/** Published by Kinesis itself, per stream (developer guide, "Monitoring with CloudWatch"). */
export const streamMetrics = {
  incomingRecords: stream('IncomingRecords', 'Count', 'Sum'),
  incomingBytes: stream('IncomingBytes', 'Bytes', 'Sum'),
  // Not OutgoingRecords and OutgoingBytes: Kinesis publishes those names per shard only.
  outgoingRecords: stream('GetRecords.Records', 'Count', 'Sum'),
  outgoingBytes: stream('GetRecords.Bytes', 'Bytes', 'Sum'),
  writeThroughputExceeded: stream('WriteProvisionedThroughputExceeded', 'Count', 'Sum'),
  readThroughputExceeded: stream('ReadProvisionedThroughputExceeded', 'Count', 'Sum'),
  iteratorAge: stream('GetRecords.IteratorAgeMilliseconds', 'Milliseconds', 'Maximum'),
  getRecordsSuccess: stream('GetRecords.Success', 'Count', 'Average'),
  getRecordsLatency: stream('GetRecords.Latency', 'Milliseconds', 'Average'),
  putRecordsTotalRecords: stream('PutRecords.TotalRecords', 'Count', 'Sum'),
  putRecordsSuccessfulRecords: stream('PutRecords.SuccessfulRecords', 'Count', 'Sum'),
  putRecordsFailedRecords: stream('PutRecords.FailedRecords', 'Count', 'Sum'),
  putRecordsThrottledRecords: stream('PutRecords.ThrottledRecords', 'Count', 'Sum'),
  putRecordsLatency: stream('PutRecords.Latency', 'Milliseconds', 'Average'),
  // Counts calls in which at least one record succeeded: never alarm on it.
  putRecordsSuccess: stream('PutRecords.Success', 'Count', 'Average'),
} as const

/** Published by Kinesis per shard, where enhanced monitoring is on. */
export const shardMetrics = {
  incomingRecords: shard('IncomingRecords', 'Count', 'Sum'),
  incomingBytes: shard('IncomingBytes', 'Bytes', 'Sum'),
  outgoingRecords: shard('OutgoingRecords', 'Count', 'Sum'),
  outgoingBytes: shard('OutgoingBytes', 'Bytes', 'Sum'),
  writeThroughputExceeded: shard('WriteProvisionedThroughputExceeded', 'Count', 'Sum'),
  readThroughputExceeded: shard('ReadProvisionedThroughputExceeded', 'Count', 'Sum'),
  iteratorAge: shard('IteratorAgeMilliseconds', 'Milliseconds', 'Maximum'),
} as const

const consumer = (name: string, unit: MetricUnit, statistic: MetricStatistic): MetricDefinition => ({
  namespace: 'AWS/Kinesis',
  name,
  unit,
  statistic,
  dimensions: ['StreamName', 'ConsumerName'],
})

/** Published by Kinesis per consumer of enhanced fan-out. */
export const consumerMetrics = {
  subscribeSuccess: consumer('SubscribeToShard.Success', 'Count', 'Average'),
  records: consumer('SubscribeToShardEvent.Records', 'Count', 'Sum'),
  bytes: consumer('SubscribeToShardEvent.Bytes', 'Bytes', 'Sum'),
  millisBehindLatest: consumer('SubscribeToShardEvent.MillisBehindLatest', 'Milliseconds', 'Maximum'),
} as const

const lambda = (name: string, unit: MetricUnit, statistic: MetricStatistic): MetricDefinition => ({
  namespace: 'AWS/Lambda',
  name,
  unit,
  statistic,
  dimensions: ['FunctionName'],
})

/** Published by Lambda itself, per function. */
export const functionMetrics = {
  invocations: lambda('Invocations', 'Count', 'Sum'),
  errors: lambda('Errors', 'Count', 'Sum'),
  throttles: lambda('Throttles', 'Count', 'Sum'),
  duration: lambda('Duration', 'Milliseconds', 'Average'),
  iteratorAge: lambda('IteratorAge', 'Milliseconds', 'Maximum'),
  destinationDeliveryFailures: lambda('DestinationDeliveryFailures', 'Count', 'Sum'),
} as const

const mapping = (name: string): MetricDefinition => ({
  namespace: 'AWS/Lambda',
  name,
  unit: 'Count',
  statistic: 'Sum',
  dimensions: ['EventSourceMappingUUID'],
})

/** Published by Lambda per event source mapping that asks for `EventCount` (developer guide, "Event source mapping metrics"). */
export const mappingMetrics = {
  polledEvents: mapping('PolledEventCount'),
  filteredOutEvents: mapping('FilteredOutEventCount'),
  /** Counts an event again for each time that it is tried again; so does the next. */
  invokedEvents: mapping('InvokedEventCount'),
  failedInvokeEvents: mapping('FailedInvokeEventCount'),
  /** Given up after their retries or age, but for those that went to a failure destination. */
  droppedEvents: mapping('DroppedEventCount'),
  deliveredToDestinationEvents: mapping('OnFailureDestinationDeliveredEventCount'),
} as const

/** Published by SQS itself, per queue. */
export const queueMetrics = {
  oldestMessageAge: {
    namespace: 'AWS/SQS',
    name: 'ApproximateAgeOfOldestMessage',
    unit: 'Seconds',
    statistic: 'Maximum',
    dimensions: ['QueueName'],
  },
  messagesVisible: {
    namespace: 'AWS/SQS',
    name: 'ApproximateNumberOfMessagesVisible',
    unit: 'Count',
    statistic: 'Maximum',
    dimensions: ['QueueName'],
  },
} as const satisfies Record<string, MetricDefinition>

const delivery = (name: string, unit: MetricUnit, statistic: MetricStatistic): MetricDefinition => ({
  namespace: 'AWS/Firehose',
  name,
  unit,
  statistic,
  dimensions: ['DeliveryStreamName'],
})

/** Published by Firehose itself, per delivery stream. */
export const deliveryMetrics = {
  incomingRecords: delivery('DataReadFromKinesisStream.Records', 'Count', 'Sum'),
  deliveredRecords: delivery('DeliveryToS3.Records', 'Count', 'Sum'),
  deliveredBytes: delivery('DeliveryToS3.Bytes', 'Bytes', 'Sum'),
  deliverySuccess: delivery('DeliveryToS3.Success', 'Count', 'Average'),
  dataFreshness: delivery('DeliveryToS3.DataFreshness', 'Seconds', 'Maximum'),
} as const

/** The namespace of the processor's own metrics; Powertools adds the dimension `service`. */
export const PROCESSING_NAMESPACE = 'KinesisProcessing'

const processing = (
  name: string,
  unit: MetricUnit,
  statistic: MetricStatistic,
  ...more: string[]
): MetricDefinition => ({
  namespace: PROCESSING_NAMESPACE,
  name,
  unit,
  statistic,
  dimensions: ['service', ...more],
})

/** Emitted by the processor, one EMF line per batch. */
export const processingMetrics = {
  recordsReceived: processing('RecordsReceived', 'Count', 'Sum'),
  recordsStored: processing('RecordsStored', 'Count', 'Sum'),
  recordsRejected: processing('RecordsRejected', 'Count', 'Sum'),
  recordsUnresolved: processing('RecordsUnresolved', 'Count', 'Sum'),
  /** By a step that gave nothing. */
  recordsDropped: processing('RecordsDropped', 'Count', 'Sum'),
  /** Sent twice by their producer, and passed over the second time. */
  recordsDeduplicated: processing('RecordsDeduplicated', 'Count', 'Sum'),
  /** Tries again within an invocation. */
  recordsRetried: processing('RecordsRetried', 'Count', 'Sum'),
  /** Records that Lambda does not deliver again. */
  checkpointAdvance: processing('CheckpointAdvance', 'Count', 'Sum'),
  batchDuration: processing('BatchDuration', 'Milliseconds', 'Average'),
  /** Decoding and steps of a batch. */
  stepsDuration: processing('StepsDuration', 'Milliseconds', 'Average'),
  /** Writes of a batch to the sink. */
  sinkDuration: processing('SinkDuration', 'Milliseconds', 'Average'),
  /** 1 for the first batch of a function's environment, 0 for the others. */
  coldStarts: processing('ColdStarts', 'Count', 'Sum'),
  iteratorAge: processing('IteratorAge', 'Milliseconds', 'Maximum'),
  /** Per event type, which is bounded to the known types and OTHER. */
  recordsProcessed: processing('RecordsProcessed', 'Count', 'Sum', 'EventType'),
} as const
