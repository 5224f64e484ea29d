import type { PendingRecord } from './pending-record.js'
import { RecordList } from './record-list.js'

/**
 * Lets one record of a partition key through at a time; the others of the key stand in line until it has settled. So a key has at
 * most one record in a request and one request in flight, which is what keeps it in order: PutRecords goes on after a failed entry,
 * and a request that timed out may still land.
 */
export class KeyGate {
  /** Keys with a record past the gate, and who waits behind it; the line is made when a second record comes. */
  #keys = new Map<string, RecordList | undefined>()
  #halted = new Set<string>()

  get haltedKeys(): number {
    return this.#halted.size
  }

  /** True where the record may go now. */
  enter(record: PendingRecord): boolean {
    const key = record.partitionKey
    if (!this.#keys.has(key)) {
      this.#keys.set(key, undefined)
      return true
    }
    let line = this.#keys.get(key)
    if (line === undefined) {
      line = new RecordList()
      this.#keys.set(key, line)
    }
    record.place = 'key'
    line.pushBack(record)
    return false
  }

  /** The record past the gate has settled: the next of its key, which is now past the gate, if there is one. */
  leave(record: PendingRecord): PendingRecord | undefined {
    const next = this.#keys.get(record.partitionKey)?.shift()
    if (next === undefined) this.#keys.delete(record.partitionKey)
    return next
  }

  /** Takes out a record that stood in line. */
  remove(record: PendingRecord): void {
    this.#keys.get(record.partitionKey)?.remove(record)
  }

  isHalted(partitionKey: string): boolean {
    return this.#halted.has(partitionKey)
  }

  /** Stops a key; returns those who stood in line, in order. */
  halt(partitionKey: string): PendingRecord[] {
    this.#halted.add(partitionKey)
    const line = this.#keys.get(partitionKey)
    const waiting: PendingRecord[] = []
    for (let record = line?.shift(); record !== undefined; record = line?.shift()) waiting.push(record)
    return waiting
  }

  resume(partitionKey: string): boolean {
    return this.#halted.delete(partitionKey)
  }
}
