import type { PendingRecord } from './pending-record.js'
import type { TransportFault } from './put-records-transport.js'

/** One request: its records are in flight until the queue is told how it ended. */
export interface Batch {
  readonly records: readonly PendingRecord[]
  readonly sizeBytes: number
  readonly sentAtMs: number
}

/** How a request ended, record by record. */
export interface BatchOutcome {
  delivered: number
  retried: number
  failed: number
  throttled: number
  /** Records that landed on another shard than the map says. */
  misplaced: number
  /** Set where the request failed as a whole. */
  fault?: TransportFault
}

/** The work of telling a batch's outcome to its records. */
export interface Settlement {
  readonly batch: Batch
  readonly nowMs: number
  /** Drawn once: see `decideRetry`. */
  readonly random: () => number
  /** By the time of their next attempt. */
  readonly retries: Map<number, PendingRecord[]>
  readonly outcome: BatchOutcome
}

export function beginSettlement(batch: Batch, nowMs: number, drawn: number): Settlement {
  return {
    batch,
    nowMs,
    random: () => drawn,
    retries: new Map(),
    outcome: { delivered: 0, retried: 0, failed: 0, throttled: 0, misplaced: 0 },
  }
}
