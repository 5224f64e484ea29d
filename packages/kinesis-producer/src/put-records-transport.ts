/** The stream as API calls name it. */
export type StreamIdentity = { streamName: string } | { streamArn: string }

/** One entry of a PutRecords request. */
export interface OutgoingEntry {
  readonly partitionKey: string
  /** Decimal; overrides the hash of the partition key. */
  readonly explicitHashKey: string | undefined
  readonly data: Uint8Array
}

/** One entry of a PutRecords response: shard and sequence number where it succeeded, an error code where it did not. */
export interface PutRecordsEntryResult {
  shardId?: string | undefined
  sequenceNumber?: string | undefined
  errorCode?: string | undefined
  errorMessage?: string | undefined
}

/** An open shard and its hash key range, both ends included, decimal as in the API. */
export interface OpenShard {
  shardId: string
  startingHashKey: string
  endingHashKey: string
}

export interface StreamDescription {
  /** Undefined where the service does not tell. */
  maxRecordBytes: number | undefined
  /** `auto`: the service chooses the shards and ignores keys; consumers of such a stream drop aggregates. */
  recordDistribution: 'keyed' | 'auto' | undefined
}

/**
 * The producer's way to the service. One call is one attempt: whoever implements this must not retry, because attempts,
 * backoff and order are decided in one place. Failures are `TransportFault`s; anything else that is thrown counts as a fault
 * after which the records may have been delivered.
 */
export interface PutRecordsTransport {
  /** Resolves with one result per entry, in their order. */
  putRecords(
    stream: StreamIdentity,
    entries: readonly OutgoingEntry[],
    signal: AbortSignal,
  ): Promise<readonly PutRecordsEntryResult[]>
  /** Every open shard of the stream. */
  listShards(stream: StreamIdentity, signal: AbortSignal): Promise<readonly OpenShard[]>
  /** What the stream says of itself. Without this method records are not aggregated, and keep to the default limit. */
  describeStream?(stream: StreamIdentity, signal: AbortSignal): Promise<StreamDescription>
  /** Lets go of connections. Called once, when no request is under way any more. */
  close(): void
}

/**
 * `throttled`: the service asks for less, and took nothing. `transient`: another attempt may succeed. `rejected`: none will.
 */
export type TransportFaultKind = 'throttled' | 'transient' | 'rejected'

/** A whole request that failed. */
export class TransportFault extends Error {
  readonly kind: TransportFaultKind
  /** The service's or the system's name of it: `AccessDeniedException`, `ECONNRESET`. */
  readonly reason: string
  /** True where the service may have stored the records although no answer came. */
  readonly maybeDelivered: boolean

  constructor(
    message: string,
    options: { kind: TransportFaultKind; reason: string; maybeDelivered: boolean; cause?: unknown },
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'TransportFault'
    this.kind = options.kind
    this.reason = options.reason
    this.maybeDelivered = options.maybeDelivered
  }
}
