import type { Batch, BatchOutcome } from './batch.js'
import { type DeliveryEvents, DeliveryOutcomes, type DeliveryOutcomesOptions } from './delivery-outcomes.js'
import { EntryLedger } from './entry-ledger.js'
import { PendingEntry, type Reject, type Resolve } from './pending-entry.js'
import { KeyHaltedError, type ProducerError, RecordTooLargeError } from './producer-errors.js'
import type { PutRecordsEntryResult, TransportFault } from './put-records-transport.js'
import type { RecordBuffer, RecordBufferOptions } from './record-buffer.js'
import type { CheckedRecord } from './record-input.js'
import { SendQueue, type SendQueueOptions } from './send-queue.js'
import type { ShardMap } from './shard-map.js'

export interface DeliveryQueueOptions
  extends DeliveryOutcomesOptions,
    RecordBufferOptions,
    SendQueueOptions {}

/**
 * Every decision about records from `put` to receipt, without a timer, a socket or a clock of its own: the shell says what time
 * it is, what was answered, and when to look again (`wakeAtMs`).
 *
 * A record waits for room (`admission`); with aggregation it is packed with others (`open`); then its entry waits, with `per-key`, for its
 * turn (`key`), then in its shard's lane, is in flight, and either settles or comes back over `backoff`. It settles exactly once, whatever
 * comes first: an answer, its expiry, or `abandon`.
 */
export class DeliveryQueue {
  readonly #options: DeliveryQueueOptions
  readonly #ledger: EntryLedger
  readonly #send: SendQueue
  readonly #outcomes: DeliveryOutcomes
  readonly #inFlight = new Set<Batch>()
  /** The first request, which does not wait for the shard map: what it took of the shards' rates is charged afterwards. */
  #unpaced: Batch | undefined
  #mapAwaited = true

  constructor(options: DeliveryQueueOptions, events: DeliveryEvents) {
    this.#options = options
    this.#ledger = new EntryLedger(options, () => this.#send.isAhead)
    this.#send = new SendQueue(options, (entry) => this.#ledger.isAwaited(entry))
    this.#outcomes = new DeliveryOutcomes(options, events, this.#ledger, this.#send)
  }

  /** Whoever waits for room does so here. */
  get buffer(): RecordBuffer {
    return this.#ledger.buffer
  }

  /** In user records. */
  get counts(): DeliveryOutcomes['counts'] {
    return this.#outcomes.counts
  }

  /** Records that have not settled. */
  get pending(): number {
    return this.counts.put - this.counts.delivered - this.counts.failed
  }

  get shardCount(): number {
    return this.#send.shardCount
  }

  get haltedKeys(): number {
    return this.#send.gate?.haltedKeys ?? 0
  }

  /** True while entries wait for a new shard map. */
  get needsMap(): boolean {
    return this.#outcomes.needsMap
  }

  /** True while entries wait for the stream's limit of a record. */
  get needsRecordLimit(): boolean {
    return this.#send.needsRecordLimit
  }

