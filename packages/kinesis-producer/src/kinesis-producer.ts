import { type Clock, InvalidOptionError, kinesisQuotas, sleep } from '@org/kinesis-core'
import type { Batch, BatchOutcome } from './batch.js'
import { DeliveryQueue } from './delivery-queue.js'
import type { Receipt } from './delivery-report.js'
import type { ProducerMetrics } from './observability/producer-metrics.js'
import { ProducerTelemetry } from './observability/producer-telemetry.js'
import type { Reject, Resolve } from './pending-entry.js'
import { givenUpByClose, producerIsClosed } from './producer-errors.js'
import {
  type KinesisProducerOptions,
  MAX_TIMER_MS,
  type ResolvedKinesisProducerOptions,
  resolveKinesisProducerOptions,
} from './producer-options.js'
import type { CloseOptions, CloseResult, ProducerStats } from './producer-report.js'
import { type PutAllResult, putAll, type RecordSource } from './put-all.js'
import type { TransportFault } from './put-records-transport.js'
import { type CheckedRecord, type ProducerRecord, RecordChecker } from './record-input.js'
import { SpooledRecords } from './spooled-records.js'
import { StreamWatch } from './stream-watch.js'
import { TimedRequests } from './timed-requests.js'
import { WakeTimer } from './wake-timer.js'

/**
 * Puts records into one Kinesis stream: batched, paced per shard, retried record by record, and settled exactly once.
 *
 * This file owns the timer, the requests and the state of the producer; every decision is `DeliveryQueue`'s. A timer runs only while
 * records are pending, so that an idle producer does not keep a process alive and a busy one does.
 */
export class KinesisProducer implements AsyncDisposable {
  readonly #options: ResolvedKinesisProducerOptions
  readonly #clock: Clock
  readonly #queue: DeliveryQueue
  readonly #checker: RecordChecker
  readonly #watch: StreamWatch
  readonly #timedRequests: TimedRequests
  readonly #telemetry: ProducerTelemetry
  readonly #timer: WakeTimer
  readonly #spooled: SpooledRecords | undefined
  #state: 'open' | 'closing' | 'closed' = 'open'
  #closing: Promise<CloseResult> | undefined
  #requests = 0
  #refused = 0
  #inFlight = 0
  #pumping = false
  #pumpQueued = false

  constructor(options: KinesisProducerOptions) {
    this.#options = resolveKinesisProducerOptions(options)
    this.#clock = this.#options.clock
    this.#timer = new WakeTimer(this.#clock, () => this.#pump())
    this.#timedRequests = new TimedRequests(this.#clock)
    // What the stream takes is not known yet, so a record of up to what the service takes at most may come in.
    this.#checker = new RecordChecker(this.#options.maxRecordBytes ?? kinesisQuotas.maxRecordBytes)
    this.#telemetry = new ProducerTelemetry(this, this.#options)
    const telemetry = this.#telemetry
    const watched = { ...this.#options, hooks: telemetry.watchHooks }
    this.#watch = new StreamWatch(watched, this.#timedRequests, (what) => this.#learn(what))
    this.#queue = new DeliveryQueue(this.#options, {
      attemptFailed: (entry, fault) => telemetry.attemptFailed(entry, fault),
      retrying: (entry, fault, delayMs) => telemetry.retrying(entry, fault, delayMs),
      delivered: (entry, shardId) => telemetry.delivered(entry, shardId),
      failed: (entry, error) => telemetry.failed(entry, error),
      spooledSettled: (entry) => this.#spooled?.settle(entry),
    })
    const { spool } = this.#options
    if (spool === undefined) return
    const parts = { queue: this.#queue, checker: this.#checker, telemetry }
    this.#spooled = new SpooledRecords({ ...this.#options, spool }, parts, (...put) => this.#admit(...put))
  }

