/** What the caller gets for a record that is durable in the stream. */
export interface Receipt {
  shardId: string
  sequenceNumber: string
  /** Place in the aggregate that carried the record, from 0; 0 for a record that went alone. */
  subSequenceNumber: number
  /** How many requests carried the record; above 1 the stream may hold it more than once. */
  attempts: number
  /** These requests, the last of them the one that delivered it. Shared between records: not to be changed. */
  history: readonly DeliveryAttempt[]
}

/** One request that carried a record. */
export interface DeliveryAttempt {
  /** Milliseconds since the epoch. */
  startedAtMs: number
  /** To the end of its answer, or until it was given up. */
  durationMs: number
  /** Why it did not deliver the record, in the service's or the system's word for it; undefined where it did. */
  errorCode?: string
  errorMessage?: string
}
