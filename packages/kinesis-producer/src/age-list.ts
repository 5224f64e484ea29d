import type { PendingEntry } from './pending-entry.js'

/**
 * Every entry that can still expire, oldest first. All live equally long, so the oldest is always the next to expire
 * and no heap is needed. It has links of its own, because an entry is also in a lane, in its key's line or in flight.
 */
export class AgeList {
  oldest: PendingEntry | undefined
  #youngest: PendingEntry | undefined

  push(entry: PendingEntry): void {
    entry.aging = true
    entry.older = this.#youngest
    entry.younger = undefined
    if (this.#youngest === undefined) this.oldest = entry
    else this.#youngest.younger = entry
    this.#youngest = entry
  }

  /** Does nothing for one that was removed before. */
  remove(entry: PendingEntry): void {
    if (!entry.aging) return
    entry.aging = false
    if (entry.older === undefined) this.oldest = entry.younger
    else entry.older.younger = entry.younger
    if (entry.younger === undefined) this.#youngest = entry.older
    else entry.younger.older = entry.older
    entry.older = undefined
    entry.younger = undefined
  }

  /** Puts entries in front of another, whose place they take. */
  insertBefore(entry: PendingEntry, parts: readonly PendingEntry[]): void {
    if (!entry.aging) return
    for (const part of parts) {
      part.aging = true
      part.younger = entry
      part.older = entry.older
      if (entry.older === undefined) this.oldest = part
      else entry.older.younger = part
      entry.older = part
    }
  }
}
