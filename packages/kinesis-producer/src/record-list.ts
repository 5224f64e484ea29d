import type { PendingRecord } from './pending-record.js'

/**
 * A doubly linked list through the records themselves: every step is O(1), also taking a record out of the middle (it expired),
 * which an array or a ring cannot do. A record is in at most one such list.
 */
export class RecordList {
  head: PendingRecord | undefined
  count = 0
  sizeBytes = 0
  #tail: PendingRecord | undefined

  pushBack(record: PendingRecord): void {
    record.previous = this.#tail
    record.next = undefined
    if (this.#tail === undefined) this.head = record
    else this.#tail.next = record
    this.#tail = record
    this.count++
    this.sizeBytes += record.sizeBytes
  }

  pushFront(record: PendingRecord): void {
    record.previous = undefined
    record.next = this.head
    if (this.head === undefined) this.#tail = record
    else this.head.previous = record
    this.head = record
    this.count++
    this.sizeBytes += record.sizeBytes
  }

  shift(): PendingRecord | undefined {
    const record = this.head
    if (record !== undefined) this.remove(record)
    return record
  }

  remove(record: PendingRecord): void {
    if (record.previous === undefined) this.head = record.next
    else record.previous.next = record.next
    if (record.next === undefined) this.#tail = record.previous
    else record.next.previous = record.previous
    record.previous = undefined
    record.next = undefined
    this.count--
    this.sizeBytes -= record.sizeBytes
  }
}
