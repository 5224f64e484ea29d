/** What the mapping needs to know of a record; a host adds what it needs itself. */
export interface ShardRecord {
  partitionKey: string
  sequenceNumber: string
  /** Approximate arrival in the stream, milliseconds since the epoch. */
  arrivalMs: number
  /** What the record weighs in the payload of an invocation, base64 included: see `kinesisEventBuilder`. */
  payloadBytes: number
  /** What filters look at; a record without passes none. */
  data?: Uint8Array | undefined
}

/** A record that was handed to the mapping, and whether it is done with. */
export interface TrackedRecord<R extends ShardRecord> {
  readonly record: R
  readonly offeredAtMs: number
  resolved: boolean
}
