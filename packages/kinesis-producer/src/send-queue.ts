import { kinesisQuotas } from '@org/kinesis-core'
import { BackoffQueue } from './backoff-queue.js'
import { KeyGate } from './key-gate.js'
import { LaneScheduler } from './lane-scheduler.js'
import type { PendingEntry } from './pending-entry.js'
import type { CheckedRecord } from './record-input.js'
import { RecordPacker } from './record-packer.js'
import type { ShardMap } from './shard-map.js'

export interface SendQueueOptions {
  ordering: 'none' | 'per-key'
  lingerMs: number
  recordTtlMs: number
  /** Undefined: the stream's own. */
  maxRecordBytes: number | undefined
  maxBatchRecords: number
  maxBatchBytes: number
  aggregation: { maxContainerBytes: number } | undefined
  producerId: string | undefined
}

/**
 * Full requests that wait until callers who heed backpressure are held: enough that the next one always leaves at once, and few enough
 * that records leave while they are still in the processor's caches, and young to the garbage collector.
 */
const REQUESTS_AHEAD = 2

/**
 * What is to be sent next: aggregates that are still open, the lines of the keys, the lanes of the shards, and what waits for another
 * attempt. Knows nothing of outcomes.
 */
export class SendQueue {
  readonly gate: KeyGate | undefined
  readonly #options: SendQueueOptions
  readonly #packer: RecordPacker | undefined
  readonly #lanes = new LaneScheduler()
  readonly #backoff = new BackoffQueue()
  /** Past the gate, and larger than `maxRecordBytes`. */
  readonly #oversized = new Set<PendingEntry>()
  readonly #isAwaited: (entry: PendingEntry) => boolean
  /** Of one record, data and partition key; that of a stream as it is created until this one's is known. */
  maxRecordBytes: number
  #isLimitKnown: boolean
  /** When what is ready has waited long enough for company. */
  #lingerUntilMs = Number.POSITIVE_INFINITY

  /** @param isAwaited true of an entry that a flush waits for: its linger is over */
  constructor(options: SendQueueOptions, isAwaited: (entry: PendingEntry) => boolean) {
    this.#options = options
    this.#isAwaited = isAwaited
    this.maxRecordBytes = options.maxRecordBytes ?? kinesisQuotas.defaultMaxRecordBytes
    this.#isLimitKnown = options.maxRecordBytes !== undefined
    this.gate = options.ordering === 'per-key' ? new KeyGate() : undefined
    const { aggregation } = options
    this.#packer =
      aggregation === undefined ? undefined : new RecordPacker({ ...options, ...aggregation }, isAwaited)
  }

  get shardCount(): number {
    return this.#lanes.shardCount
  }

  /** False for a record that goes alone. */
  packs(record: CheckedRecord): boolean {
    return this.#packer?.accepts(record) === true
  }

  /** The aggregate that the record would go into, if one is open. */
  openFor(record: CheckedRecord): PendingEntry | undefined {
    return this.#packer?.openFor(record)
  }

  append(entry: PendingEntry, record: CheckedRecord, epoch: number): boolean {
    return this.#packer!.append(entry, record, epoch)
  }

  /** Makes a new entry the open aggregate of its record's key or bucket; the one that had no place for the record is sealed. */
  open(entry: PendingEntry, record: CheckedRecord, nowMs: number): void {
    const full = this.#packer!.openFor(record)
    if (full !== undefined) this.#seal(full, nowMs)
    this.#packer!.open(entry, record)
    this.#packer!.noteTime(nowMs)
  }

  /** Takes an entry that no record is added to any more. */
  add(entry: PendingEntry, nowMs: number): void {
    if (this.gate !== undefined) {
      // A record that goes alone must not overtake the open aggregate of its key.
      const open = this.#packer?.openOfKey(entry.partitionKey)
      if (open !== undefined) this.#seal(open, nowMs)
      if (!this.gate.enter(entry)) return
    }
    this.makeReady(entry, nowMs, false)
  }

