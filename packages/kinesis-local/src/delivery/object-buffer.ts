import { backoffDelayMs, type Clock, type Random, sleep } from '@org/kinesis-core'

/** One line or record of an object. */
export interface BufferedItem {
  data: Uint8Array
  arrivalMs: number
  /** Called when the object that holds it is durable. */
  settle: () => void
}

/** What an object is made of. */
export interface BufferedObject {
  items: readonly BufferedItem[]
  bytes: number
  oldestArrivalMs: number
}

export interface ObjectBufferOptions {
  maxBytes: number
  maxIntervalMs: number
  /** Makes the object durable. What fails is tried again with the same object: nothing is settled before. */
  write: (object: BufferedObject) => Promise<void>
  /** Called when an object is durable and its records are settled. */
  onDurable: () => void
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
  #heldBytes = 0
  #cancelTimer = () => {}
  #writing: Promise<void> = Promise.resolve()

  constructor(options: ObjectBufferOptions) {
    this.#options = options
    options.signal.addEventListener('abort', () => this.#cancelTimer(), { once: true })
  }

  /** Bytes that are buffered or being written. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  add(item: BufferedItem): void {
    const { clock, maxBytes, maxIntervalMs, signal } = this.#options
    if (signal.aborted) return
    if (this.#items.length === 0) this.#cancelTimer = clock.schedule(maxIntervalMs, () => void this.flush())
    this.#items.push(item)
    this.#bytes += item.data.byteLength
    this.#heldBytes += item.data.byteLength
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
        oldestArrivalMs: items.reduce((oldest, item) => Math.min(oldest, item.arrivalMs), Infinity),
      }
      this.#items = []
      this.#bytes = 0
      this.#writing = this.#writing.then(() => this.#writeUntilDurable(object))
    }
    return this.#writing
  }

  async #writeUntilDurable(object: BufferedObject): Promise<void> {
    const { write, onDurable, onError, clock, random, signal } = this.#options
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      try {
        await write(object)
        this.#heldBytes -= object.bytes
        for (const item of object.items) item.settle()
        onDurable()
        return
      } catch (error) {
        onError(error instanceof Error ? error : new Error(String(error)))
        await sleep(clock, backoffDelayMs(attempt, WRITE_BACKOFF, random), signal)
      }
    }
  }
}
