import { EntryList } from './entry-list.js'
import type { PendingEntry } from './pending-entry.js'

/**
 * Lets one entry of a partition key through at a time; the others of the key stand in line until it has settled. So a key has at
 * most one entry in a request and one request in flight, which is what keeps it in order: PutRecords goes on after a failed entry,
 * and a request that timed out may still land.
 */
export class KeyGate {
  /** Keys with an entry past the gate, and who waits behind it; the line is made when a second entry comes. */
  #keys = new Map<string, EntryList | undefined>()
  #halted = new Set<string>()

  get haltedKeys(): number {
    return this.#halted.size
  }

  /** True while an entry of the key is past the gate. */
  isBusy(partitionKey: string): boolean {
    return this.#keys.has(partitionKey)
  }

  /** True where the entry may go now. */
  enter(entry: PendingEntry): boolean {
    const key = entry.partitionKey
    if (!this.#keys.has(key)) {
      this.#keys.set(key, undefined)
      return true
    }
    let line = this.#keys.get(key)
    if (line === undefined) {
      line = new EntryList()
      this.#keys.set(key, line)
    }
    entry.place = 'key'
    line.pushBack(entry)
    return false
  }

  /** The entry past the gate has settled: the next of its key, which is now past the gate, if there is one. */
  leave(entry: PendingEntry): PendingEntry | undefined {
    const next = this.#keys.get(entry.partitionKey)?.shift()
    if (next === undefined) this.#keys.delete(entry.partitionKey)
    return next
  }

  /** Takes out an entry that stood in line. */
  remove(entry: PendingEntry): void {
    this.#keys.get(entry.partitionKey)?.remove(entry)
  }

  isHalted(partitionKey: string): boolean {
    return this.#halted.has(partitionKey)
  }

  /** Stops a key; returns those who stood in line, in order. */
  halt(partitionKey: string): PendingEntry[] {
    this.#halted.add(partitionKey)
    const line = this.#keys.get(partitionKey)
    const waiting: PendingEntry[] = []
    for (let entry = line?.shift(); entry !== undefined; entry = line?.shift()) waiting.push(entry)
    return waiting
  }

  /** Takes out everyone who stands in line, those of one key in order. */
  drainLines(): PendingEntry[] {
    const drained: PendingEntry[] = []
    for (const line of this.#keys.values()) {
      for (let entry = line?.shift(); entry !== undefined; entry = line?.shift()) drained.push(entry)
    }
    return drained
  }

  resume(partitionKey: string): boolean {
    return this.#halted.delete(partitionKey)
  }
}
