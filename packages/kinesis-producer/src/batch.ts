import type { DeliveryAttempt } from './delivery-report.js'
import type { PendingEntry } from './pending-entry.js'
import type { TransportFault } from './put-records-transport.js'

/** One request: its entries are in flight until the queue is told how it ended. */
export interface Batch {
  readonly entries: readonly PendingEntry[]
  /** User records in them. */
  readonly records: number
  readonly sizeBytes: number
  readonly sentAtMs: number
}

/** How a request ended, in user records. */
export interface BatchOutcome {
  delivered: number
  retried: number
  failed: number
  throttled: number
  /** Landed in another shard than expected: a look at the shards decides whether they go again. */
  unverified: number
  /** Entries that landed on another shard than the map says. */
  misplaced: number
  /** Set where the request failed as a whole. */
  fault?: TransportFault
}

/** The work of telling a batch's outcome to its entries. */
export class Settlement {
  readonly outcome: BatchOutcome = {
    delivered: 0,
    retried: 0,
    failed: 0,
    throttled: 0,
    unverified: 0,
    misplaced: 0,
  }
  /** By the time of their next attempt. */
  readonly retries = new Map<number, PendingEntry[]>()
  /** Shared by all records that one request has delivered, or failed for the same reason: a report for each would be dear. */
  readonly #attempts = new Map<string, DeliveryAttempt>()
  #firstHistory: readonly DeliveryAttempt[] | undefined

  /** @param drawn the randomness of its retries: see `decideRetry` */
  constructor(
    readonly batch: Batch,
    readonly nowMs: number,
    readonly drawn: number,
  ) {}

  /** Adds this attempt to the history of an entry. */
  note(entry: PendingEntry, fault?: TransportFault): void {
    if (fault === undefined && entry.history.length === 0) {
      this.#firstHistory ??= [this.#attempt()]
      entry.history = this.#firstHistory
    } else entry.history = [...entry.history, this.#attempt(fault)]
  }

  retryAt(atMs: number, entry: PendingEntry): void {
    const group = this.retries.get(atMs)
    if (group === undefined) this.retries.set(atMs, [entry])
    else group.push(entry)
  }

  #attempt(fault?: TransportFault): DeliveryAttempt {
    const code = fault?.reason ?? ''
    let attempt = this.#attempts.get(code)
    if (attempt === undefined) {
      const { sentAtMs } = this.batch
      attempt = { startedAtMs: sentAtMs, durationMs: this.nowMs - sentAtMs }
      if (fault !== undefined) Object.assign(attempt, { errorCode: code, errorMessage: fault.message })
      this.#attempts.set(code, attempt)
    }
    return attempt
  }
}
