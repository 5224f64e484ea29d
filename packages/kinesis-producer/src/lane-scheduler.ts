import { Fifo } from './fifo.js'
import { MinHeap } from './min-heap.js'
import type { PendingEntry } from './pending-entry.js'
import { ShardLane } from './shard-lane.js'
import type { ShardMap } from './shard-map.js'
import { ShardPacer } from './shard-pacer.js'

/**
 * Lanes that ran out of tokens come back on a common grid, so that many hot shards share requests instead of sending a handful of
 * records each, all the time.
 */
const PACING_TICK_MS = 25

/**
 * Sorts what may be sent into one lane per shard and fills requests from the lanes in turn. A lane whose shard is at its limit
 * leaves the round until it has tokens again, so it costs the others nothing; work per entry does not depend on how many lanes,
 * or how many entries, wait.
 */
export class LaneScheduler {
  /** Entries and bytes that could go into a request now. */
  readyEntries = 0
  readyBytes = 0
  #map: ShardMap | undefined
  /** In the order of the map's shards. */
  #lanes: ShardLane[] = []
  #unknown = new ShardLane(undefined, undefined)
  #round = new Fifo<ShardLane>()
  #paced = new MinHeap<{ at: number; lane: ShardLane }>()

  get shardCount(): number {
    return this.#lanes.length
  }

  /** When the next paced lane comes back; Infinity without one. */
  get nextWakeMs(): number {
    return this.#paced.peek()?.at ?? Number.POSITIVE_INFINITY
  }

  add(entry: PendingEntry, front: boolean): void {
    const lane = this.#laneOf(entry)
    entry.lane = lane
    entry.place = 'lane'
    if (front) lane.entries.pushFront(entry)
    else lane.entries.pushBack(entry)
    if (lane.state === 'paced') return
    this.readyEntries++
    this.readyBytes += entry.sizeBytes
    if (lane.state === 'idle') {
      lane.state = 'ready'
      this.#round.push(lane)
    }
  }

  /** Takes out an entry that is not to be sent after all. Its lane, if now empty, leaves the round at its next turn. */
  remove(entry: PendingEntry): void {
    const lane = entry.lane!
    lane.entries.remove(entry)
    if (lane.state !== 'ready') return
    this.readyEntries--
    this.readyBytes -= entry.sizeBytes
  }

  /** Brings back the lanes that have tokens by now; true where that made entries ready. */
  wake(nowMs: number): boolean {
    const before = this.readyEntries
    for (let next = this.#paced.peek(); next !== undefined && next.at <= nowMs; next = this.#paced.peek()) {
      this.#paced.pop()
      this.#enter(next.lane)
    }
    return this.readyEntries > before
  }

  /** Fills one request. Empty where every lane turned out to be at its shard's limit. */
  take(nowMs: number, limits: { maxEntries: number; maxBytes: number }): PendingEntry[] {
    const taken: PendingEntry[] = []
    let bytes = 0
    // An even share for each lane spreads a request over the shards; rounds go on until the request is full.
    const lanes = Math.max(1, this.#round.length)
    const share = { entries: Math.ceil(limits.maxEntries / lanes), bytes: limits.maxBytes / lanes }
    while (taken.length < limits.maxEntries) {
      const lane = this.#round.peek()
      if (lane === undefined) break
      lane.pacer?.refill(nowMs)
      const turnEnds = Math.min(limits.maxEntries, taken.length + share.entries)
      const turnEndsBytes = bytes + share.bytes
      let hasTokens = true
      let entry = lane.entries.head
      while (entry !== undefined && taken.length < turnEnds && bytes < turnEndsBytes) {
        // The lane keeps its turn: it is the first to be served by the next request. An entry that is too large for any goes alone.
        if (taken.length > 0 && bytes + entry.sizeBytes > limits.maxBytes) return taken
        hasTokens = lane.pacer?.tryTake(entry.sizeBytes) ?? true
        if (!hasTokens) break
        this.remove(entry)
        bytes += entry.sizeBytes
        taken.push(entry)
        entry = lane.entries.head
      }
      this.#round.shift()
      if (entry === undefined) lane.state = 'idle'
      else if (hasTokens) this.#round.push(lane)
      else this.#pace(lane, entry, nowMs)
    }
    return taken
  }

  /** Takes a new map, with lanes for its shards; those that are still there keep their pace. What waited is to be added anew. */
  useMap(map: ShardMap, nowMs: number): PendingEntry[] {
    const waiting: PendingEntry[] = []
    for (const lane of [this.#unknown, ...this.#lanes]) {
      for (let entry = lane.entries.shift(); entry !== undefined; entry = lane.entries.shift())
        waiting.push(entry)
    }
    const pacers = new Map(this.#lanes.map((lane) => [lane.shardId, lane.pacer]))
    const lanes = map.shardIds.map(
      (shardId) => new ShardLane(shardId, pacers.get(shardId) ?? new ShardPacer(nowMs)),
    )
    this.#map = map
    this.#lanes = lanes
    this.clear()
    return waiting
  }

  /** Takes the tokens for an entry that left before its shard was known, and gives it the lane that hears of its outcome. */
  charge(entry: PendingEntry): void {
    if (entry.lane?.pacer !== undefined) return
    entry.lane = this.#laneOf(entry)
    entry.lane.pacer?.charge(entry.sizeBytes)
  }

  /** Forgets everything that waits. */
  clear(): void {
    this.#unknown = new ShardLane(undefined, undefined)
    this.#lanes = this.#lanes.map((lane) => new ShardLane(lane.shardId, lane.pacer))
    this.#round = new Fifo()
    this.#paced.clear()
    this.readyEntries = 0
    this.readyBytes = 0
  }

  #laneOf(entry: PendingEntry): ShardLane {
    const bucket = entry.bucket ?? this.#map?.bucketOf(entry.key)
    return (bucket === undefined ? undefined : this.#lanes[bucket.shardIndex]) ?? this.#unknown
  }

  #enter(lane: ShardLane): void {
    if (lane.entries.count === 0) {
      lane.state = 'idle'
      return
    }
    lane.state = 'ready'
    this.readyEntries += lane.entries.count
    this.readyBytes += lane.entries.sizeBytes
    this.#round.push(lane)
  }

  #pace(lane: ShardLane, head: PendingEntry, nowMs: number): void {
    lane.state = 'paced'
    this.readyEntries -= lane.entries.count
    this.readyBytes -= lane.entries.sizeBytes
    const readyAtMs = nowMs + lane.pacer!.waitMs(head.sizeBytes)
    const at = Math.floor(readyAtMs / PACING_TICK_MS + 1) * PACING_TICK_MS
    this.#paced.push({ at, lane })
  }
}
