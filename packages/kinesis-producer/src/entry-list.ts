import type { PendingEntry } from './pending-entry.js'

/**
 * A doubly linked list through the entries themselves: every step is O(1), also taking an entry out of the middle (it expired),
 * which an array or a ring cannot do. An entry is in at most one such list.
 */
export class EntryList {
  head: PendingEntry | undefined
  count = 0
  sizeBytes = 0
  #tail: PendingEntry | undefined

  pushBack(entry: PendingEntry): void {
    entry.previous = this.#tail
    entry.next = undefined
    if (this.#tail === undefined) this.head = entry
    else this.#tail.next = entry
    this.#tail = entry
    this.count++
    this.sizeBytes += entry.sizeBytes
  }

  pushFront(entry: PendingEntry): void {
    entry.previous = undefined
    entry.next = this.head
    if (this.head === undefined) this.#tail = entry
    else this.head.previous = entry
    this.head = entry
    this.count++
    this.sizeBytes += entry.sizeBytes
  }

  shift(): PendingEntry | undefined {
    const entry = this.head
    if (entry !== undefined) this.remove(entry)
    return entry
  }

  remove(entry: PendingEntry): void {
    if (entry.previous === undefined) this.head = entry.next
    else entry.previous.next = entry.next
    if (entry.next === undefined) this.#tail = entry.previous
    else entry.next.previous = entry.previous
    entry.previous = undefined
    entry.next = undefined
    this.count--
    this.sizeBytes -= entry.sizeBytes
  }
}
