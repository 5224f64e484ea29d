import type { Random } from '@org/kinesis-core'
import { AgeList } from './age-list.js'
import { type Batch, type BatchOutcome, beginSettlement, type Settlement } from './batch.js'
import { entryCountFault, entryOutcome } from './entry-outcome.js'
import { FlushBarrier } from './flush-barrier.js'
import { KeyGate } from './key-gate.js'
import { LaneScheduler } from './lane-scheduler.js'
import { MinHeap } from './min-heap.js'
import type { PendingRecord, Receipt } from './pending-record.js'
import { KeyHaltedError, type ProducerError, RecordExpiredError } from './producer-errors.js'
import type { PutRecordsEntryResult, TransportFault } from './put-records-transport.js'
import { RecordBuffer, type RecordBufferOptions } from './record-buffer.js'
import { decideRetry, type RetryPolicy } from './retry-decision.js'
import type { ShardMap } from './shard-map.js'

export interface DeliveryQueueOptions extends RetryPolicy, RecordBufferOptions {
  ordering: 'none' | 'per-key'
  onExpired: 'continue' | 'halt-key'
  lingerMs: number
  maxBatchRecords: number
  maxBatchBytes: number
  random: Random
}

/** What the queue tells of single records, as it happens. */
export interface DeliveryQueueEvents {
  retrying(record: PendingRecord, fault: TransportFault, delayMs: number): void
  failed(record: PendingRecord, error: ProducerError): void
}

/**
 * Every decision about records from `put` to receipt, without a timer, a socket or a clock of its own: the shell says what time
 * it is, what was answered, and when to look again (`wakeAtMs`).
 *
 * A record waits for room (`admission`), then with `per-key` for its turn (`key`), then in its shard's lane, is in flight, and either
 * settles or comes back over `backoff`. It settles exactly once, whatever comes first: an answer, its expiry, or `abandon`.
 */
export class DeliveryQueue {
  readonly counts = { put: 0, delivered: 0, failed: 0, retried: 0, throttled: 0 }
  /** Whoever waits for room does so here. */
  readonly buffer: RecordBuffer
  readonly #options: DeliveryQueueOptions
  readonly #events: DeliveryQueueEvents
  readonly #lanes = new LaneScheduler()
  readonly #ages = new AgeList()
  readonly #barrier = new FlushBarrier()
  readonly #gate: KeyGate | undefined
  readonly #backoff = new MinHeap<{ at: number; records: PendingRecord[] }>()
  readonly #inFlight = new Set<Batch>()
  /** The first request, which does not wait for the shard map: what it took of the shards' rates is charged afterwards. */
  #unpaced: Batch | undefined
  #mapAwaited = true
  #lingerUntilMs = Number.POSITIVE_INFINITY
  /** A lower bound: looked up again only when it is reached. */
  #expiryMs = Number.POSITIVE_INFINITY

  constructor(options: DeliveryQueueOptions, events: DeliveryQueueEvents) {
    this.#options = options
    this.#events = events
    this.buffer = new RecordBuffer(options)
    this.#gate = options.ordering === 'per-key' ? new KeyGate() : undefined
  }

  /** Records that have not settled. */
  get pending(): number {
    return this.counts.put - this.counts.delivered - this.counts.failed
  }

  get shardCount(): number {
    return this.#lanes.shardCount
  }

  get haltedKeys(): number {
    return this.#gate?.haltedKeys ?? 0
  }

