import { backoffDelayMs } from '../backoff.js'
import type { Random } from '../random.js'
import { type Attempt, countBefore, firstAttempt } from './attempt.js'
import { countWithin, cutBatch, payloadBudget } from './batch-cut.js'
import { type BatchVerdict, readBatchResponse } from './batch-response.js'
import { Fifo } from './fifo.js'
import type { DiscardCondition, InvocationOutcome, MappedBatch } from './mapping-effects.js'
import type { ResolvedMappingSettings } from './mapping-settings.js'
import type { ShardRecord, TrackedRecord } from './shard-record.js'
import { TumblingWindow, windowStateOf } from './tumbling-window.js'

/** What is known of the shard beyond the records themselves. */
export interface ShardProgress {
  /** All records that arrived before this time were offered. */
  caughtUpToMs: number
  /** How long the stream keeps records. */
  retentionMs: number
  /** No more records will come. */
  ended: boolean
}

export type LaneAction<R extends ShardRecord> =
  | { kind: 'invoke'; batch: MappedBatch<R>; attempt: number }
  | {
      kind: 'discard'
      batch: MappedBatch<R>
      condition: DiscardCondition
      invocations: number
      functionError: boolean
    }
  /** Records that are gone from the stream, and tried no more. Ask again at once. */
  | { kind: 'expired'; records: TrackedRecord<R>[] }
  | { kind: 'wait'; untilMs: number | undefined }

/**
 * One lane of a shard: a queue with at most one batch outside, so that records which share a lane, and with it all records of a
 * partition key, are handled in order across retries.
 */
export class Lane<R extends ShardRecord> {
  #settings: ResolvedMappingSettings
  #random: Random
  #queue = new Fifo<TrackedRecord<R>>()
  /** Batches to be tried again and halves that wait for their turn, all before the queue. */
  #attempts: Attempt<R>[] = []
  /** The batch that is being invoked or discarded. */
  #outside: Attempt<R> | undefined
  #window: TumblingWindow | undefined

  constructor(settings: ResolvedMappingSettings, random: Random) {
    this.#settings = settings
    this.#random = random
    if (settings.tumblingWindowMs !== undefined) this.#window = new TumblingWindow(settings.tumblingWindowMs)
  }

  /** Nothing waits, nothing is outside, no window is open. */
  get isIdle(): boolean {
    return (
      this.#outside === undefined &&
      this.#attempts.length === 0 &&
      this.#queue.length === 0 &&
      !this.#window?.isOpen
    )
  }

  enqueue(record: TrackedRecord<R>): void {
    this.#queue.push(record)
  }

