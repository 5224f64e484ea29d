import type { Random } from '@org/kinesis-core'
import { AgeList } from './age-list.js'
import { type Batch, type BatchOutcome, Settlement } from './batch.js'
import { divideEntry, hashedKeyOf, membersOf } from './entry-members.js'
import { entryCountFault, entryOutcome, wrongShardFault } from './entry-outcome.js'
import { FlushBarrier } from './flush-barrier.js'
import { PendingEntry, type Reject, type Resolve } from './pending-entry.js'
import {
  KeyHaltedError,
  type ProducerError,
  RecordExpiredError,
  RecordTooLargeError,
} from './producer-errors.js'
import type { PutRecordsEntryResult, TransportFault } from './put-records-transport.js'
import { RecordBuffer, type RecordBufferOptions } from './record-buffer.js'
import type { CheckedRecord } from './record-input.js'
import { decideRetry, type RetryPolicy } from './retry-decision.js'
import { SendQueue, type SendQueueOptions } from './send-queue.js'
import type { ShardMap } from './shard-map.js'

export interface DeliveryQueueOptions extends RetryPolicy, RecordBufferOptions, SendQueueOptions {
  onExpired: 'continue' | 'halt-key'
  random: Random
}

/** Listings that may lag behind a reshard; then a shard that is not among theirs has been closed since an aggregate landed in it. */
const LOOKS_FOR_A_SHARD = 3

/** What the queue tells of single entries, as it happens. */
export interface DeliveryQueueEvents {
  delivered(entry: PendingEntry, shardId: string): void
  attemptFailed(entry: PendingEntry, fault: TransportFault): void
  retrying(entry: PendingEntry, fault: TransportFault, delayMs: number): void
  failed(entry: PendingEntry, error: ProducerError): void
  /** An entry that the spool has is delivered, or failed and told. */
  spooledSettled(entry: PendingEntry): void
}

/**
 * Every decision about records from `put` to receipt, without a timer, a socket or a clock of its own: the shell says what time
 * it is, what was answered, and when to look again (`wakeAtMs`).
 *
 * A record waits for room (`admission`); with aggregation it is packed with others (`open`); then its entry waits, with `per-key`, for its
 * turn (`key`), then in its shard's lane, is in flight, and either settles or comes back over `backoff`. It settles exactly once, whatever
 * comes first: an answer, its expiry, or `abandon`.
 */
export class DeliveryQueue {
  readonly counts = { put: 0, delivered: 0, failed: 0, retried: 0, throttled: 0 }
  /** Whoever waits for room does so here. */
  readonly buffer: RecordBuffer
  readonly #options: DeliveryQueueOptions
  readonly #events: DeliveryQueueEvents
  readonly #send: SendQueue
  readonly #ages = new AgeList()
  readonly #barrier = new FlushBarrier()
  readonly #inFlight = new Set<Batch>()
  /** Landed in a shard that may not be that of all their records: the next shard map tells. */
  readonly #unverified = new Set<PendingEntry>()
  #map: ShardMap | undefined
  /** The first request, which does not wait for the shard map: what it took of the shards' rates is charged afterwards. */
  #unpaced: Batch | undefined
  #mapAwaited = true
  /** Of the stream, once it has been asked for. */
  #recordLimit: number | undefined
  /** A lower bound: looked up again only when it is reached. */
  #expiryMs = Number.POSITIVE_INFINITY

  constructor(options: DeliveryQueueOptions, events: DeliveryQueueEvents) {
    this.#options = options
    this.#events = events
    this.buffer = new RecordBuffer(options)
    this.#send = new SendQueue(options, (entry) => this.#barrier.isAwaited(entry.epoch))
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
    return this.#unverified.size > 0
  }

  /** True while entries wait for the stream's limit of a record. */
  get needsRecordLimit(): boolean {
    return this.#recordLimit === undefined && this.#send.oversized.size > 0
  }

