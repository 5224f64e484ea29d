import { backoffDelayMs, sleep } from '@org/kinesis-core'
import type { Batch, BatchItem, ItemIn, Lane } from './batch.js'
import { isPermanent } from './errors.js'
import type { ResolvedHandlerOptions } from './handler-options.js'
import { rejectedRecord } from './rejected-record.js'
import { runSteps } from './run-steps.js'
import type { SinkResult } from './sink.js'

/**
 * Takes every record of the batch as far as it goes, in passes over the lanes: steps, rejections, the sink. A lane whose first open record
 * failed waits out its backoff and is tried again, until its attempts or the time are used up; the others go on meanwhile. What is open
 * then is unresolved.
 */
export async function processBatch<T, U>(
  batch: Batch<U>,
  options: ResolvedHandlerOptions<T, U>,
  leftMs: () => number,
  onStored: (value: U) => void,
): Promise<void> {
  const { clock, maxAttempts, backoff, random } = options
  // In a row, and with nothing else getting through: the sink is down, and trying each lane in turn would only burn the time.
  let outages = 0
  let lanes = batch.lanes
  while (outages < maxAttempts && leftMs() > 0) {
    lanes = lanes.filter((lane) => lane.head !== undefined && lane.failures < maxAttempts)
    if (lanes.length === 0) break
    const due = lanes.filter(({ retryAtMs }) => retryAtMs <= clock.now())
    if (due.length === 0) {
      const nextMs = lanes.reduce(
        (least, { retryAtMs }) => Math.min(least, retryAtMs),
        Number.POSITIVE_INFINITY,
      )
      await sleep(clock, Math.min(nextMs - clock.now(), leftMs()))
      continue
    }
    const heads = due.map(({ head }) => head)
    const written = await pass(due, options, leftMs, onStored)
    if (written !== undefined) outages = written === 'all failed' ? outages + 1 : 0
    const nowMs = clock.now()
    for (const [index, lane] of due.entries()) {
      lane.endPass(heads[index], (failures) => nowMs + backoffDelayMs(failures, backoff, random))
    }
    if (written === 'all failed') waitTogether(lanes, nowMs + backoffDelayMs(outages, backoff, random))
  }
}

/** One way through: rejections come before the sink, because what stands behind them in its lane waits for them. */
async function pass<T, U>(
  lanes: readonly Lane<U>[],
  options: ResolvedHandlerOptions<T, U>,
  leftMs: () => number,
  onStored: (value: U) => void,
): Promise<'all failed' | 'some written' | undefined> {
  // Half of the time, so that what slow steps made ready can be written; the rest has the next pass.
  const reservedMs = leftMs() / 2
  await runSteps(lanes, options, () => leftMs() > reservedMs)
  await reject(lanes, options, leftMs)
  const written = await write(lanes, options, leftMs, onStored)
  await reject(lanes, options, leftMs)
  return written
}

/** All lanes try a sink that is down at the same time, so that its outage is counted once and not lane by lane. */
function waitTogether<U>(lanes: readonly Lane<U>[], retryAtMs: number): void {
  for (const lane of lanes) lane.retryAtMs = retryAtMs
}

async function reject<T, U>(
  lanes: readonly Lane<U>[],
  { rejected, clock }: ResolvedHandlerOptions<T, U>,
  leftMs: () => number,
): Promise<void> {
  const faulty = inStreamOrder(lanes.flatMap((lane) => lane.open.filter(isFaulty)))
  if (faulty.length === 0) return
  const records = faulty.map(({ record, progress }) => rejectedRecord(record, progress, clock.now()))
  const results = await resultsOf(() => rejected.write(records, { remainingMs: leftMs }))
  for (const [index, item] of (faulty as BatchItem<U>[]).entries()) {
    // Anything but a clear yes keeps the record: it is tried again, and unresolved in the end.
    const result = results(index)
    if (result.stored) item.progress = { state: 'resolved', as: 'rejected' }
    else item.failure = { error: result.error }
  }
}

async function write<T, U>(
  lanes: readonly Lane<U>[],
  { sink }: ResolvedHandlerOptions<T, U>,
  leftMs: () => number,
  onStored: (value: U) => void,
): Promise<'all failed' | 'some written' | undefined> {
  const items = inStreamOrder(lanes.flatMap(writable))
  if (items.length === 0) return undefined
  const records = items.map(({ record, progress }) => ({ value: progress.value, position: record.position }))
  const results = await resultsOf(() => sink.write(records, { remainingMs: leftMs }))
  let written: 'all failed' | 'some written' = 'all failed'
  const failedKeys = new Set<string>()
  for (const [index, item] of items.entries()) {
    const open: BatchItem<U> = item
    const { partitionKey } = item.record.position
    const result = results(index)
    if (result.stored) {
      onStored(item.progress.value)
      open.progress = { state: 'resolved', as: 'stored' }
      written = 'some written'
    } else if (failedKeys.has(partitionKey)) {
      // Held back behind the failure of another: not its own.
    } else {
      failedKeys.add(partitionKey)
      if (isPermanent(result.error)) {
        open.progress = { state: 'faulty', error: result.error, reasonCode: 'unstorable' }
        written = 'some written'
      } else open.failure = { error: result.error }
    }
  }
  return written
}

/** A sink may throw, or answer for fewer records than it got: those failed. */
async function resultsOf(
  write: () => Promise<readonly SinkResult[]>,
): Promise<(index: number) => SinkResult> {
  try {
    const results = await write()
    if (!Array.isArray(results)) throw new TypeError('The sink gave no list of results.')
    const missing = new Error('The sink gave no result for the record.')
    return (index) => results[index] ?? { stored: false, error: missing }
  } catch (error) {
    return () => ({ stored: false, error })
  }
}

/** What has not been tried in this pass. */
function isFaulty<U>(item: BatchItem<U>): item is ItemIn<U, 'faulty'> {
  return item.progress.state === 'faulty' && item.failure === undefined
}

/** What can be written now: nothing that stands behind an open record of its key. */
function writable<U>(lane: Lane<U>): ItemIn<U, 'ready'>[] {
  const ready: ItemIn<U, 'ready'>[] = []
  for (const item of lane.open) {
    if (item.progress.state === 'resolved') continue
    if (item.progress.state !== 'ready') break
    ready.push(item as ItemIn<U, 'ready'>)
  }
  return ready
}

function inStreamOrder<Item extends { index: number }>(items: Item[]): Item[] {
  return items.sort((a, b) => a.index - b.index)
}
