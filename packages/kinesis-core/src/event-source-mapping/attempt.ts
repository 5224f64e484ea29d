import type { ShardRecord, TrackedRecord } from './shard-record.js'

/** A batch and its history. */
export interface Attempt<R extends ShardRecord> {
  records: TrackedRecord<R>[]
  /** Closes the window; has no records. */
  final: boolean
  early: boolean
  /** Failed attempts that count towards the retry quota. */
  failures: number
  /** Invocations of this batch and of those it was split from. */
  invocations: number
  /** Attempts without progress in a row: what backoff grows with, also while splits leave `failures` alone. */
  setbacks: number
  functionError: boolean
  retryAtMs: number
}

export function firstAttempt<R extends ShardRecord>(records: TrackedRecord<R>[]): Attempt<R> {
  return {
    records,
    final: false,
    early: false,
    failures: 0,
    invocations: 0,
    setbacks: 0,
    functionError: false,
    retryAtMs: 0,
  }
}

/** How many records at the head of a batch arrived before a time. */
export function countBefore<R extends ShardRecord>({ records }: Attempt<R>, timeMs: number): number {
  const young = records.findIndex(({ record }) => record.arrivalMs >= timeMs)
  return young === -1 ? records.length : young
}
