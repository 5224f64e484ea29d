import { type Clock, InvalidOptionError } from '@org/kinesis-core'
import type { Batch, BatchOutcome } from './batch.js'
import { DeliveryQueue } from './delivery-queue.js'
import { PendingRecord, type Receipt } from './pending-record.js'
import { ProducerClosedError } from './producer-errors.js'
import { notify } from './producer-hooks.js'
import {
  type KinesisProducerOptions,
  MAX_TIMER_MS,
  type ResolvedKinesisProducerOptions,
  resolveKinesisProducerOptions,
} from './producer-options.js'
import type { CloseOptions, CloseResult, ProducerStats, UndeliveredRecord } from './producer-report.js'
import type { TransportFault } from './put-records-transport.js'
import { encodeRecord, type ProducerRecord } from './record-input.js'
import { ShardMap } from './shard-map.js'
import { ShardMapRefresh } from './shard-map-refresh.js'
import { TimedRequests } from './timed-requests.js'

/** A listing that takes longer counts as failed: at the start, records wait for it. */
const LISTING_TIMEOUT_MS = 5_000

/**
 * Puts records into one Kinesis stream: batched, paced per shard, retried record by record, and settled exactly once.
 *
 * This file owns the timers, the requests and the state of the producer; every decision is `DeliveryQueue`'s. A timer runs only while
 * records are pending, so that an idle producer does not keep a process alive and a busy one does.
 */
export class KinesisProducer implements AsyncDisposable {
  readonly #options: ResolvedKinesisProducerOptions
  readonly #clock: Clock
  readonly #queue: DeliveryQueue
  readonly #refresh = new ShardMapRefresh()
  readonly #timedRequests: TimedRequests
  readonly #undelivered: UndeliveredRecord[] = []
  #shardMap: ShardMap | undefined
  #state: 'open' | 'closing' | 'closed' = 'open'
  #closing: Promise<CloseResult> | undefined
  #requests = 0
  #failedRequests = 0
  #refused = 0
  #inFlight = 0
  #pumping = false
  #pumpQueued = false
  #listed = false
  #saidUnpaced = false
  #timer: { atMs: number; cancel: () => void } | undefined