  /**
   * Takes a record into an aggregate that is open; false where there is none, or no room. The short way that most records go: nothing
   * becomes due by it, so nobody needs to know what time it is.
   */
  append(record: CheckedRecord, resolve?: Resolve, reject?: Reject, position?: number): boolean {
    const entry = this.#send.openFor(record)
    if (entry === undefined || !this.buffer.hasRoomFor(record)) return false
    if (!this.#send.append(entry, record, this.#ledger.epoch)) return false
    entry.addSettlers(resolve, reject)
    entry.addPosition(position)
    this.buffer.recharge(entry)
    this.counts.put++
    return true
  }

  /** How a record would come in, or throws why it would not; nothing has changed by then. */
  admission(record: CheckedRecord, mayWait: boolean): 'enter' | 'wait' {
    if (this.#send.gate?.isHalted(record.partitionKey)) throw new KeyHaltedError(record.partitionKey)
    return this.buffer.check(record, mayWait)
  }

  /**
   * Takes a record over, or throws why not; in that case nothing has changed.
   * @param position where the spool has it
   */
  put(
    record: CheckedRecord,
    nowMs: number,
    mayWait: boolean,
    resolve?: Resolve,
    reject?: Reject,
    position?: number,
  ): void {
    const admission = this.admission(record, mayWait)
    this.counts.put++
    const packs = admission === 'enter' && this.#send.packs(record)
    const entry = new PendingEntry(record, nowMs, nowMs + this.#options.recordTtlMs)
    entry.addSettlers(resolve, reject)
    entry.addPosition(position)
    this.#ledger.enter(entry)
    if (packs) this.#send.open(entry, record, nowMs)
    else entry.carry(record)
    if (admission === 'wait') this.buffer.wait(entry)
    else {
      this.buffer.charge(entry)
      if (!packs) this.#add(entry, nowMs)
    }
  }

  /** True where a request would be full. */
  get isBatchFull(): boolean {
    return this.#send.isFull
  }

  /** True where a request is due: full, or its records have waited long enough. */
  isBatchDue(nowMs: number): boolean {
    return this.#send.isDue(nowMs)
  }

  /** The next request, if one is due. The caller sends it, and reports what became of it. */
  takeBatch(nowMs: number): Batch | undefined {
    const entries = this.#send.take(nowMs)
    if (entries.length === 0) return undefined
    let sizeBytes = 0
    let records = 0
    for (const entry of entries) {
      entry.place = 'in-flight'
      entry.attempts++
      sizeBytes += entry.sizeBytes
      records += entry.count
    }
    const batch = { entries, records, sizeBytes, sentAtMs: nowMs }
    this.#inFlight.add(batch)
    if (this.#mapAwaited) this.#unpaced ??= batch
    return batch
  }

  /** When `takeBatch` or `expire` next has something to do although nothing else happens; Infinity when never. */
  wakeAtMs(canSend: boolean): number {
    if (this.#send.hasTooLarge) return 0
    const lookAtMs = Math.min(this.#ledger.expiryMs, this.#send.noteAtMs)
    return canSend ? Math.min(this.#send.dueAtMs, lookAtMs) : lookAtMs
  }

  /** The service answered. */
  settleBatch(batch: Batch, results: readonly PutRecordsEntryResult[], nowMs: number): BatchOutcome {
    this.#inFlight.delete(batch)
    const outcome = this.#outcomes.settleBatch(batch, results, nowMs)
    this.#admitWaiting(nowMs)
    return outcome
  }

  /** The request failed as a whole. */
  failBatch(batch: Batch, fault: TransportFault, nowMs: number): BatchOutcome {
    this.#inFlight.delete(batch)
    const outcome = this.#outcomes.failBatch(batch, fault, nowMs)
    this.#admitWaiting(nowMs)
    return outcome
  }

  /**
   * Fails what has waited longer than `recordTtlMs`, and what has turned out too large for the stream. What is in flight is left to its
   * answer, which also ends its time.
   */
  expire(nowMs: number): void {
    this.#send.noteTime(nowMs)
    for (let entry = this.#send.nextTooLarge(); entry !== undefined; entry = this.#send.nextTooLarge()) {
      this.#outcomes.fail(entry, new RecordTooLargeError(entry.sizeBytes, this.#send.maxRecordBytes), nowMs)
    }
    for (
      let entry = this.#ledger.nextExpired(nowMs);
      entry !== undefined;
      entry = this.#ledger.nextExpired(nowMs)
    ) {
      this.#outcomes.fail(entry, this.#outcomes.expiredError(entry), nowMs)
    }
    this.#admitWaiting(nowMs)
  }

  /** A new shard map: what waits is sorted anew. With `aggregate`, records are packed by it. */
  useShardMap(map: ShardMap, aggregate: boolean, nowMs: number): void {
    this.#outcomes.map = map
    const { waiting, retrying } = this.#send.useMap(map, aggregate ? map : undefined, nowMs)
    for (const entry of waiting) {
      // What came before the stream was known waits alone. Past the gate of its key it must: it would wait there for itself.
      const waitsAlone = entry.attempts === 0 && !entry.isAggregate && this.#send.gate === undefined
      if (waitsAlone && this.#send.packs(entry)) this.#pack(entry, nowMs)
      else for (const part of this.#ledger.fit(entry, map)) this.#send.makeReady(part, nowMs, false)
    }
    if (aggregate) for (const entry of this.#send.gate?.drainLines() ?? []) this.#add(entry, nowMs)
    for (const { at, entries } of retrying) {
      for (const entry of entries) {
        const parts = this.#ledger.fit(entry, map)
        if (parts[0] !== entry) this.#send.retryAt(at, parts)
      }
    }
    if (this.#unpaced !== undefined) this.#send.charge(this.#unpaced.entries)
    this.endWaitForMap()
    this.#outcomes.verifyAll(map, nowMs)
    this.#admitWaiting(nowMs)
  }

  /** The shards are the same as before. */
  useSameShards(nowMs: number): void {
    this.#outcomes.verifyPatiently(nowMs)
    this.#admitWaiting(nowMs)
  }

  /** The first listing has ended, with or without a map. */
  endWaitForMap(): void {
    this.#mapAwaited = false
    this.#unpaced = undefined
  }

  /** The stream's own limit is known: records that were too large for a stream as it is created go on, or fail by `expire`. */
  useRecordLimit(maxRecordBytes: number, nowMs: number): void {
    this.#send.useRecordLimit(maxRecordBytes, nowMs)
  }

  /** Resolves when everything put so far has settled, without waiting out its linger. */
  flush(nowMs: number): Promise<void> {
    const settled = this.#ledger.flush()
    this.#send.hurry(nowMs)
    return settled
  }

  /** Lets a halted key go on; false where it was not halted. */
  resumeKey(partitionKey: string): boolean {
    return this.#send.gate?.resume(partitionKey) ?? false
  }

  /** Fails everything that has not settled; answers that still come change nothing any more. */
  abandon(errorFor: (entry: PendingEntry) => ProducerError): void {
    // Those whose time ran out in flight are older than the rest, and the ledger has lost sight of them.
    const outOfSight = [...this.#inFlight].flatMap(({ entries }) =>
      entries.filter((entry) => !entry.aging && entry.place !== 'settled'),
    )
    const open = [...outOfSight, ...this.#ledger.aging()]
    this.#send.clear()
    this.#outcomes.abandon(open, errorFor)
    this.buffer.releaseRoomWaiters()
  }

  #add(entry: PendingEntry, nowMs: number): void {
    if (!entry.isAggregate && this.#send.packs(entry)) this.#pack(entry, nowMs)
    else this.#send.add(entry, nowMs)
  }

  /** Puts a record that has waited alone into an aggregate, or opens one with it. */
  #pack(entry: PendingEntry, nowMs: number): void {
    const open = this.#send.openFor(entry)
    if (open === undefined || !this.#send.append(open, entry, entry.epoch)) {
      this.#send.open(entry, entry, nowMs)
      this.buffer.recharge(entry)
      return
    }
    open.addSettlers(...(entry.settlers ?? []))
    open.addPosition(entry.positions?.[0])
    this.buffer.recharge(open)
    this.#ledger.dissolve(entry)
  }

  #admitWaiting(nowMs: number): void {
    for (let entry = this.buffer.nextAdmitted(); entry !== undefined; entry = this.buffer.nextAdmitted()) {
      this.#add(entry, nowMs)
    }
  }
}
