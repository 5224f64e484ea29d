import type { RecordPosition } from './stream-record.js'

export interface SinkRecord<T> {
  value: T
  /** The same object each time that the record is written within an invocation, and another in the next. */
  position: RecordPosition
}

/**
 * What became of one record: stored, or an error. A `PermanentError` sends the record to the rejected sink; every other error
 * leaves it to be tried again.
 */
export type SinkResult = { stored: true } | { stored: false; error: unknown }

export interface SinkContext {
  /** Milliseconds in which a sink may still start requests. It ends before the invocation does, by the handler's margin. */
  remainingMs(): number
}

/**
 * Where records go. `write` gets records in stream order and answers for each, at the same index. Records of one partition key must
 * be written in this order, and none after one of its key that failed: for those it answers with an error as well, but not a `PermanentError`.
 * When `write` throws, all of its records failed with that error. It is never called twice at once for one batch.
 */
export interface Sink<T> {
  write(records: readonly SinkRecord<T>[], context: SinkContext): Promise<readonly SinkResult[]>
}

/** For the records behind one that failed. */
export function heldBack(cause: unknown): SinkResult {
  return { stored: false, error: new Error('An earlier record of its partition key failed.', { cause }) }
}

/** For the records that a sink did not come to. */
export function outOfTime(): SinkResult {
  return { stored: false, error: new Error('The invocation has no time left to write the record.') }
}