  /**
   * Resolves when the record is durable in the stream. Rejects with a `ProducerError`, which says whether another put may help
   * (`retryable`) and whether the record may be in the stream all the same (`maybeDelivered`).
   */
  put(record: ProducerRecord): Promise<Receipt> {
    const mayWait = this.#options.whenFull === 'wait'
    return new Promise((resolve, reject) => this.#take(record, mayWait, resolve, reject))
  }

  /**
   * Takes a record without the cost of a promise. The answer says whether the next is welcome: after a `false` await `ready()`.
   * What becomes of the record is told to the callbacks, if there are any, to `onBatchSettled` and `onRecordFailed`, and in `stats()`.
   *
   * Throws what `put` would reject with where the record is not taken: it is invalid, the buffer is full (`QueueFullError`, whatever
   * `whenFull` says), its key is halted, the producer closed, or its spool not ready (await `ready()`).
   */
  enqueue(record: ProducerRecord, onDelivered?: Resolve, onFailed?: Reject): boolean {
    this.#spooled?.refuseWhileStarting()
    this.#take(record, false, onDelivered, onFailed)
    return this.#queue.buffer.hasRoom
  }

  /**
   * Puts every record of an iterable, such as an array, a generator or a stream in object mode, no faster than there is room, and resolves
   * when all have settled. A record that cannot be put at all ends it: rejects with that error, when those before have settled.
   */
  putAll(source: RecordSource): Promise<PutAllResult> {
    return putAll(this, source)
  }

  /**
   * Resolves when fewer than two full requests wait to be sent, and the buffer has room for a record of any permitted size (one of less than
   * two such records: when it is half empty). Await it before every put to keep memory low; with `aggregation` the first call also waits until
   * it is known whether the stream takes aggregates. Rejects once the producer is closed, or where its spool takes nothing.
   */
  async ready(): Promise<void> {
    if (this.#state === 'open') await this.#spooled?.ready()
    if (this.#state === 'open' && this.#options.aggregation !== undefined && !this.#watch.isSettled) {
      await this.#watch.whenSettled(this.#clock.now())
    }
    if (this.#state === 'open') await this.#queue.buffer.whenRoom()
    if (this.#state !== 'open') throw producerIsClosed()
  }

  /** Resolves when every record put so far has settled, delivered or not; sends what lingers at once. */
  flush(): Promise<void> {
    return this.#spooled?.isStarting ? this.#spooled.whenStarted(() => this.#flush()) : this.#flush()
  }

  /**
   * Takes no more puts, sends what is pending, and resolves when everything has settled or `deadlineMs` has passed. Later calls
   * return the result of the first. Rejects with `InvalidOptionError` for a `deadlineMs` that is no time, and does not close then.
   */
  close(options: CloseOptions = {}): Promise<CloseResult> {
    const { deadlineMs } = options
    if (deadlineMs !== undefined && !(deadlineMs >= 0 && deadlineMs <= MAX_TIMER_MS)) {
      const remedy = `Use 0 to ${MAX_TIMER_MS}, or leave it out to wait for every record.`
      return Promise.reject(new InvalidOptionError('deadlineMs', deadlineMs, remedy))
    }
    this.#closing ??= this.#drain(deadlineMs)
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** With `onExpired: 'halt-key'`: lets puts of a halted key through again. False where the key was not halted. */
  resumeKey(partitionKey: string): boolean {
    return this.#queue.resumeKey(partitionKey)
  }

  stats(): ProducerStats {
    const queue = this.#queue
    return {
      ...queue.counts,
      pending: queue.pending,
      refused: this.#refused + (this.#spooled?.refused ?? 0),
      requests: this.#requests,
      failedRequests: this.#telemetry.failedRequests,
      inFlightRequests: this.#inFlight,
      bufferedBytes: queue.buffer.bytes,
      waitingForRoom: queue.buffer.waitingRecords,
      shards: queue.shardCount,
      haltedKeys: queue.haltedKeys,
      recovered: this.#spooled?.recovered ?? 0,
      spool: this.#spooled?.stats(),
    }
  }

  /** Counters and latencies, of the stream and of each shard, by the names that the KPL gives them. */
  metrics(): ProducerMetrics {
    return this.#telemetry.metrics(this.stats(), this.#clock.now())
  }

  get #canSend(): boolean {
    // Until the stream is known, or known to be unknowable, nothing is paced or aggregated. The first request goes at once all the same, so that a
    // short-lived process does not pay for the listing; a burst at the start waits for it, or it would flood a shard.
    return this.#watch.isSettled ? this.#inFlight < this.#options.maxInFlightRequests : this.#requests === 0
  }

  #take(record: ProducerRecord, mayWait: boolean, resolve?: Resolve, reject?: Reject): void {
    try {
      if (this.#state !== 'open') throw producerIsClosed()
      const checked = this.#checker.check(record)
      if (this.#spooled === undefined) this.#admit(checked, mayWait, resolve, reject)
      else this.#spooled.take(checked, mayWait, resolve, reject)
    } catch (error) {
      this.#refused++
      throw error
    }
  }

  /** @param position where the spool has it */
  #admit(rec: CheckedRecord, mayWait: boolean, resolve?: Resolve, reject?: Reject, position?: number): void {
    if (this.#queue.append(rec, resolve, reject, position)) return
    const nowMs = this.#clock.now()
    this.#queue.put(rec, nowMs, mayWait, resolve, reject, position)
    this.#afterPut(nowMs)
  }

  #flush(): Promise<void> {
    const settled = this.#queue.flush(this.#clock.now())
    this.#pump()
    return settled
  }

  #afterPut(nowMs: number): void {
    if (this.#queue.needsRecordLimit || this.#watch.dueAtMs <= nowMs)
      this.#watch.look(nowMs, this.#queue.needsRecordLimit)
    if (!this.#canSend || !this.#queue.isBatchDue(nowMs)) this.#timer.arm(this.#wakeAtMs, nowMs)
    else if (this.#queue.isBatchFull) this.#pump()
    else if (!this.#pumpQueued) {
      // Without linger every put is due at once: those of the same turn still share a request.
      this.#pumpQueued = true
      queueMicrotask(() => {
        this.#pumpQueued = false
        this.#pump()
      })
    }
  }

  /** Does everything that is due, and arms the timer for what will be. */
  #pump(): void {
    // A hook may put, and end up here again; the loop below sees what it did.
    if (this.#pumping || this.#state === 'closed') return
    this.#pumping = true
    const nowMs = this.#clock.now()
    try {
      this.#queue.expire(nowMs)
      while (this.#canSend) {
        const batch = this.#queue.takeBatch(nowMs)
        if (batch === undefined) break
        this.#send(batch)
      }
    } finally {
      this.#pumping = false
    }
    this.#queue.buffer.announceRoom()
    this.#telemetry.report(nowMs)
    if (this.#queue.pending > 0) this.#watch.look(nowMs, this.#queue.needsRecordLimit)
    this.#timer.arm(this.#wakeAtMs, nowMs)
  }

  get #wakeAtMs(): number {
    const queue = this.#queue
    if (queue.pending === 0) return Number.POSITIVE_INFINITY
    const lookAtMs = queue.needsMap || queue.needsRecordLimit ? this.#watch.dueAtMs : Number.POSITIVE_INFINITY
    return Math.min(queue.wakeAtMs(this.#canSend), lookAtMs)
  }

  #send(batch: Batch): void {
    this.#inFlight++
    this.#requests++
    this.#telemetry.batchSent(batch, this.#inFlight)
    const { transport, stream, requestTimeoutMs } = this.#options
    void this.#timedRequests
      .run((signal) => transport.putRecords(stream, batch.entries, signal), requestTimeoutMs)
      .then(
        (results) => this.#ended(batch, this.#queue.settleBatch(batch, results, this.#clock.now())),
        (fault: TransportFault) => this.#ended(batch, this.#queue.failBatch(batch, fault, this.#clock.now())),
      )
  }

  #ended(batch: Batch, outcome: BatchOutcome): void {
    this.#inFlight--
    if (outcome.misplaced > 0) this.#watch.noteEvidence()
    this.#telemetry.batchSettled(batch, outcome, this.#clock.now())
    this.#pump()
  }

  #learn(what: 'shards' | 'same-shards' | 'stream' | 'nothing'): void {
    if (this.#state === 'closed') return
    const { map, maxRecordBytes, takesAggregates, isSettled } = this.#watch
    const nowMs = this.#clock.now()
    if (what === 'same-shards') this.#queue.useSameShards(nowMs)
    else if (what !== 'nothing' && map !== undefined) {
      if (what === 'shards') this.#telemetry.useShardMap(map, nowMs)
      this.#queue.useShardMap(map, takesAggregates, nowMs)
    }
    if (what === 'stream' && maxRecordBytes !== undefined && this.#options.maxRecordBytes === undefined) {
      this.#checker.maxRecordBytes = maxRecordBytes
      this.#queue.useRecordLimit(maxRecordBytes, nowMs)
    }
    if (isSettled) this.#queue.endWaitForMap()
    // A listing may lag behind a reshard, and entries that wait for the shard in which they landed wait for another then.
    if (this.#queue.needsMap) this.#watch.noteEvidence()
    this.#pump()
  }

  async #drain(deadlineMs: number | undefined): Promise<CloseResult> {
    this.#state = 'closing'
    const undelivered = this.#telemetry.collectUndelivered()
    this.#queue.buffer.releaseRoomWaiters()
    const over = new AbortController()
    const drained = this.flush().then(() => over.abort())
    if (deadlineMs === undefined) await drained
    else await sleep(this.#clock, deadlineMs, over.signal)
    this.#state = 'closed'
    this.#spooled?.stop()
    this.#watch.close()
    this.#timedRequests.abortAll('ProducerClosed', 'The producer was closed while the request was under way.')
    this.#queue.abandon((entry) => givenUpByClose(deadlineMs, entry))
    this.#timer.cancel()
    this.#telemetry.report(this.#clock.now(), true)
    this.#options.transport.close()
    await this.#spooled?.close()
    return { undelivered }
  }
}