  constructor(options: KinesisProducerOptions) {
    this.#options = resolveKinesisProducerOptions(options)
    this.#clock = this.#options.clock
    this.#timedRequests = new TimedRequests(this.#clock)
    const { hooks } = this.#options
    this.#queue = new DeliveryQueue(this.#options, {
      retrying: (record, fault, delayMs) => {
        const { partitionKey, attempts } = record
        notify(hooks.onRecordRetried, { partitionKey, attempts, delayMs, fault })
      },
      failed: (record, error) => {
        const { partitionKey, explicitHashKey, data } = record
        if (this.#state !== 'open') {
          this.#undelivered.push({
            partitionKey,
            ...(explicitHashKey === undefined ? {} : { explicitHashKey }),
            data,
            error,
          })
        }
        notify(hooks.onRecordFailed, { partitionKey, data, error })
      },
    })
  }

  /**
   * Resolves when the record is durable in the stream. Rejects with a `ProducerError`, which says whether another put may help
   * (`retryable`) and whether the record may be in the stream all the same (`maybeDelivered`).
   */
  put(record: ProducerRecord): Promise<Receipt> {
    return new Promise((resolve, reject) => {
      try {
        if (this.#state !== 'open') throw closedError()
        const encoded = encodeRecord(record, this.#options)
        const nowMs = this.#clock.now()
        this.#queue.put(new PendingRecord(encoded, nowMs, this.#options.recordTtlMs, resolve, reject), nowMs)
        this.#afterPut(nowMs)
      } catch (error) {
        this.#refused++
        throw error
      }
    })
  }

  /**
   * Resolves when the buffer has room for a record of any permitted size (one of less than two such records: when it is half empty).
   * Await it before every put to keep memory bounded. Rejects with `ProducerClosedError` once the producer is closed.
   */
  async ready(): Promise<void> {
    if (this.#state === 'open') await this.#queue.buffer.whenRoom()
    if (this.#state !== 'open') throw closedError()
  }

  /** Resolves when every record put so far has settled, delivered or not; sends what lingers at once. */
  flush(): Promise<void> {
    const settled = this.#queue.flush(this.#clock.now())
    this.#pump()
    return settled
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
      refused: this.#refused,
      requests: this.#requests,
      failedRequests: this.#failedRequests,
      inFlightRequests: this.#inFlight,
      bufferedBytes: queue.buffer.bytes,
      waitingForRoom: queue.buffer.waitingRecords,
      shards: queue.shardCount,
      haltedKeys: queue.haltedKeys,
    }
  }

  get #canSend(): boolean {
    // Until the shards are known, or known to be unknowable, nothing is paced. The first request goes at once all the same, so that a
    // short-lived process does not pay for the listing; a burst at the start waits for it, or it would flood a shard.
    return this.#listed ? this.#inFlight < this.#options.maxInFlightRequests : this.#requests === 0
  }

  #afterPut(nowMs: number): void {
    if (!this.#canSend || !this.#queue.isBatchDue(nowMs)) this.#arm(nowMs)
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
    if (this.#inFlight > 0 && this.#refresh.isDue(nowMs)) void this.#refreshShardMap()
    this.#arm(nowMs)
  }

  #arm(nowMs: number): void {
    const atMs = this.#queue.pending === 0 ? Number.POSITIVE_INFINITY : this.#queue.wakeAtMs(this.#canSend)
    if (atMs === Number.POSITIVE_INFINITY) {
      this.#timer?.cancel()
      this.#timer = undefined
      return
    }
    // A timer that is early costs one look; moving it for every record would cost more.
    if (this.#timer !== undefined && this.#timer.atMs <= atMs) return
    this.#timer?.cancel()
    const cancel = this.#clock.schedule(Math.max(0, Math.ceil(atMs - nowMs)), () => {
      this.#timer = undefined
      this.#pump()
    })
    this.#timer = { atMs, cancel }
  }

  #send(batch: Batch): void {
    this.#inFlight++
    this.#requests++
    notify(this.#options.hooks.onBatchSent, {
      records: batch.records.length,
      sizeBytes: batch.sizeBytes,
      inFlightRequests: this.#inFlight,
    })
    const { transport, stream, requestTimeoutMs } = this.#options
    void this.#timedRequests
      .run((signal) => transport.putRecords(stream, batch.records, signal), requestTimeoutMs)
      .then(
        (results) => this.#ended(batch, this.#queue.settleBatch(batch, results, this.#clock.now())),
        (fault: TransportFault) => this.#ended(batch, this.#queue.failBatch(batch, fault, this.#clock.now())),
      )
  }

  #ended(batch: Batch, outcome: BatchOutcome): void {
    this.#inFlight--
    const { misplaced, ...event } = outcome
    if (event.fault !== undefined) this.#failedRequests++
    if (misplaced > 0) this.#refresh.noteEvidence()
    notify(this.#options.hooks.onBatchSettled, {
      records: batch.records.length,
      sizeBytes: batch.sizeBytes,
      durationMs: this.#clock.now() - batch.sentAtMs,
      ...event,
    })
    this.#pump()
  }

  async #refreshShardMap(): Promise<void> {
    const { transport, stream, requestTimeoutMs } = this.#options
    this.#refresh.started()
    try {
      const shards = await this.#timedRequests.run(
        (signal) => transport.listShards(stream, signal),
        Math.min(requestTimeoutMs, LISTING_TIMEOUT_MS),
      )
      const map = new ShardMap(shards)
      const changed = this.#shardMap === undefined || !this.#shardMap.equals(map)
      const nowMs = this.#clock.now()
      if (changed) {
        this.#shardMap = map
        this.#queue.useShardMap(map, nowMs)
      }
      this.#refresh.succeeded(changed, nowMs)
    } catch (error) {
      this.#refresh.failed(this.#clock.now())
      this.#sayUnpaced(error instanceof Error ? error : new Error(String(error)))
    }
    this.#listed = true
    this.#queue.endWaitForMap()
    this.#pump()
  }

  #sayUnpaced(cause: Error): void {
    // With a map, an old one still paces; and who closes aborts the listing on purpose.
    if (this.#shardMap !== undefined || this.#saidUnpaced || this.#state === 'closed') return
    this.#saidUnpaced = true
    notify(this.#options.hooks.onPacingUnavailable, { cause })
  }

  async #drain(deadlineMs: number | undefined): Promise<CloseResult> {
    this.#state = 'closing'
    this.#queue.buffer.releaseRoomWaiters()
    const drained = this.flush()
    if (deadlineMs === undefined) await drained
    else await this.#atMost(deadlineMs, drained)
    this.#state = 'closed'
    this.#timedRequests.abortAll('ProducerClosed', 'The producer was closed while the request was under way.')
    this.#queue.abandon(
      (record) =>
        new ProducerClosedError(
          `close() gave the record up after deadlineMs (${deadlineMs} ms). Put it with another producer, or allow more time.`,
          { maybeDelivered: record.maybeDelivered || record.place === 'in-flight', cause: record.lastFault },
        ),
    )
    this.#timer?.cancel()
    this.#timer = undefined
    this.#options.transport.close()
    return { undelivered: this.#undelivered }
  }

  #atMost(delayMs: number, done: Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.schedule(delayMs, resolve)
      void done.then(() => {
        cancel()
        resolve()
      })
    })
  }
}

function closedError(): ProducerClosedError {
  return new ProducerClosedError('The producer is closed. Create another one to put records.')
}
