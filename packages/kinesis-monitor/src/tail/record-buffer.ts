import type { TailRecord } from './tail-record.js'

/** What a record costs beside its data and key: the object, and its sequence number. */
const RECORD_OVERHEAD_BYTES = 200

/** Records between the reads and the caller, first in, first out, with their weight in bytes. */
export class RecordBuffer {
  #records: TailRecord[] = []
  #next = 0
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  push(record: TailRecord): void {
    this.#records.push(record)
    this.#bytes += weightOf(record)
  }

  shift(): TailRecord | undefined {
    const record = this.#records[this.#next]
    if (record === undefined) return undefined
    this.#next += 1
    this.#bytes -= weightOf(record)
    // Array.shift would move the rest at every record; cutting in large pieces moves each record once or so.
    if (this.#next >= 1_024 && this.#next * 2 >= this.#records.length) {
      this.#records = this.#records.slice(this.#next)
      this.#next = 0
    }
    return record
  }

  clear(): void {
    this.#records = []
    this.#next = 0
    this.#bytes = 0
  }
}

function weightOf(record: TailRecord): number {
  return record.data.byteLength + record.partitionKey.length + RECORD_OVERHEAD_BYTES
}
