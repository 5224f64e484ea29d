import type { Batch } from './batch.js'
import { logBatch } from './batch-log.js'
import { type BatchReport, countsOf } from './batch-report.js'
import { BatchTrace } from './batch-trace.js'
import type { ReasonCode } from './errors.js'
import type { ResolvedHandlerOptions, UnresolvedRecords } from './handler-options.js'
import type { BatchObserver } from './process-batch.js'
import { publish } from './processing-metrics.js'

/** Sees one batch through, and tells of it once at the end: metrics, log, trace, and whoever else asked. None of them can fail the batch. */
export class BatchObservation<T, U> implements BatchObserver<U> {
  readonly #options: ResolvedHandlerOptions<T, U>
  readonly #isColdStart: boolean
  readonly #startedAtMs: number
  readonly #trace: BatchTrace
  readonly #spentMs = { steps: 0, sink: 0, rejected: 0 }
  readonly #storedByEventType = new Map<string, number>()
  readonly #rejectedByReason: Partial<Record<ReasonCode, number>> = {}
  #retried = 0
  readonly onStored: ((value: U) => void) | undefined

  constructor(options: ResolvedHandlerOptions<T, U>, isColdStart: boolean) {
    this.#options = options
    this.#isColdStart = isColdStart
    this.#startedAtMs = options.clock.now()
    this.#trace = new BatchTrace(options.tracer)
    const { eventType } = options
    if (eventType !== undefined) this.onStored = (value) => this.#countType(eventType, value)
  }

  async during<R>(part: 'steps' | 'sink' | 'rejected', work: () => Promise<R>): Promise<R> {
    const { clock } = this.#options
    const startedAtMs = clock.now()
    const end = this.#trace.begin(part)
    try {
      return await work()
    } finally {
      end()
      this.#spentMs[part] += clock.now() - startedAtMs
    }
  }

  onRetry(records: number): void {
    this.#retried += records
  }

  onRejected(reasonCode: ReasonCode): void {
    this.#rejectedByReason[reasonCode] = (this.#rejectedByReason[reasonCode] ?? 0) + 1
  }

  end(batch: Batch<U>): void {
    const { metrics, logger, tracer, onBatch, onUnresolved } = this.#options
    const unresolved = unresolvedOf(batch)
    if (unresolved !== undefined) safely('onUnresolved', () => onUnresolved(unresolved))
    if ((metrics ?? logger ?? tracer ?? onBatch) === undefined) return
    const report = this.#report(batch)
    if (metrics !== undefined) safely('metrics', () => publish(metrics, report))
    if (logger !== undefined) safely('logger', () => logBatch(logger, report, unresolved))
    if (onBatch !== undefined) safely('onBatch', () => onBatch(report))
    this.#trace.end(report)
  }

  #report(batch: Batch<U>): BatchReport {
    const nowMs = this.#options.clock.now()
    return {
      ...countsOf(batch, nowMs),
      retried: this.#retried,
      durationMs: nowMs - this.#startedAtMs,
      stepsDurationMs: this.#spentMs.steps,
      sinkDurationMs: this.#spentMs.sink,
      isColdStart: this.#isColdStart,
      rejectedByReason: this.#rejectedByReason,
      storedByEventType: this.#storedByEventType,
    }
  }

  /** A metric must not make a stored record fail: as documented for `eventType`, one that throws leaves the record out. */
  #countType(eventTypeOf: (value: U) => string | undefined, value: U): void {
    try {
      const type = eventTypeOf(value)
      if (type !== undefined) this.#storedByEventType.set(type, (this.#storedByEventType.get(type) ?? 0) + 1)
    } catch {
      // Left out.
    }
  }
}

function unresolvedOf<U>(batch: Batch<U>): UnresolvedRecords | undefined {
  const first = batch.firstUnresolved
  if (first === undefined) return undefined
  const { record, lane } = first
  return {
    position: record.position,
    count: batch.count().unresolved,
    error: lane.head === first ? lane.lastError : undefined,
  }
}

/** Failing the invocation would process the batch again, for want of a number. */
function safely(option: string, work: () => void): void {
  try {
    work()
  } catch (error) {
    console.warn(`kinesis-processor: ${option} failed.`, error)
  }
}
