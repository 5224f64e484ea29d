import type { Random } from '@org/kinesis-core'
import { type Batch, type BatchOutcome, Settlement } from './batch.js'
import type { EntryLedger } from './entry-ledger.js'
import { hashedKeyOf, membersOf } from './entry-members.js'
import { entryCountFault, entryOutcome, type Landed, wrongShardFault } from './entry-outcome.js'
import type { PendingEntry } from './pending-entry.js'
import { KeyHaltedError, type ProducerError, RecordExpiredError } from './producer-errors.js'
import type { PutRecordsEntryResult, TransportFault } from './put-records-transport.js'
import { decideRetry, type RetryPolicy } from './retry-decision.js'
import type { SendQueue } from './send-queue.js'
import type { ShardMap } from './shard-map.js'

export interface DeliveryOutcomesOptions extends RetryPolicy {
  ordering: 'none' | 'per-key'
  onExpired: 'continue' | 'halt-key'
  random: Random
}

/** Listings that may lag behind a reshard; then a shard that is not among theirs has been closed since an aggregate landed in it. */
const LOOKS_FOR_A_SHARD = 3

/** What is told of single entries, as it happens. */
export interface DeliveryEvents {
  delivered(entry: PendingEntry, shardId: string): void
  attemptFailed(entry: PendingEntry, fault: TransportFault): void
  retrying(entry: PendingEntry, fault: TransportFault, delayMs: number): void
  failed(entry: PendingEntry, error: ProducerError): void
  /** An entry that the spool has is delivered, or failed and told. */
  spooledSettled(entry: PendingEntry): void
}

/** What becomes of entries: delivered, tried again, failed, or unverified until the shards are known anew. Each settles once. */
export class DeliveryOutcomes {
  readonly counts = { put: 0, delivered: 0, failed: 0, retried: 0, throttled: 0 }
  map: ShardMap | undefined
  readonly #options: DeliveryOutcomesOptions
  readonly #events: DeliveryEvents
  readonly #ledger: EntryLedger
  readonly #send: SendQueue
  /** Landed in a shard that may not be that of all their records: the next shard map tells. */
  readonly #unverified = new Set<PendingEntry>()

  constructor(
    options: DeliveryOutcomesOptions,
    events: DeliveryEvents,
    ledger: EntryLedger,
    send: SendQueue,
  ) {
    this.#options = options
    this.#events = events
    this.#ledger = ledger
    this.#send = send
  }

  /** True while entries wait for a new shard map. */
  get needsMap(): boolean {
    return this.#unverified.size > 0
  }

