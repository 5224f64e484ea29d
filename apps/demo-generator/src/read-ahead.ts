import { kinesisQuotas } from '@org/kinesis-core'

/** How much of what the stream takes a replay is ahead of its answers: enough to keep all shards busy, and soon drained after Ctrl-C. */
const READ_AHEAD_SECONDS = 2

/**
 * Bounds what a replay has read and the stream has not answered yet. The producer's own bound is on memory, and lets a pipe of small lines be
 * minutes ahead.
 */
export class ReadAhead {
  readonly #maxRecords: number
  readonly #maxBytes: number
  #records = 0
  #bytes = 0
  #wake: (() => void) | undefined

  constructor(shards: number) {
    this.#maxRecords = shards * READ_AHEAD_SECONDS * kinesisQuotas.shardWriteRecordsPerSecond
    this.#maxBytes = shards * READ_AHEAD_SECONDS * kinesisQuotas.shardWriteBytesPerSecond
  }

  put(bytes: number): void {
    this.#records += 1
    this.#bytes += bytes
  }

  settled(bytes: number): void {
    this.#records -= 1
    this.#bytes -= bytes
    if (this.#hasRoom) this.release()
  }

  /** Resolves when there is room for one more, or when it is released. One caller at a time. */
  room(): Promise<void> {
    if (this.#hasRoom) return Promise.resolve()
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  release(): void {
    this.#wake?.()
    this.#wake = undefined
  }

  get #hasRoom(): boolean {
    return this.#records < this.#maxRecords && this.#bytes < this.#maxBytes
  }
}
