import { Fifo } from './fifo.js'
import { MinHeap } from './min-heap.js'
import type { PendingRecord } from './pending-record.js'
import { ShardLane } from './shard-lane.js'
import { hashKeyOf, type ShardMap } from './shard-map.js'
import { ShardPacer } from './shard-pacer.js'

/**
 * Lanes that ran out of tokens come back on a common grid, so that many hot shards share requests instead of sending a handful of
 * records each, all the time.
 */
const PACING_TICK_MS = 25

/**
 * Sorts what may be sent into one lane per shard and fills requests from the lanes in turn. A lane whose shard is at its limit
 * leaves the round until it has tokens again, so it costs the others nothing; work per record does not depend on how many lanes,
 * or how many records, wait.
 */
export class LaneScheduler {
  /** Records and bytes that could go into a request now. */
  readyRecords = 0
  readyBytes = 0
  #map: ShardMap | undefined
  #lanes = new Map<string, ShardLane>()
  #unknown = new ShardLane(undefined, undefined)
  #round = new Fifo<ShardLane>()
  #paced = new MinHeap<{ at: number; lane: ShardLane }>()

  get shardCount(): number {
    return this.#lanes.size
  }

  /** When the next paced lane comes back; Infinity without one. */
  get nextWakeMs(): number {
    return this.#paced.peek()?.at ?? Number.POSITIVE_INFINITY
  }

  add(record: PendingRecord, front: boolean): void {
    const lane = this.#laneOf(record)
    record.lane = lane
    record.place = 'lane'
    if (front) lane.records.pushFront(record)
    else lane.records.pushBack(record)
    if (lane.state === 'paced') return
    this.readyRecords++
    this.readyBytes += record.sizeBytes
    if (lane.state === 'idle') {
      lane.state = 'ready'
      this.#round.push(lane)
    }
  }

  /** Takes out a record that is not to be sent after all. Its lane, if now empty, leaves the round at its next turn. */
  remove(record: PendingRecord): void {
    const lane = record.lane!
    lane.records.remove(record)
    if (lane.state !== 'ready') return
    this.readyRecords--
    this.readyBytes -= record.sizeBytes
  }

  /** Brings back the lanes that have tokens by now; true where that made records ready. */
  wake(nowMs: number): boolean {
    const before = this.readyRecords
    for (let next = this.#paced.peek(); next !== undefined && next.at <= nowMs; next = this.#paced.peek()) {
      this.#paced.pop()
      this.#enter(next.lane)
    }
    return this.readyRecords > before
  }

  /** Fills one request. Empty where every lane turned out to be at its shard's limit. */
  take(nowMs: number, limits: { maxRecords: number; maxBytes: number }): PendingRecord[] {
    const taken: PendingRecord[] = []
    let bytes = 0
    // An even share for each lane spreads a request over the shards; rounds go on until the request is full.
    const share = Math.max(1, Math.ceil(limits.maxRecords / Math.max(1, this.#round.length)))
    while (taken.length < limits.maxRecords) {
      const lane = this.#round.peek()
      if (lane === undefined) break
      lane.pacer?.refill(nowMs)
      const turnEnds = Math.min(limits.maxRecords, taken.length + share)
      let record = lane.records.head
      while (record !== undefined && taken.length < turnEnds) {
        // The lane keeps its turn: it is the first to be served by the next request.
        if (bytes + record.sizeBytes > limits.maxBytes) return taken
        if (lane.pacer?.tryTake(record.sizeBytes) === false) break
        lane.records.remove(record)
        this.readyRecords--
        this.readyBytes -= record.sizeBytes
        bytes += record.sizeBytes
        taken.push(record)
        record = lane.records.head
      }
      this.#round.shift()
      if (record === undefined) lane.state = 'idle'
      else if (taken.length < turnEnds) this.#pace(lane, record, nowMs)
      else this.#round.push(lane)
    }
    return taken
  }

  /** Sorts everything anew by a new map. Shards that are still there keep their pace. */
  useMap(map: ShardMap, nowMs: number): void {
    const waiting: PendingRecord[] = []
    for (const lane of [this.#unknown, ...this.#lanes.values()]) {
      for (let record = lane.records.shift(); record !== undefined; record = lane.records.shift())
        waiting.push(record)
    }
    const lanes = new Map<string, ShardLane>()
    for (const shardId of map.shardIds) {
      lanes.set(shardId, new ShardLane(shardId, this.#lanes.get(shardId)?.pacer ?? new ShardPacer(nowMs)))
    }
    this.#map = map
    this.#lanes = lanes
    this.clear()
    for (const record of waiting) this.add(record, false)
  }

  /** Takes the tokens for a record that left before its shard was known, and gives it the lane that hears of its outcome. */
  charge(record: PendingRecord): void {
    if (record.lane?.pacer !== undefined) return
    record.lane = this.#laneOf(record)
    record.lane.pacer?.charge(record.sizeBytes)
  }

  /** Forgets everything that waits. */
  clear(): void {
    this.#unknown = new ShardLane(undefined, undefined)
    for (const [shardId, lane] of this.#lanes) this.#lanes.set(shardId, new ShardLane(shardId, lane.pacer))
    this.#round = new Fifo()
    this.#paced.clear()
    this.readyRecords = 0
    this.readyBytes = 0
  }

  #laneOf(record: PendingRecord): ShardLane {
    if (this.#map === undefined) return this.#unknown
    record.hashKey ??= hashKeyOf(record)
    const shardId = this.#map.shardOf(record.hashKey)
    return (shardId === undefined ? undefined : this.#lanes.get(shardId)) ?? this.#unknown
  }

  #enter(lane: ShardLane): void {
    if (lane.records.count === 0) {
      lane.state = 'idle'
      return
    }
    lane.state = 'ready'
    this.readyRecords += lane.records.count
    this.readyBytes += lane.records.sizeBytes
    this.#round.push(lane)
  }

  #pace(lane: ShardLane, head: PendingRecord, nowMs: number): void {
    lane.state = 'paced'
    this.readyRecords -= lane.records.count
    this.readyBytes -= lane.records.sizeBytes
    const readyAtMs = nowMs + lane.pacer!.waitMs(head.sizeBytes)
    const at = Math.floor(readyAtMs / PACING_TICK_MS + 1) * PACING_TICK_MS
    this.#paced.push({ at, lane })
  }
}
