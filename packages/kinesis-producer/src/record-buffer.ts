import { kinesisQuotas } from '@org/kinesis-core'
import { EntryList } from './entry-list.js'
import { ENTRY_OVERHEAD_BYTES, type PendingEntry } from './pending-entry.js'
import { QueueFullError } from './producer-errors.js'
import { type CheckedRecord, longestBytes } from './record-input.js'

export interface RecordBufferOptions {
  maxBufferedBytes: number
  /** Undefined: the stream's own. */
  maxRecordBytes: number | undefined
}

/** The bound on memory: counts what has been let in, and keeps the rest waiting in the order in which it came. */
export class RecordBuffer {
  bytes = 0
  readonly #options: RecordBufferOptions
  readonly #waiting = new EntryList()
  readonly #isAhead: () => boolean
  #roomWaiters: (() => void)[] = []

  /** @param isAhead true while so much waits to be sent that more would only take memory */
  constructor(options: RecordBufferOptions, isAhead: () => boolean) {
    this.#options = options
    this.#isAhead = isAhead
  }

  get waitingRecords(): number {
    return this.#waiting.count
  }

  /** Whether a new record may enter, or has to wait for room; throws where it may not wait. Nothing has changed by then. */
  check(record: CheckedRecord, mayWait: boolean): 'enter' | 'wait' {
    // Who waits already goes first, or a stream of small records would starve a large one (and break the order of a key).
    if (this.hasRoomFor(record)) return 'enter'
    if (mayWait) return 'wait'
    throw new QueueFullError(this.bytes, this.#options.maxBufferedBytes)
  }

  /** True where a record may enter at once. */
  hasRoomFor(record: CheckedRecord): boolean {
    if (this.#waiting.count > 0) return false
    if (this.#fits(longestBytes(record) + ENTRY_OVERHEAD_BYTES)) return true
    // Text is counted only where it may be too much.
    const { data, keyBytes } = record
    return typeof data === 'string' && this.#fits(Buffer.byteLength(data) + keyBytes + ENTRY_OVERHEAD_BYTES)
  }

  /** Counts a new entry. */
  charge(entry: PendingEntry): void {
    entry.chargedBytes = entry.costBytes
    this.bytes += entry.chargedBytes
  }

  /** Counts an entry that has grown. */
  recharge(entry: PendingEntry): void {
    this.bytes -= entry.chargedBytes
    this.charge(entry)
  }

  wait(entry: PendingEntry): void {
    entry.place = 'admission'
    this.#waiting.pushBack(entry)
  }

  /** Takes out an entry that has settled, whether it was let in or still waited. */
  leave(entry: PendingEntry): void {
    if (entry.place === 'admission') this.#waiting.remove(entry)
    else this.bytes -= entry.chargedBytes
  }

  /** The next of those who wait, let in; undefined where there is none, or no room for it. */
  nextAdmitted(): PendingEntry | undefined {
    const entry = this.#waiting.head
    if (entry === undefined || !this.#fits(entry.costBytes)) return undefined
    this.#waiting.remove(entry)
    entry.place = 'admitted'
    this.charge(entry)
    return entry
  }

  waitingOf(partitionKey: string): PendingEntry[] {
    const found: PendingEntry[] = []
    for (let entry = this.#waiting.head; entry !== undefined; entry = entry.next) {
      if (entry.partitionKey === partitionKey) found.push(entry)
    }
    return found
  }

  /** Resolves when `hasRoom`. */
  whenRoom(): Promise<void> {
    if (this.hasRoom) return Promise.resolve()
    return new Promise((resolve) => this.#roomWaiters.push(resolve))
  }

  /** To be called when records have left or have been sent, and those who waited have been let in. */
  announceRoom(): void {
    if (this.#roomWaiters.length > 0 && this.hasRoom) this.releaseRoomWaiters()
  }

  /** Lets everyone go who waits for room, whether there is some or not. */
  releaseRoomWaiters(): void {
    const waiters = this.#roomWaiters
    this.#roomWaiters = []
    for (const resolve of waiters) resolve()
  }

  /** True where a record of any usual size would be let in at once, and is of use there: what waits to be sent is not enough as it is. */
  get hasRoom(): boolean {
    const { maxRecordBytes = kinesisQuotas.defaultMaxRecordBytes, maxBufferedBytes } = this.#options
    if (this.#waiting.count > 0 || this.#isAhead()) return false
    // A buffer that is too small for two of the largest records would otherwise have to be empty.
    return this.#fits(maxRecordBytes + ENTRY_OVERHEAD_BYTES) || this.bytes <= maxBufferedBytes / 2
  }

  #fits(costBytes: number): boolean {
    // An empty buffer takes any record, or one larger than the buffer would wait for ever.
    return this.bytes === 0 || this.bytes + costBytes <= this.#options.maxBufferedBytes
  }
}
