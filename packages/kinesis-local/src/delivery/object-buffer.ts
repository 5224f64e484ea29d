import { backoffDelayMs, type Clock, type Random, sleep } from '@org/kinesis-core'
import type { DeliveryRecord } from './delivery-record.js'

/** One line or record of an object. */
export interface BufferedItem {
  record: DeliveryRecord
  data: Uint8Array
}

/** What an object is made of. */
export interface BufferedObject {
  items: readonly BufferedItem[]
  bytes: number
  oldestArrivalMs: number
}

/** What is put. Its records are settled when it is durable; what of the buffered ones is not in it belongs to whoever left it out. */
export interface PreparedObject {
  items: readonly BufferedItem[]
  key: string
  content: Uint8Array
  oldestArrivalMs: number
}

export interface ObjectBufferOptions {
  maxBytes: number
  maxIntervalMs: number
  /** Done once for each object: it keeps its key however often it is tried. */
  prepare: (object: BufferedObject) => Promise<PreparedObject>
  /** Makes the object durable. What fails is tried again with the same object: nothing is settled before. */
  write: (object: PreparedObject) => Promise<void>
  /** Called with the bytes that were held, when an object is durable and its records are settled. */
  onDurable: (bytes: number) => void
  onError: (error: Error) => void
  clock: Clock
  random: Random
  signal: AbortSignal
}

const WRITE_BACKOFF = { baseMs: 200, maxMs: 10_000 }

/** Collects records until an object of them is due, by size or by time. Objects are written one after the other. */
export class ObjectBuffer {
  #options: ObjectBufferOptions
  #items: BufferedItem[] = []
  #bytes = 0
  /** Objects that are due and not durable. */
  #unwritten = 0
  #cancelTimer = () => {}
  #writing: Promise<void> = Promise.resolve()

  constructor(options: ObjectBufferOptions) {
    this.#options = options
  }

  /** Nothing is buffered or being written. */
  get isEmpty(): boolean {
    return this.#items.length === 0 && this.#unwritten === 0
  }

  /** Bytes that wait for an object to be due. */
  get waitingBytes(): number {
    return this.#bytes
  }

  cancelTimer(): void {
    this.#cancelTimer()
  }

  add(item: BufferedItem): void {
    const { clock, maxBytes, maxIntervalMs, signal } = this.#options
    if (signal.aborted) return
    if (this.#items.length === 0) this.#cancelTimer = clock.schedule(maxIntervalMs, () => void this.flush())
    this.#items.push(item)
    this.#bytes += item.data.byteLength
    if (this.#bytes >= maxBytes) void this.flush()
  }

  /** Writes what is buffered now; resolves when that and everything before it is durable. */
  flush(): Promise<void> {
    this.#cancelTimer()
    if (this.#items.length > 0) {
      const items = this.#items
      const object = {
        items,
        bytes: this.#bytes,
        oldestArrivalMs: items.reduce((oldest, { record }) => Math.min(oldest, record.arrivalMs), Infinity),
      }
      this.#items = []
      this.#bytes = 0
      this.#unwritten += 1
      this.#writing = this.#writing.then(() => this.#writeUntilDurable(object))
    }
    return this.#writing
  }

  async #writeUntilDurable(buffered: BufferedObject): Promise<void> {
    const { write, prepare, onDurable, onError, clock, random, signal } = this.#options
    let object: PreparedObject | undefined
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      try {
        object ??= await prepare(buffered)
        if (object.items.length > 0) await write(object)
        this.#unwritten -= 1
        for (const { record } of object.items) record.settle()
        onDurable(buffered.bytes)
        return
      } catch (error) {
        onError(error instanceof Error ? error : new Error(String(error)))
        await sleep(clock, backoffDelayMs(attempt, WRITE_BACKOFF, random), signal)
      }
    }
  }
}