  /** Puts an entry into its lane. Linger counts from the put: whoever waited elsewhere does not wait again. */
  makeReady(entry: PendingEntry, nowMs: number, front: boolean): void {
    if (entry.sizeBytes > this.maxRecordBytes) {
      entry.place = 'limit'
      this.#oversized.add(entry)
      return
    }
    this.#lanes.add(entry, front)
    const untilMs = this.#isAwaited(entry) ? nowMs : entry.putAtMs + this.#options.lingerMs
    if (untilMs < this.#lingerUntilMs) this.#lingerUntilMs = untilMs
  }

  /** The entry of a key that was past the gate has settled: the next one goes, if its linger is over. */
  passGate(settled: PendingEntry, nowMs: number): void {
    if (this.gate === undefined) return
    const next = this.gate.leave(settled)
    if (next !== undefined) this.makeReady(next, nowMs, false)
    else {
      const open = this.#packer?.openOfKey(settled.partitionKey)
      if (open?.isOverdue) this.#seal(open, nowMs)
    }
  }

  /** The entry was delivered by its first attempt, so nobody has its data in hand any more. */
  recycle(entry: PendingEntry): void {
    if (entry.isAggregate) this.#packer?.recycle(entry)
  }

  retryAt(atMs: number, entries: readonly PendingEntry[]): void {
    this.#backoff.push(atMs, entries)
  }

  /** Takes out an entry, wherever it waits. */
  remove(entry: PendingEntry): void {
    if (entry.place === 'open') this.#packer!.seal(entry)
    else if (entry.place === 'key') this.gate!.remove(entry)
    else if (entry.place === 'lane') this.#lanes.remove(entry)
    else if (entry.place === 'limit') this.#oversized.delete(entry)
  }

  /** True while entries wait for the stream's limit of a record. */
  get needsRecordLimit(): boolean {
    return !this.#isLimitKnown && this.#oversized.size > 0
  }

  /** True while entries are here that can never be sent: `nextTooLarge` gives them out. */
  get hasTooLarge(): boolean {
    return this.#isLimitKnown && this.#oversized.size > 0
  }

  /** An entry that is larger than the stream allows; it stays here until it is removed. */
  nextTooLarge(): PendingEntry | undefined {
    return this.#isLimitKnown ? this.#oversized.values().next().value : undefined
  }

  /** The stream's own limit of a record: what waited for it goes on; what is too large all the same is for `nextTooLarge`. */
  useRecordLimit(maxRecordBytes: number, nowMs: number): void {
    this.maxRecordBytes = maxRecordBytes
    this.#isLimitKnown = true
    const held = [...this.#oversized]
    this.#oversized.clear()
    for (const entry of held) this.makeReady(entry, nowMs, false)
  }

  /** Everything of a key that has not passed the gate, in order, taken out; the key is halted. */
  haltKey(partitionKey: string): PendingEntry[] {
    const held = this.gate!.halt(partitionKey)
    const open = this.#packer?.openOfKey(partitionKey)
    if (open === undefined) return held
    this.#packer!.seal(open)
    return [...held, open]
  }

  /** True where a request would be full. */
  get isFull(): boolean {
    const { readyEntries, readyBytes } = this.#lanes
    return readyEntries >= this.#options.maxBatchRecords || readyBytes >= this.#options.maxBatchBytes
  }

  /** True where the next requests are full already: whoever can wait with more should. */
  get isAhead(): boolean {
    const { readyEntries, readyBytes } = this.#lanes
    const { maxBatchRecords, maxBatchBytes } = this.#options
    return readyEntries >= REQUESTS_AHEAD * maxBatchRecords || readyBytes >= REQUESTS_AHEAD * maxBatchBytes
  }

  /** True where a request is due: full, or its records have waited long enough. */
  isDue(nowMs: number): boolean {
    if (this.isFull) return true
    return nowMs >= this.#lingerDueAtMs
  }

  /** The entries of the next request; none where none is due. */
  take(nowMs: number): PendingEntry[] {
    for (let group = this.#backoff.pop(nowMs); group !== undefined; group = this.#backoff.pop(nowMs)) {
      // In front of younger entries, and in their own order.
      for (const entry of group.reverse()) this.makeReady(entry, nowMs, true)
    }
    this.#sealDue(nowMs)
    if (this.#lanes.wake(nowMs)) this.#lingerUntilMs = Math.min(this.#lingerUntilMs, nowMs)
    if (!this.isDue(nowMs)) return []
    const { maxBatchRecords, maxBatchBytes } = this.#options
    const entries = this.#lanes.take(nowMs, { maxEntries: maxBatchRecords, maxBytes: maxBatchBytes })
    if (this.#lanes.readyEntries === 0) this.#lingerUntilMs = Number.POSITIVE_INFINITY
    return entries
  }

  /** When `take` next has something although nothing else happens; Infinity when never. */
  get dueAtMs(): number {
    return Math.min(this.#lingerDueAtMs, this.#lanes.nextWakeMs, this.#backoff.dueAtMs)
  }

  get #lingerDueAtMs(): number {
    const ready = this.#lanes.readyEntries > 0 ? this.#lingerUntilMs : Number.POSITIVE_INFINITY
    return this.#packer === undefined ? ready : Math.min(ready, this.#packer.dueAtMs)
  }

  noteTime(nowMs: number): void {
    this.#packer?.noteTime(nowMs)
  }

  /** When `noteTime` is to be called next, if nothing else happens; Infinity when never. */
  get noteAtMs(): number {
    return this.#packer?.noteAtMs ?? Number.POSITIVE_INFINITY
  }

  /** Ends the linger of everything that is there. */
  hurry(nowMs: number): void {
    for (const entry of this.#packer?.allOpen() ?? []) this.#seal(entry, nowMs)
    if (this.#lanes.readyEntries > 0) this.#lingerUntilMs = Math.min(this.#lingerUntilMs, nowMs)
  }

  /**
   * Takes a new map, and packs by `packBy` from now on. Gives back all entries of the lanes and of the backoff, to be checked against the
   * map and added anew: the latter stay where they are if nothing is done about them.
   */
  useMap(map: ShardMap, packBy: ShardMap | undefined, nowMs: number) {
    for (const entry of this.#packer?.allOpen() ?? []) this.#seal(entry, nowMs)
    this.#packer?.useMap(packBy)
    return { waiting: this.#lanes.useMap(map, nowMs), retrying: this.#backoff.all() }
  }

  /** Takes tokens for entries that left before their shards were known. */
  charge(entries: readonly PendingEntry[]): void {
    for (const entry of entries) this.#lanes.charge(entry)
  }

  clear(): void {
    for (const entry of this.#packer?.allOpen() ?? []) this.#packer!.seal(entry)
    this.#lanes.clear()
    this.#backoff.clear()
    this.#oversized.clear()
  }

  #sealDue(nowMs: number): void {
    if (this.#packer === undefined || this.#packer.dueAtMs > nowMs) return
    // Those that would be due before long go along: each bucket for itself would make a request of its own.
    const untilMs = nowMs + this.#options.lingerMs / 2
    for (let due = this.#packer.nextDue(untilMs); due !== undefined; due = this.#packer.nextDue(untilMs)) {
      // While another entry of the key is under way this one could not be sent anyhow: it may as well go on taking records.
      if (!this.gate?.isBusy(due.partitionKey)) this.#seal(due, nowMs)
    }
  }

  #seal(entry: PendingEntry, nowMs: number): void {
    this.#packer!.seal(entry)
    if (this.gate === undefined || this.gate.enter(entry)) this.makeReady(entry, nowMs, false)
  }
}