  /** Takes a record over, or throws why not; in that case nothing has changed. */
  put(record: PendingRecord, nowMs: number): void {
    if (this.#gate?.isHalted(record.partitionKey)) throw new KeyHaltedError(record.partitionKey)
    const entry = this.buffer.check(record)
    this.counts.put++
    record.epoch = this.#barrier.enter()
    this.#ages.push(record)
    this.#expiryMs = Math.min(this.#expiryMs, record.expiresAtMs)
    if (entry === 'wait') this.buffer.wait(record)
    else {
      this.buffer.enter(record)
      this.#admit(record, nowMs)
    }
  }

  /** True where a request would be full. */
  get isBatchFull(): boolean {
    const { readyRecords, readyBytes } = this.#lanes
    return readyRecords >= this.#options.maxBatchRecords || readyBytes >= this.#options.maxBatchBytes
  }

  /** True where a request is due: full, or its records have waited long enough. */
  isBatchDue(nowMs: number): boolean {
    return this.isBatchFull || (this.#lanes.readyRecords > 0 && nowMs >= this.#lingerUntilMs)
  }

  /** The next request, if one is due. The caller sends it, and reports what became of it. */
  takeBatch(nowMs: number): Batch | undefined {
    this.#releaseBackoff(nowMs)
    if (this.#lanes.wake(nowMs)) this.#lingerUntilMs = Math.min(this.#lingerUntilMs, nowMs)
    if (!this.isBatchDue(nowMs)) return undefined
    const { maxBatchRecords, maxBatchBytes } = this.#options
    const records = this.#lanes.take(nowMs, { maxRecords: maxBatchRecords, maxBytes: maxBatchBytes })
    if (this.#lanes.readyRecords === 0) this.#lingerUntilMs = Number.POSITIVE_INFINITY
    if (records.length === 0) return undefined
    let sizeBytes = 0
    for (const record of records) {
      record.place = 'in-flight'
      record.attempts++
      sizeBytes += record.sizeBytes
    }
    const batch = { records, sizeBytes, sentAtMs: nowMs }
    this.#inFlight.add(batch)
    if (this.#mapAwaited) this.#unpaced ??= batch
    return batch
  }

  /** When `takeBatch` or `expire` next has something to do although nothing else happens; Infinity when never. */
  wakeAtMs(canSend: boolean): number {
    if (!canSend) return this.#expiryMs
    return Math.min(
      this.#lanes.readyRecords > 0 ? this.#lingerUntilMs : Number.POSITIVE_INFINITY,
      this.#lanes.nextWakeMs,
      this.#backoff.peek()?.at ?? Number.POSITIVE_INFINITY,
      this.#expiryMs,
    )
  }

  /** The service answered. */
  settleBatch(batch: Batch, results: readonly PutRecordsEntryResult[], nowMs: number): BatchOutcome {
    if (results.length !== batch.records.length) {
      return this.failBatch(batch, entryCountFault(batch.records.length, results.length), nowMs)
    }
    const settlement = this.#beginSettlement(batch, nowMs)
    for (let index = 0; index < results.length; index++) {
      const record = batch.records[index]!
      const outcome = entryOutcome(results[index]!)
      if ('sequenceNumber' in outcome) {
        const predicted = record.lane?.shardId
        if (predicted !== undefined && predicted !== outcome.shardId) settlement.outcome.misplaced++
        if (record.place === 'settled') continue
        settlement.outcome.delivered++
        this.#deliver(record, { ...outcome, attempts: record.attempts }, nowMs)
      } else this.#retryOrFail(record, outcome, settlement)
    }
    return this.#endSettlement(settlement)
  }

  /** The request failed as a whole. */
  failBatch(batch: Batch, fault: TransportFault, nowMs: number): BatchOutcome {
    const settlement = this.#beginSettlement(batch, nowMs)
    for (const record of batch.records) this.#retryOrFail(record, fault, settlement)
    settlement.outcome.fault = fault
    return this.#endSettlement(settlement)
  }

  /** Fails what has waited longer than `recordTtlMs`. What is in flight is left to its answer, which also ends its time. */
  expire(nowMs: number): void {
    if (nowMs < this.#expiryMs) return
    let oldest = this.#ages.oldest
    for (; oldest !== undefined && oldest.expiresAtMs <= nowMs; oldest = this.#ages.oldest) {
      if (oldest.place === 'in-flight') this.#ages.remove(oldest)
      else this.#fail(oldest, this.#expiredError(oldest), nowMs)
    }
    this.#expiryMs = oldest?.expiresAtMs ?? Number.POSITIVE_INFINITY
    this.#admitWaiting(nowMs)
  }

  /** A new shard map: what waits is sorted anew. */
  useShardMap(map: ShardMap, nowMs: number): void {
    this.#lanes.useMap(map, nowMs)
    for (const record of this.#unpaced?.records ?? []) this.#lanes.charge(record)
    this.endWaitForMap()
    // Nothing was ready, and what waited for tokens of the old shards is now: without a deadline it would wait for ever.
    if (this.#lanes.readyRecords > 0 && this.#lingerUntilMs === Number.POSITIVE_INFINITY) {
      this.#lingerUntilMs = nowMs
    }
  }

  /** The first listing has ended, with or without a map. */
  endWaitForMap(): void {
    this.#mapAwaited = false
    this.#unpaced = undefined
  }

  /** Resolves when everything put so far has settled, without waiting out its linger. */
  flush(nowMs: number): Promise<void> {
    const settled = this.#barrier.wait()
    if (this.#lanes.readyRecords > 0) this.#lingerUntilMs = Math.min(this.#lingerUntilMs, nowMs)
    return settled
  }

  /** Lets a halted key go on; false where it was not halted. */
  resumeKey(partitionKey: string): boolean {
    return this.#gate?.resume(partitionKey) ?? false
  }

  /** Fails everything that has not settled; answers that still come change nothing any more. */
  abandon(errorFor: (record: PendingRecord) => ProducerError): void {
    const open: PendingRecord[] = []
    for (const batch of this.#inFlight) {
      // Those whose time ran out in flight are older than the rest, and have left the list below.
      for (const record of batch.records) if (!record.aging && record.place !== 'settled') open.push(record)
    }
    for (let record = this.#ages.oldest; record !== undefined; record = record.younger) open.push(record)
    this.#lanes.clear()
    this.#backoff.clear()
    for (const record of open) {
      const error = errorFor(record)
      this.#settle(record)
      this.#reject(record, error)
    }
    this.buffer.releaseRoomWaiters()
  }

  #admit(record: PendingRecord, nowMs: number): void {
    if (this.#gate === undefined || this.#gate.enter(record)) this.#makeReady(record, nowMs, false)
  }

  #admitWaiting(nowMs: number): void {
    for (let record = this.buffer.nextAdmitted(); record !== undefined; record = this.buffer.nextAdmitted()) {
      this.#admit(record, nowMs)
    }
    this.buffer.announceRoom()
  }

  /** Linger counts from the put: whoever waited elsewhere does not wait again. */
  #makeReady(record: PendingRecord, nowMs: number, front: boolean): void {
    this.#lanes.add(record, front)
    const untilMs = this.#barrier.isAwaited(record.epoch) ? nowMs : record.putAtMs + this.#options.lingerMs
    if (untilMs < this.#lingerUntilMs) this.#lingerUntilMs = untilMs
  }

  #releaseBackoff(nowMs: number): void {
    for (
      let group = this.#backoff.peek();
      group !== undefined && group.at <= nowMs;
      group = this.#backoff.peek()
    ) {
      this.#backoff.pop()
      // In front of younger records, and in their own order.
      for (let index = group.records.length - 1; index >= 0; index--) {
        const record = group.records[index]!
        if (record.place === 'backoff') this.#makeReady(record, nowMs, true)
      }
    }
  }

  #beginSettlement(batch: Batch, nowMs: number): Settlement {
    this.#inFlight.delete(batch)
    return beginSettlement(batch, nowMs, this.#options.random())
  }

  #retryOrFail(record: PendingRecord, fault: TransportFault, settlement: Settlement): void {
    const { batch, nowMs, retries, outcome } = settlement
    if (fault.kind === 'throttled') {
      record.lane?.pacer?.throttled(batch.sentAtMs, nowMs)
      outcome.throttled++
      this.counts.throttled++
    }
    if (record.place === 'settled') return
    record.lastFault = fault
    if (fault.maybeDelivered) record.maybeDelivered = true
    const decision = decideRetry(record, fault, nowMs, this.#options, settlement.random)
    if ('error' in decision) {
      outcome.failed++
      this.#fail(record, decision.error, nowMs)
      return
    }
    outcome.retried++
    this.counts.retried++
    record.place = 'backoff'
    const group = retries.get(decision.retryAtMs)
    if (group === undefined) retries.set(decision.retryAtMs, [record])
    else group.push(record)
    this.#events.retrying(record, fault, decision.retryAtMs - nowMs)
  }

  #endSettlement(settlement: Settlement): BatchOutcome {
    for (const [at, records] of settlement.retries) this.#backoff.push({ at, records })
    this.#admitWaiting(settlement.nowMs)
    return settlement.outcome
  }

  #deliver(record: PendingRecord, receipt: Receipt, nowMs: number): void {
    this.#settle(record)
    this.counts.delivered++
    record.resolve(receipt)
    this.#barrier.settle(record.epoch)
    this.#passGate(record, nowMs)
  }

  /** Fails a record wherever it is; the room it leaves is given out by the caller (`#admitWaiting`). */
  #fail(record: PendingRecord, error: ProducerError, nowMs: number): void {
    const { place, partitionKey } = record
    if (place === 'lane') this.#lanes.remove(record)
    if (place === 'key') this.#gate?.remove(record)
    this.#settle(record)
    this.#reject(record, error)
    if (this.#gate === undefined) return
    if (this.#options.onExpired === 'halt-key') this.#haltKey(partitionKey)
    if (place !== 'admission' && place !== 'key') this.#passGate(record, nowMs)
  }

  /** Whoever stands behind a failed record of its key fails as well, in admission too: a gap must not be jumped. */
  #haltKey(partitionKey: string): void {
    if (this.#gate === undefined || this.#gate.isHalted(partitionKey)) return
    const held = [...this.#gate.halt(partitionKey), ...this.buffer.waitingOf(partitionKey)]
    for (const record of held) {
      this.#settle(record)
      this.#reject(record, new KeyHaltedError(partitionKey))
    }
  }

  #passGate(record: PendingRecord, nowMs: number): void {
    const next = this.#gate?.leave(record)
    if (next !== undefined) this.#makeReady(next, nowMs, false)
  }

  #settle(record: PendingRecord): void {
    this.buffer.leave(record)
    this.#ages.remove(record)
    record.place = 'settled'
  }

  #reject(record: PendingRecord, error: ProducerError): void {
    this.counts.failed++
    record.reject(error)
    // After the put itself, so that a flush is never told before it.
    this.#barrier.settle(record.epoch)
    this.#events.failed(record, error)
  }

  #expiredError(record: PendingRecord): RecordExpiredError {
    return new RecordExpiredError({
      attempts: record.attempts,
      recordTtlMs: this.#options.recordTtlMs,
      maybeDelivered: record.maybeDelivered,
      cause: record.lastFault,
    })
  }
}
