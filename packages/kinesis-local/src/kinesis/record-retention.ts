import type { Shard } from './shard.js'
import type { Stream } from './stream.js'

/** How long records stay: for the stream's retention, and no longer than memory lasts. */
export class RecordRetention {
  #bytes = 0
  #said = false

  constructor(
    private readonly maxBytes: number,
    private readonly onEarlyTrim: (message: string) => void,
    private readonly allStreams: () => Iterable<Stream>,
  ) {}

  /** That are held for all records that are kept. */
  get bytes(): number {
    return this.#bytes
  }

  trimExpired(stream: Stream, shard: Shard, nowMs: number): void {
    this.#bytes -= shard.log.trimBefore(stream.trimHorizonMs(nowMs))
  }

  added(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes > this.maxBytes) this.#trimEarly()
  }

  forget(stream: Stream): void {
    this.#bytes -= stream.heldBytes
  }

  /** The oldest records of all shards first, a chunk at a time. The service has no such bound. */
  #trimEarly(): void {
    if (!this.#said) {
      this.#said = true
      this.onEarlyTrim(
        `Records are trimmed before their retention is over: together they passed maxRetainedBytes (${this.maxBytes} bytes). Raise it, or read faster.`,
      )
    }
    while (this.#bytes > this.maxBytes) {
      const oldest = this.#oldestShard()
      if (oldest === undefined) return
      this.#bytes -= oldest.log.trimFirstChunk()
    }
  }

  #oldestShard(): Shard | undefined {
    let oldest: Shard | undefined
    let oldestMs = Number.POSITIVE_INFINITY
    for (const stream of this.allStreams()) {
      for (const shard of stream.shards) {
        const arrivalMs = shard.log.firstArrivalMs
        if (arrivalMs === undefined || arrivalMs >= oldestMs) continue
        oldest = shard
        oldestMs = arrivalMs
      }
    }
    return oldest
  }
}
