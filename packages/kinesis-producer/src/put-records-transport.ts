/** The stream as API calls name it. */
export type StreamIdentity = { streamName: string } | { streamArn: string }

/** One entry of a PutRecords request. */
export interface OutgoingEntry {
  readonly partitionKey: string
  /** Decimal; overrides the hash of the partition key. */
  readonly explicitHashKey: string | undefined
  readonly data: Uint8Array
  readonly dataBytes: number
  /** The data where it is text of which nobody has asked for the bytes: a transport that can send it so spares them. */
  readonly text?: string | undefined
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

/** What a stream says of itself. */
export interface StreamDescription {
  /** The longest record that it takes, data and partition key, in bytes; undefined where it does not say. */
  maxRecordBytes: number | undefined
  /**
   * `'keyed'`: a record goes to the shard of its hash key. `'auto'`: the service chooses the shard and ignores the keys, and consumers drop
   * aggregated records. Undefined where the stream does not say: then nothing may be taken for granted.
   */
  recordDistribution: 'keyed' | 'auto' | undefined
}

/**
 * The producer's way to the service; write one to send records another way than over the AWS SDK.
 *
 * One call is one attempt: whoever implements this must not retry, because attempts, backoff and order are decided in one place. The
 * `signal` aborts when the producer gives the request up, after `requestTimeoutMs` or at `close`; whatever the call does afterwards
 * changes nothing any more, but should end soon, for until then it holds its connection.
 *
 * A request that fails rejects with a `TransportFault`, which decides what becomes of its records. Anything else that is thrown, and a
 * result that is none, counts as a transient fault after which the records may have been delivered.
 */
export interface PutRecordsTransport {
  /**
   * Resolves with one result per entry, in their order, also where some or all entries failed: that is no fault of the request. The data
   * of the entries must not be changed, nor read after the call has settled.
   */
  putRecords(
    stream: StreamIdentity,
    entries: readonly OutgoingEntry[],
    signal: AbortSignal,
  ): Promise<readonly PutRecordsEntryResult[]>
  /** Every open shard of the stream. */
  listShards(stream: StreamIdentity, signal: AbortSignal): Promise<readonly OpenShard[]>
  /** Without it the producer knows nothing of the stream but its shards, and does not aggregate. */
  describeStream?(stream: StreamIdentity, signal: AbortSignal): Promise<StreamDescription>
  /** Lets go of connections. Called once, when no request is under way any more. */
  close(): void
}

/**
 * `throttled`: the service asks for less, and took nothing; the records are sent again, and their shards are slowed down. `transient`:
 * another attempt may succeed; the records are sent again. `rejected`: none will; the records fail at once.
 */
export type TransportFaultKind = 'throttled' | 'transient' | 'rejected'

/**
 * A whole request that failed, as a transport reports it:
 *
 *     throw new TransportFault('The gateway answered 503.', {
 *       kind: 'transient', reason: 'HTTP 503', maybeDelivered: true, cause: error,
 *     })
 *
 * Be honest about `maybeDelivered`: a record that fails in the end tells its owner by it whether sending it elsewhere may make two of it.
 */
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
