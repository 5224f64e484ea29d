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

/** Takes the records at the head of a batch off that arrived before a time. */
export function splitByAge<R extends ShardRecord>(
  batch: Attempt<R>,
  beforeMs: number,
): { old: TrackedRecord<R>[]; rest: Attempt<R> | undefined } {
  const young = batch.records.findIndex(({ record }) => record.arrivalMs >= beforeMs)
  if (young === -1) return { old: batch.records, rest: undefined }
  return { old: batch.records.slice(0, young), rest: { ...batch, records: batch.records.slice(young) } }
}
