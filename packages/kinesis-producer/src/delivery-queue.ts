import type { Random } from '@org/kinesis-core'
import { AgeList } from './age-list.js'
import { entryCountFault, entryOutcome } from './entry-outcome.js'
import { FlushBarrier } from './flush-barrier.js'
import { KeyGate } from './key-gate.js'
import { LaneScheduler } from './lane-scheduler.js'
import { MinHeap } from './min-heap.js'
import { type PendingRecord, RECORD_OVERHEAD_BYTES, type Receipt } from './pending-record.js'
import { KeyHaltedError, type ProducerError, QueueFullError, RecordExpiredError } from './producer-errors.js'
import type { PutRecordsEntryResult, TransportFault } from './put-records-transport.js'
import { RecordList } from './record-list.js'
import { decideRetry, type RetryPolicy } from './retry-decision.js'
import type { ShardMap } from './shard-map.js'

export interface DeliveryQueueOptions extends RetryPolicy {
  ordering: 'none' | 'per-key'
  onExpired: 'continue' | 'halt-key'
  lingerMs: number
  maxBatchRecords: number
  maxBatchBytes: number
  maxBufferedBytes: number
  maxRecordBytes: number
  whenFull: 'wait' | 'reject'
  random: Random
}

/** What the queue tells of single records, as it happens. */
export interface DeliveryQueueEvents {
  retrying(record: PendingRecord, fault: TransportFault, delayMs: number): void
  failed(record: PendingRecord, error: ProducerError): void
}

/** One request: its records are in flight from `takeBatch` until `settleBatch` or `failBatch`. */
export interface Batch {
  readonly records: readonly PendingRecord[]
  readonly sizeBytes: number
  readonly sentAtMs: number
}

/** How a request ended, record by record. */
export interface BatchOutcome {
  delivered: number
  retried: number
  failed: number
  throttled: number
  /** Records that landed on another shard than the map says. */
  misplaced: number
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
  bufferedBytes = 0
  readonly #options: DeliveryQueueOptions
  readonly #events: DeliveryQueueEvents
  readonly #lanes = new LaneScheduler()
  readonly #ages = new AgeList()
  readonly #barrier = new FlushBarrier()
  readonly #admission = new RecordList()
  readonly #gate: KeyGate | undefined
  readonly #backoff = new MinHeap<{ at: number; records: PendingRecord[] }>()
  readonly #inFlight = new Set<Batch>()
  /** The first request, which does not wait for the shard map: what it took of the shards' rates is charged afterwards. */
  #unpaced: Batch | undefined
  #roomWaiters: (() => void)[] = []
  #lingerUntilMs = Number.POSITIVE_INFINITY
  /** A lower bound: looked up again only when it is reached. */
  #expiryMs = Number.POSITIVE_INFINITY

  constructor(options: DeliveryQueueOptions, events: DeliveryQueueEvents) {
    this.#options = options
    this.#events = events
    this.#gate = options.ordering === 'per-key' ? new KeyGate() : undefined
  }

  /** Records that have not settled. */
  get pending(): number {
    return this.counts.put - this.counts.delivered - this.counts.failed
  }

