import type { PendingRecord } from './pending-record.js'

/**
 * Every record that can still expire, oldest first. All records live equally long, so the oldest is always the next to expire
 * and no heap is needed. It has links of its own, because a record is also in a lane, in its key's line or in flight.
 */
export class AgeList {
  oldest: PendingRecord | undefined
  #youngest: PendingRecord | undefined

  push(record: PendingRecord): void {
    record.aging = true
    record.older = this.#youngest
    record.younger = undefined
    if (this.#youngest === undefined) this.oldest = record
    else this.#youngest.younger = record
    this.#youngest = record
  }

  /** Does nothing for a record that was removed before. */
  remove(record: PendingRecord): void {
    if (!record.aging) return
    record.aging = false
    if (record.older === undefined) this.oldest = record.younger
    else record.older.younger = record.younger
    if (record.younger === undefined) this.#youngest = record.older
    else record.younger.older = record.older
    record.older = undefined
    record.younger = undefined
  }
}
