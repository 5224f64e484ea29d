import { backoffDelayMs, sleep } from '@org/kinesis-core'
import { type Batch, type BatchItem, type ItemIn, REJECTED, STORED } from './batch.js'
import { isPermanent, type ReasonCode } from './errors.js'
import type { ResolvedHandlerOptions } from './handler-options.js'
import type { Lane } from './lane.js'
import { rejectedRecord } from './rejected-record.js'
import { runSteps } from './run-steps.js'
import { resultsOf } from './sink-results.js'

/** What the work on a batch tells while it goes on. */
export interface BatchObserver<U> {
  /** Around each part of the work. */
  during<R>(part: 'steps' | 'sink' | 'rejected', work: () => Promise<R>): Promise<R>
  /** Left out where nobody counts them. */
  onStored: ((value: U) => void) | undefined
  onRejected(reasonCode: ReasonCode): void
  /** So many records are tried again. */
  onRetry(records: number): void
}

/**
 * Takes every record of the batch as far as it goes, in passes over the lanes: steps, rejections, the sink. A lane whose first open record
 * failed waits out its backoff and is tried again, until its attempts or the time are used up; the others go on meanwhile. What is open
 * then is unresolved.
 */
export async function processBatch<T, U>(
  batch: Batch<U>,
  options: ResolvedHandlerOptions<T, U>,
  leftMs: () => number,
  observer: BatchObserver<U>,
): Promise<void> {
  const { clock, maxAttempts, backoff, random } = options
  // In a row, and with nothing else getting through: the sink is down, and trying each lane in turn would only burn the time.
  let outages = 0
  let lanes = batch.lanes
  while (outages < maxAttempts && leftMs() > 0) {
    const { open, due, retried, nextMs } = sortOut(lanes, maxAttempts, clock.now())
    lanes = open
    if (lanes.length === 0) break
    if (due.length === 0) {
      await sleep(clock, Math.min(nextMs - clock.now(), leftMs()))
      continue
    }
    if (retried > 0) observer.onRetry(retried)
    const written = await pass(batch, due, options, leftMs, observer)
    if (written !== undefined) outages = written === 'all failed' ? outages + 1 : 0
    const nowMs = clock.now()
    // One draw for all that failed in this pass: they are tried again together, in one write and one call of a step for many.
    const draw = random()
    const retryAtMs = (failures: number) => nowMs + backoffDelayMs(failures, backoff, () => draw)
    for (const lane of due) lane.endPass(retryAtMs)
    if (written === 'all failed') waitTogether(lanes, nowMs + backoffDelayMs(outages, backoff, () => draw))
  }
}

/** Of the lanes that were open: those that still are, those of them that are due now, and when the next of the others is. */
function sortOut<U>(lanes: readonly Lane<U>[], maxAttempts: number, nowMs: number) {
  const open: Lane<U>[] = []
  const due: Lane<U>[] = []
  let retried = 0
  let nextMs = Number.POSITIVE_INFINITY
  for (const lane of lanes) {
    lane.isDue = false
    if (lane.head === undefined || lane.failures >= maxAttempts) continue
    open.push(lane)
    if (lane.retryAtMs > nowMs) nextMs = Math.min(nextMs, lane.retryAtMs)
    else {
      lane.isDue = true
      lane.beginPass()
      due.push(lane)
      if (lane.failures > 0) retried++
    }
  }
  return { open, due, retried, nextMs }
}

/** One way through: rejections come before the sink, because what stands behind them in its lane waits for them. */
async function pass<T, U>(
  batch: Batch<U>,
  lanes: readonly Lane<U>[],
  options: ResolvedHandlerOptions<T, U>,
  leftMs: () => number,
  observer: BatchObserver<U>,
): Promise<'all failed' | 'some written' | undefined> {
  // Half of the time, so that what slow steps made ready can be written; the rest has the next pass.
  const reservedMs = leftMs() / 2
  await observer.during('steps', () => runSteps(batch, lanes, options, () => leftMs() > reservedMs))
  await reject(batch, options, leftMs, observer)
  const written = await write(batch, options, leftMs, observer)
  await reject(batch, options, leftMs, observer)
  return written
}

/** All lanes try a sink that is down at the same time, so that its outage is counted once and not lane by lane. */
function waitTogether<U>(lanes: readonly Lane<U>[], retryAtMs: number): void {
  for (const lane of lanes) lane.retryAtMs = retryAtMs
}

async function reject<T, U>(
  batch: Batch<U>,
  { rejected, clock }: ResolvedHandlerOptions<T, U>,
  leftMs: () => number,
  observer: BatchObserver<U>,
): Promise<void> {
  const faulty = batch.collect(isFaulty) as ItemIn<U, 'faulty'>[]
  if (faulty.length === 0) return
  const records = faulty.map(({ record, progress }) => rejectedRecord(record, progress, clock.now()))
  const results = await observer.during('rejected', () =>
    resultsOf(records.length, () => rejected.write(records, { remainingMs: leftMs })),
  )
  for (const [index, item] of (faulty as BatchItem<U>[]).entries()) {
    // Anything but a clear yes keeps the record: it is tried again, and unresolved in the end.
    const result = results[index]!
    if (result.stored) {
      item.progress = REJECTED
      observer.onRejected(records[index]!.reasonCode)
    } else item.failure = { error: result.error }
  }
}

async function write<T, U>(
  batch: Batch<U>,
  { sink }: ResolvedHandlerOptions<T, U>,
  leftMs: () => number,
  observer: BatchObserver<U>,
): Promise<'all failed' | 'some written' | undefined> {
  const items = batch.collect(isWritable) as ItemIn<U, 'ready'>[]
  if (items.length === 0) return undefined
  const records = items.map(({ record, progress }) => ({ value: progress.value, position: record.position }))
  const results = await observer.during('sink', () =>
    resultsOf(records.length, () => sink.write(records, { remainingMs: leftMs })),
  )
  let written: 'all failed' | 'some written' = 'all failed'
  const failedLanes = new Set<Lane<U>>()
  for (let index = 0; index < items.length; index++) {
    const item: BatchItem<U> = items[index]!
    const result = results[index]!
    if (result.stored) {
      observer.onStored?.(records[index]!.value)
      item.progress = STORED
      written = 'some written'
    } else if (!failedLanes.has(item.lane)) {
      // Behind it others of the lane were held back: that is not their own failure.
      failedLanes.add(item.lane)
      if (isPermanent(result.error)) {
        item.progress = { state: 'faulty', error: result.error, reasonCode: 'unstorable' }
        written = 'some written'
      } else item.failure = { error: result.error }
    }
  }
  return written
}

/** What has not been tried in this pass. */
function isFaulty<U>({ progress, failure }: BatchItem<U>): 'take' | 'pass' {
  return progress.state === 'faulty' && failure === undefined ? 'take' : 'pass'
}

/** What can be written now: nothing that stands behind an open record of its key. */
function isWritable<U>({ progress }: BatchItem<U>): 'take' | 'pass' | 'stop' {
  if (progress.state === 'ready') return 'take'
  return progress.state === 'resolved' ? 'pass' : 'stop'
}