  get waitingForRoom(): number {
    return this.#admission.count
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
    // Who waits already goes first, or a stream of small records would starve a large one (and break the order of a key).
    const fits = this.#admission.count === 0 && this.#fits(record.costBytes)
    if (!fits && this.#options.whenFull === 'reject') {
      throw new QueueFullError(this.bufferedBytes, this.#options.maxBufferedBytes)
    }
    this.counts.put++
    record.epoch = this.#barrier.enter()
    this.#ages.push(record)
    this.#expiryMs = Math.min(this.#expiryMs, record.expiresAtMs)
    if (fits) this.#admit(record, nowMs)
    else this.#admission.pushBack(record)
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
    if (this.#lanes.shardCount === 0) this.#unpaced ??= batch
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
    this.#unpaced = undefined
    // Nothing was ready, and what waited for tokens of the old shards is now: without a deadline it would wait for ever.
    if (this.#lanes.readyRecords > 0 && this.#lingerUntilMs === Number.POSITIVE_INFINITY) {
      this.#lingerUntilMs = nowMs
    }
  }

  /** Resolves when everything put so far has settled, without waiting out its linger. */
  flush(nowMs: number): Promise<void> {
    const settled = this.#barrier.wait()
    if (this.#lanes.readyRecords > 0) this.#lingerUntilMs = Math.min(this.#lingerUntilMs, nowMs)
    return settled
  }

  /** True where a record of any permitted size would be admitted at once; a buffer too small for two of those has room when half empty. */
  get hasRoom(): boolean {
    const { maxRecordBytes, maxBufferedBytes } = this.#options
    if (this.#admission.count > 0) return false
    return this.#fits(maxRecordBytes + RECORD_OVERHEAD_BYTES) || this.bufferedBytes <= maxBufferedBytes / 2
  }

  whenRoom(): Promise<void> {
    if (this.hasRoom) return Promise.resolve()
    return new Promise((resolve) => this.#roomWaiters.push(resolve))
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
    while (this.#admission.shift() !== undefined);
    for (const record of open) {
      if (record.place !== 'admission') this.bufferedBytes -= record.costBytes
      const error = errorFor(record)
      this.#settle(record)
      this.#reject(record, error)
    }
    this.releaseRoomWaiters()
  }

  /** Lets everyone go who waits for room, whether there is some or not. */
  releaseRoomWaiters(): void {
    const waiters = this.#roomWaiters
    this.#roomWaiters = []
    for (const resolve of waiters) resolve()
  }

  #fits(costBytes: number): boolean {
    // An empty buffer takes any record, or one larger than the buffer would wait for ever.
    return this.bufferedBytes === 0 || this.bufferedBytes + costBytes <= this.#options.maxBufferedBytes
  }

  #admit(record: PendingRecord, nowMs: number): void {
    this.bufferedBytes += record.costBytes
    if (this.#gate === undefined || this.#gate.enter(record)) this.#makeReady(record, nowMs, false)
  }

  #admitWaiting(nowMs: number): void {
    for (let record = this.#admission.head; record !== undefined; record = this.#admission.head) {
      if (!this.#fits(record.costBytes)) break
      this.#admission.remove(record)
      this.#admit(record, nowMs)
    }
    if (this.#roomWaiters.length > 0 && this.hasRoom) this.releaseRoomWaiters()
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
    const drawn = this.#options.random()
    return {
      batch,
      nowMs,
      random: () => drawn,
      retries: new Map(),
      outcome: { delivered: 0, retried: 0, failed: 0, throttled: 0, misplaced: 0 },
    }
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
    this.bufferedBytes -= record.costBytes
    this.#settle(record)
    this.counts.delivered++
    record.resolve(receipt)
    this.#barrier.settle(record.epoch)
    this.#passGate(record, nowMs)
  }

  /** Fails a record wherever it is; the room it leaves is given out by the caller (`#admitWaiting`). */
  #fail(record: PendingRecord, error: ProducerError, nowMs: number): void {
    const { place, partitionKey } = record
    if (place === 'admission') this.#admission.remove(record)
    else this.bufferedBytes -= record.costBytes
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
    const held = this.#gate.halt(partitionKey)
    for (const record of held) this.bufferedBytes -= record.costBytes
    for (let record = this.#admission.head; record !== undefined; ) {
      const next = record.next
      if (record.partitionKey === partitionKey) {
        this.#admission.remove(record)
        held.push(record)
      }
      record = next
    }
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
    record.place = 'settled'
    this.#ages.remove(record)
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

interface Settlement {
  batch: Batch
  nowMs: number
  random: Random
  retries: Map<number, PendingRecord[]>
  outcome: BatchOutcome
}
