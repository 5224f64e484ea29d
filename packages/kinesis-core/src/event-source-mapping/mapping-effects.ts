import type { ShardRecord } from './shard-record.js'
import type { WindowInvocation } from './tumbling-window.js'

/** The records of one invocation; none where a window is closed. */
export interface MappedBatch<R extends ShardRecord> {
  readonly records: readonly R[]
  readonly window?: WindowInvocation
}

/** What the host is to do, in this order. */
export type MappingEffect<R extends ShardRecord> =
  | InvokeEffect<R>
  | CheckpointEffect
  | DiscardEffect<R>
  | WakeEffect

/** Invoke the function, and hand what came of it to `settle` under the same id. */
export interface InvokeEffect<R extends ShardRecord> {
  kind: 'invoke'
  id: number
  /** 0 to `parallelizationFactor` - 1; a lane has one batch in flight. */
  lane: number
  batch: MappedBatch<R>
  /** 1 for the first invocation with these records. */
  attempt: number
}

/** Everything up to this sequence number is resolved. */
export interface CheckpointEffect {
  kind: 'checkpoint'
  sequenceNumber: string
}

/** `condition` of the failure destination's document. */
export type DiscardCondition = 'RetryAttemptsExhausted' | 'RecordAgeExceeded'

/** Write the batch to the failure destination, and call `discarded` under the same id when that is durable. */
export interface DiscardEffect<R extends ShardRecord> {
  kind: 'discard'
  id: number
  lane: number
  batch: MappedBatch<R>
  condition: DiscardCondition
  /** Invocations with these records, splits included. */
  invocations: number
  /** Whether the last invocation threw, timed out or crashed; false where it reported failures itself. */
  functionError: boolean
}

/** Call `tick` at this time. Each call's answer replaces the wake of the one before; none means that only input moves it on. */
export interface WakeEffect {
  kind: 'wake'
  atMs: number
}

/**
 * What came of an invocation. One that never reached the function, because it was throttled say, takes none of the batch's retries
 * ("Retain discarded batch records", before invocation).
 */
export type InvocationOutcome = { ok: true; payload: unknown } | { ok: false; invoked?: boolean }