  /** Decides what to do now; an invocation or a discard is outside until it is settled. */
  next(nowMs: number, progress: ShardProgress): LaneAction<R> {
    if (this.#outside !== undefined) return { kind: 'wait', untilMs: undefined }
    const waiting = this.#nextWaiting()
    if (waiting !== undefined) {
      if (waiting.retryAtMs > nowMs) return { kind: 'wait', untilMs: waiting.retryAtMs }
      this.#attempts.shift()
      return this.#send(waiting, nowMs, progress)
    }
    if (this.#windowIsOver(progress))
      return this.#send({ ...firstAttempt<R>([]), final: true }, nowMs, progress)
    const records = cutBatch(
      this.#queue,
      { settings: this.#settings, window: this.#window, ...progress },
      nowMs,
    )
    return Array.isArray(records)
      ? this.#send(firstAttempt(records), nowMs, progress)
      : { kind: 'wait', untilMs: records.untilMs }
  }

  /** Takes the outcome of the invocation that is outside; returns the records that it resolved. */
  settle(outcome: InvocationOutcome, nowMs: number): TrackedRecord<R>[] {
    const batch = this.#outside!
    this.#outside = undefined
    if (!outcome.ok && !this.#counts(batch, outcome)) {
      this.#again({ ...batch, setbacks: batch.setbacks + 1 }, nowMs)
      return []
    }
    batch.invocations += 1
    batch.functionError = !outcome.ok
    const verdict = this.#judge(batch, outcome)
    if (verdict.kind === 'failed' || (verdict.kind === 'stopped-at' && verdict.index === 0)) {
      this.#failWhole(batch, verdict.kind === 'failed' || this.#settings.bisectWithoutProgress, nowMs)
      return []
    }
    if (this.#window !== undefined && outcome.ok && this.#keepsState(verdict)) {
      // With a partial failure the state must cover the resolved records alone: the handler's duty, as in Lambda.
      this.#window.update(windowStateOf(outcome.payload)!)
    }
    if (verdict.kind === 'succeeded') {
      if (batch.final) this.#window?.close(batch)
      return batch.records
    }
    return this.#stopAt(batch, verdict.index, nowMs)
  }

  /** The discard that is outside is durable; returns its records. */
  discarded(): TrackedRecord<R>[] {
    const batch = this.#outside!
    this.#outside = undefined
    return batch.records
  }

  #nextWaiting(): Attempt<R> | undefined {
    const first = this.#attempts[0]
    if (first?.final || !this.#mustEndEarly((first?.records[0] ?? this.#queue.peek())?.record)) return first
    const early = { ...firstAttempt<R>([]), final: true, early: true }
    this.#attempts.unshift(early)
    return early
  }

  /** A window ends early when its state has grown too large: by itself, or to leave room for a record that fits without it. */
  #mustEndEarly(next: R | undefined): boolean {
    if (this.#window === undefined) return false
    if (this.#window.stateIsTooLarge) return true
    if (next === undefined || this.#window.isBeyond(next.arrivalMs)) return false
    return (
      next.payloadBytes > payloadBudget(this.#settings, this.#window.stateBytes) && !this.#isOversized(next)
    )
  }

  #windowIsOver(progress: ShardProgress): boolean {
    if (!this.#window?.isOpen) return false
    const next = this.#queue.peek()
    if (next !== undefined) return this.#window.isBeyond(next.record.arrivalMs)
    return progress.ended || progress.caughtUpToMs >= this.#window.endMs! + this.#settings.idleWindowDelayMs
  }

  /** Invokes a batch, but first gives up its records that have expired or are too old. */
  #send(batch: Attempt<R>, nowMs: number, { retentionMs }: ShardProgress): LaneAction<R> {
    const { maximumRecordAgeMs, oversizedRecords, expiredRecords } = this.#settings
    if (this.#isExhausted(batch)) return this.#discard(batch, 'RetryAttemptsExhausted')
    const first = batch.records[0]?.record
    if (oversizedRecords === 'discard' && this.#isOversized(first)) {
      return this.#discard(batch, 'RetryAttemptsExhausted')
    }
    const expired = countBefore(batch, nowMs - retentionMs)
    if (expired > 0) {
      const gone = this.#takeHead(batch, expired)
      if (expiredRecords === 'drop') return { kind: 'expired', records: gone.records }
      return this.#discard(gone, 'RecordAgeExceeded')
    }
    const tooOld = maximumRecordAgeMs < 0 ? 0 : countBefore(batch, nowMs - maximumRecordAgeMs)
    if (tooOld > 0) return this.#discard(this.#takeHead(batch, tooOld), 'RecordAgeExceeded')
    if (first !== undefined) this.#window?.enter(first.arrivalMs)
    // The state may have grown since the batch was cut.
    const budget = payloadBudget(this.#settings, this.#window?.stateBytes)
    const sent = this.#takeHead(batch, countWithin(batch.records, budget))
    this.#outside = sent
    return { kind: 'invoke', batch: this.#describe(sent), attempt: sent.invocations + 1 }
  }

  /** The first records of a batch; what is left of it waits for its turn, with the same history. */
  #takeHead(batch: Attempt<R>, count: number): Attempt<R> {
    if (count === batch.records.length) return batch
    this.#attempts.unshift({ ...batch, records: batch.records.slice(count) })
    return { ...batch, records: batch.records.slice(0, count) }
  }

  /** Whether no invocation has room for a record, whatever state it comes with. Such a record is alone in its batch. */
  #isOversized(record: R | undefined): boolean {
    return record !== undefined && record.payloadBytes > payloadBudget(this.#settings)
  }

  /** Whether an attempt counts; of those that did not reach the function, only those with a record that never can. */
  #counts(batch: Attempt<R>, { invoked = true }: { invoked?: boolean }): boolean {
    return (
      invoked || (this.#settings.oversizedRecords === 'retry' && this.#isOversized(batch.records[0]?.record))
    )
  }

  #keepsState(verdict: BatchVerdict): boolean {
    return verdict.kind === 'succeeded' || this.#settings.windowStateAfterPartialFailure === 'returned'
  }

  #discard(batch: Attempt<R>, condition: DiscardCondition): LaneAction<R> {
    this.#outside = batch
    const { invocations, functionError } = batch
    return { kind: 'discard', batch: this.#describe(batch), condition, invocations, functionError }
  }

  #describe(batch: Attempt<R>): MappedBatch<R> {
    const window = this.#window?.invocation(batch)
    const records = batch.records.map((tracked) => tracked.record)
    return window === undefined ? { records } : { records, window }
  }

  #judge(batch: Attempt<R>, outcome: InvocationOutcome): BatchVerdict {
    if (!outcome.ok) return { kind: 'failed', reason: 'the invocation failed' }
    if (this.#window !== undefined && windowStateOf(outcome.payload) === undefined) {
      return { kind: 'failed', reason: 'the response has no state' }
    }
    if (!this.#settings.reportBatchItemFailures) return { kind: 'succeeded' }
    return readBatchResponse(
      outcome.payload,
      batch.records.map((tracked) => tracked.record),
    )
  }

  #failWhole(batch: Attempt<R>, mayBisect: boolean, nowMs: number): void {
    const setbacks = batch.setbacks + 1
    if (!mayBisect || !this.#settings.bisectBatchOnFunctionError || batch.records.length < 2) {
      this.#again({ ...batch, setbacks, failures: batch.failures + 1 }, nowMs)
      return
    }
    const middle = Math.ceil(batch.records.length / 2)
    this.#again(this.#takeHead({ ...batch, setbacks, retryAtMs: nowMs }, middle), nowMs)
  }

  /** A part of the batch is resolved: with bisecting it is a split at that point. */
  #stopAt(batch: Attempt<R>, index: number, nowMs: number): TrackedRecord<R>[] {
    const { bisectBatchOnFunctionError, partialProgressResetsRetries } = this.#settings
    let failures = bisectBatchOnFunctionError ? batch.failures : batch.failures + 1
    if (partialProgressResetsRetries) failures = 0
    this.#again({ ...batch, records: batch.records.slice(index), failures, setbacks: 1 }, nowMs)
    return batch.records.slice(0, index)
  }

  /** Puts a batch back at the head, to be tried after a wait; one that has no attempt left is discarded without one. */
  #again(batch: Attempt<R>, nowMs: number): void {
    const delayMs = this.#isExhausted(batch)
      ? 0
      : backoffDelayMs(batch.setbacks, this.#settings.retryBackoff, this.#random)
    this.#attempts.unshift({ ...batch, retryAtMs: nowMs + delayMs })
  }

  #isExhausted(batch: Attempt<R>): boolean {
    // Until a final invocation succeeds, Lambda suspends further processing (developer guide, "Implementing stateful Kinesis Data Streams
    // processing in Lambda").
    if (batch.final) return false
    const { maximumRetryAttempts } = this.#settings
    return maximumRetryAttempts >= 0 && batch.failures > maximumRetryAttempts
  }
}
