import { MinHeap } from './min-heap.js'
import type { PendingEntry } from './pending-entry.js'

/** Entries that wait for their next attempt, in groups that come back together and share requests again. */
export class BackoffQueue {
  readonly #groups = new MinHeap<{ at: number; entries: readonly PendingEntry[] }>()

  /** When the next group is due; Infinity without one. */
  get dueAtMs(): number {
    return this.#groups.peek()?.at ?? Number.POSITIVE_INFINITY
  }

  push(at: number, entries: readonly PendingEntry[]): void {
    this.#groups.push({ at, entries })
  }

  /** The next group that is due, without those that have settled meanwhile. */
  pop(nowMs: number): PendingEntry[] | undefined {
    if (this.dueAtMs > nowMs) return undefined
    return this.#groups.pop()!.entries.filter((entry) => entry.place === 'backoff')
  }

  /** All that wait, with their times. */
  all(): { at: number; entries: readonly PendingEntry[] }[] {
    return this.#groups.all().map(({ at, entries }) => ({
      at,
      entries: entries.filter((entry) => entry.place === 'backoff'),
    }))
  }

  clear(): void {
    this.#groups.clear()
  }
}
