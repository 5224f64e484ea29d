import { AgeList } from './age-list.js'
import { divideEntry } from './entry-members.js'
import { FlushBarrier } from './flush-barrier.js'
import type { PendingEntry } from './pending-entry.js'
import { RecordBuffer, type RecordBufferOptions } from './record-buffer.js'
import type { ShardMap } from './shard-map.js'

/** The account of every entry that has not settled: its room in the buffer, when it expires, and which flush waits for it. */
export class EntryLedger {
  /** Whoever waits for room does so here. */
  readonly buffer: RecordBuffer
  readonly #ages = new AgeList()
  readonly #barrier = new FlushBarrier()
  /** A lower bound: looked up again only when it is reached. */
  #expiryMs = Number.POSITIVE_INFINITY

  /** @param isAhead as for `RecordBuffer` */
  constructor(options: RecordBufferOptions, isAhead: () => boolean) {
    this.buffer = new RecordBuffer(options, isAhead)
  }

  /** The epoch of what enters now. */
  get epoch(): number {
    return this.#barrier.current
  }

  /** When the next entry expires, or earlier. */
  get expiryMs(): number {
    return this.#expiryMs
  }

  /** True of an entry that a flush waits for. */
  isAwaited(entry: PendingEntry): boolean {
    return this.#barrier.isAwaited(entry.epoch)
  }

  /** Resolves when everything that has entered so far is released. */
  flush(): Promise<void> {
    return this.#barrier.wait()
  }

  enter(entry: PendingEntry): void {
    entry.epoch = this.#barrier.enter()
    this.#ages.push(entry)
    this.#expiryMs = Math.min(this.#expiryMs, entry.expiresAtMs)
  }

  /** An entry as it can be sent by the map of today: as it is, or divided, where its bucket now lies in two shards. */
  fit(entry: PendingEntry, map: ShardMap | undefined): readonly PendingEntry[] {
    if (entry.bucket === undefined || map === undefined) return [entry]
    const bucket = map.adopt(entry.bucket)
    if (bucket !== undefined) {
      entry.bucket = bucket
      return [entry]
    }
    const parts = divideEntry(entry, map)
    for (const part of parts) {
      part.place = entry.place
      this.buffer.charge(part)
      this.#barrier.reenter(part.epoch)
    }
    this.#ages.insertBefore(entry, parts)
    this.dissolve(entry)
    return parts
  }

  /** What an entry held is in others now. */
  dissolve(entry: PendingEntry): void {
    this.settle(entry)
    this.release(entry)
  }

  /** It has its outcome, which is still to be told. */
  settle(entry: PendingEntry): void {
    this.buffer.leave(entry)
    this.#ages.remove(entry)
    entry.place = 'settled'
  }

  /** Its outcome has been told: a flush need not wait for it any more, and is never told before. */
  release(entry: PendingEntry): void {
    this.#barrier.settle(entry.epoch)
  }

  /** The oldest entry whose time is over and that is not in flight; those that are will end with their answers. */
  nextExpired(nowMs: number): PendingEntry | undefined {
    if (nowMs < this.#expiryMs) return undefined
    let oldest = this.#ages.oldest
    for (; oldest !== undefined && oldest.expiresAtMs <= nowMs; oldest = this.#ages.oldest) {
      if (oldest.place !== 'in-flight') return oldest
      this.#ages.remove(oldest)
    }
    this.#expiryMs = oldest?.expiresAtMs ?? Number.POSITIVE_INFINITY
    return undefined
  }

  /** Every entry that can still expire, oldest first. */
  aging(): PendingEntry[] {
    const entries: PendingEntry[] = []
    for (let entry = this.#ages.oldest; entry !== undefined; entry = entry.younger) entries.push(entry)
    return entries
  }
}