  /** The service answered. */
  settleBatch(batch: Batch, results: readonly PutRecordsEntryResult[], nowMs: number): BatchOutcome {
    if (results.length !== batch.entries.length) {
      return this.failBatch(batch, entryCountFault(batch.entries.length, results.length), nowMs)
    }
    const settlement = new Settlement(batch, nowMs, this.#options.random())
    for (let index = 0; index < results.length; index++) {
      const entry = batch.entries[index]!
      const outcome = entryOutcome(results[index]!)
      if ('sequenceNumber' in outcome) this.#landed(entry, outcome, settlement)
      else this.#retryOrFail(entry, outcome, settlement)
    }
    return this.#end(settlement)
  }

  /** The request failed as a whole. */
  failBatch(batch: Batch, fault: TransportFault, nowMs: number): BatchOutcome {
    const settlement = new Settlement(batch, nowMs, this.#options.random())
    for (const entry of batch.entries) this.#retryOrFail(entry, fault, settlement)
    settlement.outcome.fault = fault
    return this.#end(settlement)
  }

  /** By a new map: it has the shards in which aggregates landed, or they have been closed since. */
  verifyAll(map: ShardMap, nowMs: number): void {
    for (const entry of this.#unverified) this.#verify(entry, map, nowMs)
  }

  /** The shards are the same as before: one in which an aggregate landed may not be listed yet, or not be listed any more. */
  verifyPatiently(nowMs: number): void {
    for (const entry of this.#unverified) {
      if (++entry.looks >= LOOKS_FOR_A_SHARD) this.#verify(entry, this.map!, nowMs)
    }
  }

  /** Fails entries that wait for nothing any more. */
  abandon(entries: readonly PendingEntry[], errorFor: (entry: PendingEntry) => ProducerError): void {
    this.#unverified.clear()
    for (const entry of entries) {
      const error = errorFor(entry)
      this.#ledger.settle(entry)
      this.#reject(entry, error)
    }
  }

  #landed(entry: PendingEntry, landed: Landed, settlement: Settlement): void {
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
      if (this.map?.has(landed.shardId)) this.#verify(entry, this.map, settlement.nowMs)
      // Its time ran out in flight, and nobody looks at it again.
      else if (!entry.aging) this.fail(entry, this.expiredError(entry), settlement.nowMs)
      return
    }
    settlement.outcome.delivered += entry.count
    this.#deliver(entry, landed, settlement.nowMs)
  }

  /** Delivered, if all members of an aggregate belong to the shard in which it landed: otherwise consumers drop it, and it goes again. */
  #verify(entry: PendingEntry, map: ShardMap, nowMs: number): void {
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
      this.fail(entry, 'error' in decision ? decision.error : this.expiredError(entry), nowMs)
      return
    }
    this.counts.retried += entry.count
    for (const part of this.#ledger.fit(entry, this.map)) this.#send.makeReady(part, nowMs, true)
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
      this.fail(entry, decision.error, nowMs)
      return
    }
    outcome.retried += entry.count
    this.counts.retried += entry.count
    entry.place = 'backoff'
    for (const part of this.#ledger.fit(entry, this.map)) settlement.retryAt(decision.retryAtMs, part)
    // Last, because whoever hears it may flush, and so let entries expire.
    this.#events.retrying(entry, fault, decision.retryAtMs - nowMs)
  }

  #deliver(entry: PendingEntry, landed: Landed, nowMs: number): void {
    this.#ledger.settle(entry)
    this.counts.delivered += entry.count
    this.#events.delivered(entry, landed.shardId)
    const { attempts, history } = entry
    if (entry.settlers !== undefined) {
      const { shardId, sequenceNumber } = landed
      entry.resolve({ shardId, sequenceNumber, attempts, history })
    }
    if (entry.positions !== undefined) this.#events.spooledSettled(entry)
    // A request that was given up may still be on its way, with the data.
    if (attempts === 1) this.#send.recycle(entry)
    this.#ledger.release(entry)
    this.#send.passGate(entry, nowMs)
  }

  /** Fails an entry wherever it is; the room it leaves is given out by the queue. */
  fail(entry: PendingEntry, error: ProducerError, nowMs: number): void {
    const { place, partitionKey } = entry
    this.#unverified.delete(entry)
    this.#send.remove(entry)
    this.#ledger.settle(entry)
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
    const behind = [...this.#send.haltKey(partitionKey), ...this.#ledger.buffer.waitingOf(partitionKey)]
    for (const entry of behind) this.#ledger.settle(entry)
    return behind
  }

  #reject(entry: PendingEntry, error: ProducerError): void {
    this.counts.failed += entry.count
    entry.reject(error)
    // After the put itself, so that a flush is never told before it.
    this.#ledger.release(entry)
    this.#events.failed(entry, error)
    if (entry.positions !== undefined) this.#events.spooledSettled(entry)
  }

  expiredError(entry: PendingEntry): RecordExpiredError {
    return new RecordExpiredError({
      attempts: entry.attempts,
      recordTtlMs: this.#options.recordTtlMs,
      maybeDelivered: entry.maybeDelivered,
      cause: entry.lastFault,
    })
  }

  #end(settlement: Settlement): BatchOutcome {
    for (const [at, entries] of settlement.retries) this.#send.retryAt(at, entries)
    return settlement.outcome
  }
}
