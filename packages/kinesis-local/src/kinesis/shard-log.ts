export interface StoredRecord {
  /** Counts the stream's records; the order of a shard. */
  counter: number
  partitionKey: string
  /** Base64, as it came over the wire: it leaves the same way, and is never decoded in between. */
  data: string
  /** Data and partition key. */
  bytes: number
  arrivalMs: number
}

/** How many trimmed places may stand at the front before the array is cut. */
const COMPACT_AT = 4_096

/** The records of one shard: appended at the end, trimmed at the front, found by binary search. */
export class ShardLog {
  #records: StoredRecord[] = []
  #head = 0
  bytes = 0

  get length(): number {
    return this.#records.length - this.#head
  }

  get first(): StoredRecord | undefined {
    return this.#records[this.#head]
  }

  get last(): StoredRecord | undefined {
    return this.length === 0 ? undefined : this.#records.at(-1)
  }

  append(record: StoredRecord): void {
    this.#records.push(record)
    this.bytes += record.bytes
  }

  trimFirst(): StoredRecord | undefined {
    const record = this.first
    if (record === undefined) return undefined
    this.#head += 1
    this.bytes -= record.bytes
    if (this.#head >= COMPACT_AT && this.#head * 2 >= this.#records.length) {
      this.#records = this.#records.slice(this.#head)
      this.#head = 0
    } else {
      // The place stays until the next cut; what it held does not.
      this.#records[this.#head - 1] = { ...record, data: '' }
    }
    return record
  }

  /** Records from the first whose counter is at least `counter`, until a bound is reached; one record always fits. */
  read(
    counter: number,
    maxRecords: number,
    maxBytes: number,
  ): { records: StoredRecord[]; next: StoredRecord | undefined } {
    let at = this.#find((record) => record.counter >= counter)
    const records: StoredRecord[] = []
    let bytes = 0
    for (; at < this.#records.length && records.length < maxRecords; at++) {
      const record = this.#records[at]!
      if (records.length > 0 && bytes + record.bytes > maxBytes) break
      bytes += record.bytes
      records.push(record)
    }
    return { records, next: this.#records[at] }
  }

  /** The first record that arrived at `arrivalMs` or later. */
  firstArrivedFrom(arrivalMs: number): StoredRecord | undefined {
    return this.#records[this.#find((record) => record.arrivalMs >= arrivalMs)]
  }

  #find(isAtOrAfter: (record: StoredRecord) => boolean): number {
    let low = this.#head
    let high = this.#records.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (isAtOrAfter(this.#records[middle]!)) high = middle
      else low = middle + 1
    }
    return low
  }
}
