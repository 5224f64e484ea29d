import { type PendingRecord, RECORD_OVERHEAD_BYTES } from './pending-record.js'
import { QueueFullError } from './producer-errors.js'
import { RecordList } from './record-list.js'

export interface RecordBufferOptions {
  maxBufferedBytes: number
  maxRecordBytes: number
  whenFull: 'wait' | 'reject'
}

/** The bound on memory: counts what has been let in, and keeps the rest waiting in the order in which it came. */
export class RecordBuffer {
  bytes = 0
  readonly #options: RecordBufferOptions
  readonly #waiting = new RecordList()
  #roomWaiters: (() => void)[] = []

  constructor(options: RecordBufferOptions) {
    this.#options = options
  }

  get waitingRecords(): number {
    return this.#waiting.count
  }

  /** Whether a new record has room, or has to wait for it; throws where it may not wait. Nothing has changed by then. */
  check(record: PendingRecord): 'enter' | 'wait' {
    // Who waits already goes first, or a stream of small records would starve a large one (and break the order of a key).
    if (this.#waiting.count === 0 && this.#fits(record.costBytes)) return 'enter'
    if (this.#options.whenFull === 'wait') return 'wait'
    throw new QueueFullError(this.bytes, this.#options.maxBufferedBytes)
  }

  enter(record: PendingRecord): void {
    this.bytes += record.costBytes
  }

  wait(record: PendingRecord): void {
    record.place = 'admission'
    this.#waiting.pushBack(record)
  }

  /** Takes out a record that has settled, whether it was let in or still waited. */
  leave(record: PendingRecord): void {
    if (record.place === 'admission') this.#waiting.remove(record)
    else this.bytes -= record.costBytes
  }

  /** The next of those who wait, let in; undefined where there is none, or no room for it. */
  nextAdmitted(): PendingRecord | undefined {
    const record = this.#waiting.head
    if (record === undefined || !this.#fits(record.costBytes)) return undefined
    this.#waiting.remove(record)
    this.enter(record)
    return record
  }

  waitingOf(partitionKey: string): PendingRecord[] {
    const found: PendingRecord[] = []
    for (let record = this.#waiting.head; record !== undefined; record = record.next) {
      if (record.partitionKey === partitionKey) found.push(record)
    }
    return found
  }

  /** Resolves when a record of any permitted size would be let in at once. */
  whenRoom(): Promise<void> {
    if (this.#hasRoom) return Promise.resolve()
    return new Promise((resolve) => this.#roomWaiters.push(resolve))
  }

  /** To be called when records have left and those who waited have been let in. */
  announceRoom(): void {
    if (this.#roomWaiters.length > 0 && this.#hasRoom) this.releaseRoomWaiters()
  }

  /** Lets everyone go who waits for room, whether there is some or not. */
  releaseRoomWaiters(): void {
    const waiters = this.#roomWaiters
    this.#roomWaiters = []
    for (const resolve of waiters) resolve()
  }

  get #hasRoom(): boolean {
    const { maxRecordBytes, maxBufferedBytes } = this.#options
    if (this.#waiting.count > 0) return false
    // A buffer that is too small for two of the largest records would otherwise have to be empty.
    return this.#fits(maxRecordBytes + RECORD_OVERHEAD_BYTES) || this.bytes <= maxBufferedBytes / 2
  }

  #fits(costBytes: number): boolean {
    // An empty buffer takes any record, or one larger than the buffer would wait for ever.
    return this.bytes === 0 || this.bytes + costBytes <= this.#options.maxBufferedBytes
  }
}