  /**
   * Takes a record into an aggregate that is open; false where there is none, or no room. The short way that most records go: nothing
   * becomes due by it, so nobody needs to know what time it is.
   */
  append(record: CheckedRecord, resolve?: Resolve, reject?: Reject, position?: number): boolean {
    const entry = this.#send.openFor(record)
    if (entry === undefined || !this.buffer.hasRoomFor(record)) return false
    if (!this.#send.append(entry, record, this.#barrier.current)) return false
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
    entry.epoch = this.#barrier.enter()
    this.#ages.push(entry)
    this.#expiryMs = Math.min(this.#expiryMs, entry.expiresAtMs)
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

  /** True of entries that waited for room, or for their key, until the limit was known. */
  get #isOverLimit(): boolean {
    return this.#recordLimit !== undefined && this.#send.oversized.size > 0
  }

  /** When `takeBatch` or `expire` next has something to do although nothing else happens; Infinity when never. */
  wakeAtMs(canSend: boolean): number {
    if (this.#isOverLimit) return 0
    const lookAtMs = Math.min(this.#expiryMs, this.#send.noteAtMs)
    return canSend ? Math.min(this.#send.dueAtMs, lookAtMs) : lookAtMs
  }

  /** The service answered. */
  settleBatch(batch: Batch, results: readonly PutRecordsEntryResult[], nowMs: number): BatchOutcome {
    if (results.length !== batch.entries.length) {
      return this.failBatch(batch, entryCountFault(batch.entries.length, results.length), nowMs)
    }
    const settlement = this.#beginSettlement(batch, nowMs)
    for (let index = 0; index < results.length; index++) {
      const entry = batch.entries[index]!
      const outcome = entryOutcome(results[index]!)
      if ('sequenceNumber' in outcome) this.#landed(entry, outcome, settlement)
      else this.#retryOrFail(entry, outcome, settlement)
    }
    return this.#endSettlement(settlement)
  }

  /** The request failed as a whole. */
  failBatch(batch: Batch, fault: TransportFault, nowMs: number): BatchOutcome {
    const settlement = this.#beginSettlement(batch, nowMs)
    for (const entry of batch.entries) this.#retryOrFail(entry, fault, settlement)
    settlement.outcome.fault = fault
    return this.#endSettlement(settlement)
  }

  /** Fails what has waited longer than `recordTtlMs`. What is in flight is left to its answer, which also ends its time. */
  expire(nowMs: number): void {
    this.#send.noteTime(nowMs)
    if (this.#isOverLimit) this.useRecordLimit(this.#recordLimit!, nowMs)
    if (nowMs < this.#expiryMs) return
    let oldest = this.#ages.oldest
    for (; oldest !== undefined && oldest.expiresAtMs <= nowMs; oldest = this.#ages.oldest) {
      if (oldest.place === 'in-flight') this.#ages.remove(oldest)
      else this.#fail(oldest, this.#expiredError(oldest), nowMs)
    }
    this.#expiryMs = oldest?.expiresAtMs ?? Number.POSITIVE_INFINITY
    this.#admitWaiting(nowMs)
  }

  /** A new shard map: what waits is sorted anew. With `aggregate`, records are packed by it. */
  useShardMap(map: ShardMap, aggregate: boolean, nowMs: number): void {
    this.#map = map
    const { waiting, retrying } = this.#send.useMap(map, aggregate ? map : undefined, nowMs)
    for (const entry of waiting) {
      // What came before the stream was known waits alone. Past the gate of its key it must: it would wait there for itself.
      const waitsAlone = entry.attempts === 0 && !entry.isAggregate && this.#send.gate === undefined
      if (waitsAlone && this.#send.packs(entry)) this.#pack(entry, nowMs)
      else for (const part of this.#fit(entry)) this.#send.makeReady(part, nowMs, false)
    }
    if (aggregate) for (const entry of this.#send.gate?.drainLines() ?? []) this.#add(entry, nowMs)
    for (const { at, entries } of retrying) {
      for (const entry of entries) {
        const parts = this.#fit(entry)
        if (parts[0] !== entry) this.#send.retryAt(at, parts)
      }
    }
    if (this.#unpaced !== undefined) this.#send.charge(this.#unpaced.entries)
    this.endWaitForMap()
    for (const entry of this.#unverified) this.#verifyEntry(entry, map, nowMs)
    this.#admitWaiting(nowMs)
  }

  /** The shards are the same as before: one in which an aggregate landed may not be listed yet, or not be listed any more. */
  useSameShards(nowMs: number): void {
    for (const entry of this.#unverified) {
      if (++entry.looks >= LOOKS_FOR_A_SHARD) this.#verifyEntry(entry, this.#map!, nowMs)
    }
    this.#admitWaiting(nowMs)
  }

  /** The first listing has ended, with or without a map. */
  endWaitForMap(): void {
    this.#mapAwaited = false
    this.#unpaced = undefined
  }

  /** The stream's own limit is known: records that were too large for a stream as it is created go on, or fail. */
  useRecordLimit(maxRecordBytes: number, nowMs: number): void {
    this.#recordLimit = maxRecordBytes
    for (const entry of this.#send.useRecordLimit(maxRecordBytes, nowMs)) {
      // Whoever hears of the failure before may have let it expire.
      if (entry.place !== 'limit') continue
      this.#fail(entry, new RecordTooLargeError(entry.sizeBytes, maxRecordBytes), nowMs)
    }
    this.#admitWaiting(nowMs)
  }

  /** Resolves when everything put so far has settled, without waiting out its linger. */
  flush(nowMs: number): Promise<void> {
    const settled = this.#barrier.wait()
    this.#send.hurry(nowMs)
    return settled
  }

  /** Lets a halted key go on; false where it was not halted. */
  resumeKey(partitionKey: string): boolean {
    return this.#send.gate?.resume(partitionKey) ?? false
  }

  /** Fails everything that has not settled; answers that still come change nothing any more. */
  abandon(errorFor: (entry: PendingEntry) => ProducerError): void {
    const open: PendingEntry[] = []
    for (const batch of this.#inFlight) {
      // Those whose time ran out in flight are older than the rest, and have left the list below.
      for (const entry of batch.entries) if (!entry.aging && entry.place !== 'settled') open.push(entry)
    }
    for (let entry = this.#ages.oldest; entry !== undefined; entry = entry.younger) open.push(entry)
    this.#send.clear()
    this.#unverified.clear()
    for (const entry of open) {
      const error = errorFor(entry)
      this.#settle(entry)
      this.#reject(entry, error)
    }
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
    this.#dissolve(entry)
  }

  /** What an entry held is in others now. */
  #dissolve(entry: PendingEntry): void {
    this.#settle(entry)
    this.#barrier.settle(entry.epoch)
  }

  #admitWaiting(nowMs: number): void {
    for (let entry = this.buffer.nextAdmitted(); entry !== undefined; entry = this.buffer.nextAdmitted()) {
      this.#add(entry, nowMs)
    }
    this.buffer.announceRoom()
  }

  /** An entry as it can be sent by the map of today: as it is, or divided, where its bucket now lies in two shards. */
  #fit(entry: PendingEntry): readonly PendingEntry[] {
    if (entry.bucket === undefined || this.#map === undefined) return [entry]
    const bucket = this.#map.adopt(entry.bucket)
    if (bucket !== undefined) {
      entry.bucket = bucket
      return [entry]
    }
    const parts = divideEntry(entry, this.#map)
    for (const part of parts) {
      part.place = entry.place
      this.buffer.charge(part)
      this.#barrier.reenter(part.epoch)
    }
    this.#ages.insertBefore(entry, parts)
    this.#dissolve(entry)
    return parts
  }

  #beginSettlement(batch: Batch, nowMs: number): Settlement {
    this.#inFlight.delete(batch)
    return new Settlement(batch, nowMs, this.#options.random())
  }

  #landed(
    entry: PendingEntry,
    landed: { shardId: string; sequenceNumber: string },
    settlement: Settlement,
  ): void {
    const predicted = entry.lane?.shardId
    const isMisplaced = predicted !== undefined && predicted !== landed.shardId
    if (isMisplaced) settlement.outcome.misplaced++
    if (entry.place === 'settled') return
    settlement.note(entry)
    if (isMisplaced && entry.bucket !== undefined) {
      entry.landed = landed
      entry.looks = 0
      entry.maybeDelivered = true
      entry.place = 'unverified'
      this.#unverified.add(entry)
      settlement.outcome.unverified += entry.count
      if (this.#map?.has(landed.shardId)) this.#verifyEntry(entry, this.#map, settlement.nowMs)
      // Its time ran out in flight, and nobody looks at it again.
      else if (!entry.aging) this.#fail(entry, this.#expiredError(entry), settlement.nowMs)
      return
    }
    settlement.outcome.delivered += entry.count
    this.#deliver(entry, landed, settlement.nowMs)
  }

  /** Delivered, if all members of an aggregate belong to the shard in which it landed: otherwise consumers drop it, and it goes again. */
  #verifyEntry(entry: PendingEntry, map: ShardMap, nowMs: number): void {
    this.#unverified.delete(entry)
    const { landed } = entry
    if (membersOf(entry).every((member) => map.shardHolds(landed!.shardId, hashedKeyOf(member)))) {
      this.#deliver(entry, landed!, nowMs)
      return
    }
    const fault = wrongShardFault(landed!.shardId)
    entry.history = [
      ...entry.history.slice(0, -1),
      { ...entry.history.at(-1)!, errorCode: fault.reason, errorMessage: fault.message },
    ]
    entry.landed = undefined
    entry.lastFault = fault
    this.#events.attemptFailed(entry, fault)
    // It waited for the map already.
    const decision = decideRetry(entry, fault, nowMs, this.#options, () => 0)
    if (!entry.aging || 'error' in decision) {
      this.#fail(entry, 'error' in decision ? decision.error : this.#expiredError(entry), nowMs)
      return
    }
    this.counts.retried += entry.count
    for (const part of this.#fit(entry)) this.#send.makeReady(part, nowMs, true)
    this.#events.retrying(entry, fault, 0)
  }

  #retryOrFail(entry: PendingEntry, fault: TransportFault, settlement: Settlement): void {
    const { batch, nowMs, outcome } = settlement
    if (fault.kind === 'throttled') {
      entry.lane?.pacer?.throttled(batch.sentAtMs, nowMs)
      outcome.throttled += entry.count
      this.counts.throttled += entry.count
    }
    if (entry.place === 'settled') return
    settlement.note(entry, fault)
    entry.lastFault = fault
    this.#events.attemptFailed(entry, fault)
    if (fault.maybeDelivered) entry.maybeDelivered = true
    const decision = decideRetry(entry, fault, nowMs, this.#options, () => settlement.drawn)
    if ('error' in decision) {
      outcome.failed += entry.count
      this.#fail(entry, decision.error, nowMs)
      return
    }
    outcome.retried += entry.count
    this.counts.retried += entry.count
    entry.place = 'backoff'
    for (const part of this.#fit(entry)) settlement.retryAt(decision.retryAtMs, part)
    // Last, because whoever hears it may flush, and so let entries expire.
    this.#events.retrying(entry, fault, decision.retryAtMs - nowMs)
  }

  #endSettlement(settlement: Settlement): BatchOutcome {
    for (const [at, entries] of settlement.retries) this.#send.retryAt(at, entries)
    this.#admitWaiting(settlement.nowMs)
    return settlement.outcome
  }

  #deliver(entry: PendingEntry, landed: { shardId: string; sequenceNumber: string }, nowMs: number): void {
    this.#settle(entry)
    this.counts.delivered += entry.count
    this.#events.delivered(entry, landed.shardId)
    const { attempts, history } = entry
    entry.resolve({ ...landed, attempts, history })
    if (entry.positions !== undefined) this.#events.spooledSettled(entry)
    // A request that was given up may still be on its way, with the data.
    if (attempts === 1) this.#send.recycle(entry)
    this.#barrier.settle(entry.epoch)
    this.#send.passGate(entry, nowMs)
  }

  /** Fails an entry wherever it is; the room it leaves is given out by the caller (`#admitWaiting`). */
  #fail(entry: PendingEntry, error: ProducerError, nowMs: number): void {
    const { place, partitionKey } = entry
    this.#unverified.delete(entry)
    this.#send.remove(entry)
    this.#settle(entry)
    // Before anybody is told, who may put again at once.
    const behind = this.#options.onExpired === 'halt-key' ? this.#haltKey(partitionKey) : []
    this.#reject(entry, error)
    for (const other of behind) this.#reject(other, new KeyHaltedError(partitionKey))
    if (this.#options.ordering === 'none') return
    if (place !== 'admission' && place !== 'open' && place !== 'key') this.#send.passGate(entry, nowMs)
  }

  /** Whoever stands behind a failed record of its key fails as well, in admission too: a gap must not be jumped. */
  #haltKey(partitionKey: string): readonly PendingEntry[] {
    if (this.#send.gate!.isHalted(partitionKey)) return []
    const behind = [...this.#send.haltKey(partitionKey), ...this.buffer.waitingOf(partitionKey)]
    for (const entry of behind) this.#settle(entry)
    return behind
  }

  #settle(entry: PendingEntry): void {
    this.buffer.leave(entry)
    this.#ages.remove(entry)
    entry.place = 'settled'
  }

  #reject(entry: PendingEntry, error: ProducerError): void {
    this.counts.failed += entry.count
    entry.reject(error)
    // After the put itself, so that a flush is never told before it.
    this.#barrier.settle(entry.epoch)
    this.#events.failed(entry, error)
    if (entry.positions !== undefined) this.#events.spooledSettled(entry)
  }

  #expiredError(entry: PendingEntry): RecordExpiredError {
    return new RecordExpiredError({
      attempts: entry.attempts,
      recordTtlMs: this.#options.recordTtlMs,
      maybeDelivered: entry.maybeDelivered,
      cause: entry.lastFault,
    })
  }
}
