import type { ServiceName } from '../wire/request-observer.js'

/** What goes wrong with one call over the wire. Calls in process are never harmed. */
export type FaultAction =
  /**
   * The whole call is throttled, with the error that the service has for it; nothing is done. With `shardIds`, only what those shards
   * are asked: entries of a PutRecords one by one, another call as a whole where it reads or writes one of them.
   */
  | { kind: 'throttle'; shardIds?: readonly string[] }
  /**
   * That share (0 to 1) of the entries of a PutRecords fails with InternalFailure, chosen by `random` of `startLocal`; the others are
   * stored. Calls of other operations go through unharmed.
   */
  | { kind: 'partial'; fraction: number }
  /**
   * The operation runs; the answer to a PutRecords has one entry more than its request, or one fewer, at a place chosen by `random`.
   * Answers of other operations are not touched.
   */
  | { kind: 'wrong-entry-count'; change: 1 | -1 }
  /** HTTP 500 InternalFailure; nothing is done. */
  | { kind: 'error500' }
  /** The call is refused with ExpiredTokenException, as one with temporary credentials of yesterday is; nothing is done. */
  | { kind: 'expired-credentials' }
  /** The connection is cut before the operation runs. */
  | { kind: 'reset-before' }
  /** The operation runs, then the connection is cut: the caller cannot know. */
  | { kind: 'reset-after' }
  /** The operation runs, and the connection is cut in the middle of its answer. */
  | { kind: 'reset-amid' }
  /** The operation runs; of the body of its answer the second half is missing, and its length says so. */
  | { kind: 'truncate' }
  /** The operation runs at once; its answer comes `delayMs` later. */
  | { kind: 'stall'; delayMs: number }
  /** The call arrives `delayMs` later: whoever gave it up by then is served all the same. */
  | { kind: 'late'; delayMs: number }
  /**
   * The clock of the service is that far ahead of this machine's, or behind it where negative: a request signed more than five minutes
   * away is refused, in the service's words, and the date of the answer is the service's.
   */
  | { kind: 'clock-skew'; skewMs: number }

export interface FaultCall {
  service: ServiceName
  operation: string
  /** Of this service's calls over the wire, from 1. */
  number: number
  /** The shards that a call of Kinesis reads or writes; none where it names none, or is wrong. */
  shardIds(): readonly string[]
}

/** Asked once for every call over the wire. Undefined: nothing goes wrong. */
export type FaultPlan = (call: FaultCall) => FaultAction | undefined
