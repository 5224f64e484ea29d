import { RECORD_OVERHEAD_BYTES, RecordChunk } from './record-chunk.js'

export interface NewRecord {
  /** Counts the stream's records; the order of a shard. */
  counter: number
  partitionKey: string
  /** Of the partition key in UTF-8. */
  keyBytes: number
  data: Uint8Array
  arrivalMs: number
}

/** Blobs as bytes for callers in process, as base64 for the wire. */
export type BlobForm = 'bytes' | 'base64'

export interface ReadRecord {
  counter: number
  partitionKey: string
  data: Buffer | string
  arrivalMs: number
}

export interface ReadPage {
  records: ReadRecord[]
  /** Of data and partition keys. */
  bytes: number
  /** The first record after the page, where there is one. */
  next: { counter: number; arrivalMs: number } | undefined
}

// A shard that sees few records costs little; a busy one soon reaches large chunks. They are trimmed whole, so that much may go early.
const FIRST_CHUNK_BYTES = 16 * 1024
const MAX_CHUNK_BYTES = 256 * 1024

/** The records of one shard: appended at the end, trimmed at the front, found by binary search. */
export class ShardLog {
  readonly #chunks: RecordChunk[] = []
  /** Trimmed records of the first chunk; its memory goes when all of them are trimmed. */
  #head = 0
  #bytes = 0
  #length = 0

  /** That it holds: of all data and partition keys, and what records take beside them. */
  get heldBytes(): number {
    return this.#bytes + this.#length * RECORD_OVERHEAD_BYTES
  }

  get length(): number {
    return this.#length
  }

  /** When the oldest record arrived. */
  get firstArrivalMs(): number | undefined {
    return this.#chunks[0]?.arrivalMs(this.#head)
  }

  get firstCounter(): number | undefined {
    return this.#chunks[0]?.counter(this.#head)
  }

  get lastCounter(): number | undefined {
    const last = this.#chunks.at(-1)
    return last?.counter(last.count - 1)
  }

  /** Returns the bytes that it holds for the record. */
  append({ counter, partitionKey, keyBytes, data, arrivalMs }: NewRecord): number {
    const bytes = keyBytes + data.length
    let chunk = this.#chunks.at(-1)
    if (chunk === undefined || !chunk.fits(bytes)) {
      // As large as the records were that filled the last one: a chunk of tiny ones is full long before its bytes are.
      const wantedBytes = Math.min(2 * (chunk?.usedBytes ?? 0), MAX_CHUNK_BYTES)
      chunk = new RecordChunk(Math.max(FIRST_CHUNK_BYTES, wantedBytes, bytes))
      this.#chunks.push(chunk)
    }
    chunk.append(counter, partitionKey, keyBytes, data, arrivalMs)
    this.#bytes += bytes
    this.#length += 1
    return bytes + RECORD_OVERHEAD_BYTES
  }

  /** Trims what arrived before `horizonMs`; returns the bytes that were held for it. */
  trimBefore(horizonMs: number): number {
    let trimmed = 0
    for (let chunk = this.#chunks[0]; chunk !== undefined; chunk = this.#chunks[0]) {
      if (chunk.arrivalMs(this.#head) >= horizonMs) break
      trimmed += this.#trimFirst(chunk)
    }
    return trimmed
  }

  /** Trims the oldest chunk whole, as that is what gives memory back; returns the bytes that were held for it. */
  trimFirstChunk(): number {
    const chunk = this.#chunks[0]
    let trimmed = 0
    while (chunk !== undefined && chunk === this.#chunks[0]) trimmed += this.#trimFirst(chunk)
    return trimmed
  }

  /** Records from the first whose counter is at least `counter`, until a bound is reached; one record always fits. */
  read(counter: number, maxRecords: number, maxBytes: number, form: BlobForm): ReadPage {
    const records: ReadRecord[] = []
    let bytes = 0
    let chunkIndex = firstIndex(this.#chunks.length, (index) => {
      const chunk = this.#chunks[index]!
      return chunk.counter(chunk.count - 1) >= counter
    })
    let at = this.#find(chunkIndex, (chunk, index) => chunk.counter(index) >= counter)
    for (; chunkIndex < this.#chunks.length; chunkIndex++, at = 0) {
      const chunk = this.#chunks[chunkIndex]!
      for (; at < chunk.count; at++) {
        const size = chunk.bytes(at)
        if (records.length === maxRecords || (records.length > 0 && bytes + size > maxBytes)) {
          return { records, bytes, next: { counter: chunk.counter(at), arrivalMs: chunk.arrivalMs(at) } }
        }
        bytes += size
        records.push({
          counter: chunk.counter(at),
          partitionKey: chunk.partitionKey(at),
          data: form === 'base64' ? chunk.dataAsBase64(at) : chunk.data(at),
          arrivalMs: chunk.arrivalMs(at),
        })
      }
    }
    return { records, bytes, next: undefined }
  }

  /** The counter of the first record that arrived at `arrivalMs` or later. */
  firstArrivedFrom(arrivalMs: number): number | undefined {
    const chunkIndex = firstIndex(this.#chunks.length, (index) => {
      const chunk = this.#chunks[index]!
      return chunk.arrivalMs(chunk.count - 1) >= arrivalMs
    })
    const at = this.#find(chunkIndex, (chunk, index) => chunk.arrivalMs(index) >= arrivalMs)
    return this.#chunks[chunkIndex]?.counter(at)
  }

  #find(chunkIndex: number, isAtOrAfter: (chunk: RecordChunk, index: number) => boolean): number {
    const chunk = this.#chunks[chunkIndex]
    if (chunk === undefined) return 0
    const found = firstIndex(chunk.count, (index) => isAtOrAfter(chunk, index))
    return chunkIndex === 0 ? Math.max(found, this.#head) : found
  }

  #trimFirst(chunk: RecordChunk): number {
    const bytes = chunk.bytes(this.#head)
    this.#bytes -= bytes
    this.#length -= 1
    this.#head += 1
    if (this.#head === chunk.count) {
      this.#chunks.shift()
      this.#head = 0
    }
    return bytes + RECORD_OVERHEAD_BYTES
  }
}

/** The first of `count` places where `isAtOrAfter` holds; it holds at none before and at all after. */
function firstIndex(count: number, isAtOrAfter: (index: number) => boolean): number {
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isAtOrAfter(middle)) high = middle
    else low = middle + 1
  }
  return low
}
