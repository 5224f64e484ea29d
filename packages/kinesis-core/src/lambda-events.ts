/** The shapes that Lambda and Firehose exchange with a handler, as documented; only what a handler may rely on. */

export interface KinesisEventRecord {
  eventID: string
  eventName: string
  eventSource: string
  eventSourceARN: string
  eventVersion: string
  awsRegion: string
  invokeIdentityArn: string
  kinesis: {
    kinesisSchemaVersion: string
    partitionKey: string
    sequenceNumber: string
    /** Base64. */
    data: string
    /** Seconds since the epoch, with a fraction. */
    approximateArrivalTimestamp: number
  }
}

/** `window` and what follows it are present only where the mapping has a tumbling window. */
export interface KinesisEvent {
  Records: KinesisEventRecord[]
  window?: { start: string; end: string }
  state?: Record<string, unknown>
  shardId?: string
  eventSourceARN?: string
  isFinalInvokeForWindow?: boolean
  isWindowTerminatedEarly?: boolean
}

/** An empty list is full success; the lowest sequence number named is where Lambda goes on. */
export interface KinesisBatchResponse {
  batchItemFailures: { itemIdentifier: string }[]
}

/** What a handler on a tumbling window returns. */
export interface KinesisWindowResponse extends KinesisBatchResponse {
  state: Record<string, unknown>
}

export interface FirehoseEvent {
  invocationId: string
  deliveryStreamArn: string
  sourceKinesisStreamArn?: string
  region: string
  records: FirehoseEventRecord[]
}

export interface FirehoseEventRecord {
  recordId: string
  /** Milliseconds since the epoch. */
  approximateArrivalTimestamp: number
  /** Base64. */
  data: string
  kinesisRecordMetadata?: {
    shardId: string
    partitionKey: string
    sequenceNumber: string
    subsequenceNumber: number
    approximateArrivalTimestamp: number
  }
}

export interface FirehoseResponseRecord {
  recordId: string
  result: 'Ok' | 'Dropped' | 'ProcessingFailed'
  /** Base64. */
  data?: string
  metadata?: { partitionKeys?: Record<string, string> }
}

export interface FirehoseResponse {
  records: FirehoseResponseRecord[]
}

/** The part of Lambda's context that the toolkit uses. */
export interface LambdaContext {
  functionName: string
  awsRequestId: string
  getRemainingTimeInMillis(): number
}
