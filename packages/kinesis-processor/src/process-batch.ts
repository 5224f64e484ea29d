import { backoffDelayMs, sleep } from '@org/kinesis-core'
import type { Batch, BatchItem } from './batch.js'
import { isPermanent } from './errors.js'
import type { ResolvedHandlerOptions } from './handler-options.js'
import { rejectedRecord } from './rejected-record.js'
import type { SinkResult } from './sink.js'

/**
 * Takes every record of the batch as far as it goes: steps lane by lane, rejections, then the sink, and again for what failed, until all
 * is resolved, the attempts are used up, or the time is. What is open then stays unresolved.
 */
export async function processBatch<T, U>(
  batch: Batch<U>,
  options: ResolvedHandlerOptions<T, U>,
  remainingMs: () => number,
): Promise<void> {
  const { maxAttempts, backoff, clock, random, deadlineMarginMs } = options
  const hasTime = () => remainingMs() > deadlineMarginMs
  for (let attempt = 1; hasTime(); attempt++) {
    await runSteps(batch, options, hasTime)
    await reject(batch, options)
    await writeOut(batch, options, remainingMs, hasTime)
    if (batch.checkpoint === undefined || attempt === maxAttempts) break
    await sleep(
      clock,
      Math.min(backoffDelayMs(attempt, backoff, random), Math.max(0, remainingMs() - deadlineMarginMs)),
    )
  }
  batch.giveUp()
}

/**
 * What the sink refuses for good is rejected at once, and what stands behind it in its lane is written in the next pass: that is progress,
 * not a retry, and waits for nothing.
 */
async function writeOut<T, U>(
  batch: Batch<U>,
  options: ResolvedHandlerOptions<T, U>,
  remainingMs: () => number,
  hasTime: () => boolean,
): Promise<void> {
  let resolvedBefore: number
  do {
    resolvedBefore = batch.inState('resolved').length
    await write(batch, options, remainingMs)
    await reject(batch, options)
  } while (batch.inState('resolved').length > resolvedBefore && batch.writable().length > 0 && hasTime())
}

async function runSteps<T, U>(
  batch: Batch<U>,
  options: ResolvedHandlerOptions<T, U>,
  hasTime: () => boolean,
): Promise<void> {
  const lanes = batch.lanes.filter((lane) => lane.some(({ progress }) => progress.state === 'waiting'))
  let next = 0
  const worker = async () => {
    for (let lane = lanes[next++]; lane !== undefined; lane = lanes[next++])
      await runLane(lane, options, hasTime)
  }
  await Promise.all(Array.from({ length: Math.min(options.maxConcurrency, lanes.length) }, worker))
}

async function runLane<T, U>(
  lane: readonly BatchItem<U>[],
  options: ResolvedHandlerOptions<T, U>,
  hasTime: () => boolean,
): Promise<void> {
  for (const item of lane) {
    if (item.progress.state !== 'waiting') continue
    if (!hasTime()) return
    try {
      // Awaited only where it is a promise: most steps are plain functions, and a turn of the loop for each costs more than they do.
      const outcome = transform(item, options)
      const value = outcome instanceof Promise ? await outcome : outcome
      item.progress =
        value === undefined ? { state: 'resolved', as: 'dropped' } : { state: 'ready', value: value as U }
    } catch (error) {
      if (!isPermanent(error)) return
      item.progress = { state: 'faulty', error }
    }
  }
}

function transform<T, U>({ record }: BatchItem<U>, { decode, steps }: ResolvedHandlerOptions<T, U>): unknown {
  let value: unknown = decode(record.data)
  for (const [index, step] of steps.entries()) {
    if (value instanceof Promise) return finishAsync(value, steps.slice(index), record.position)
    if (value === undefined) return undefined
    value = step(value as never, record.position)
  }
  return value
}

async function finishAsync(
  first: Promise<unknown>,
  steps: readonly ((value: never, position: BatchItem<unknown>['record']['position']) => unknown)[],
  position: BatchItem<unknown>['record']['position'],
): Promise<unknown> {
  let value = await first
  for (const step of steps) {
    if (value === undefined) return undefined
    value = await step(value as never, position)
  }
  return value
}

async function reject<T, U>(
  batch: Batch<U>,
  { rejected, clock }: ResolvedHandlerOptions<T, U>,
): Promise<void> {
  const faulty = batch.inState('faulty')
  if (faulty.length === 0) return
  const records = faulty.map(({ record, progress }) => rejectedRecord(record, progress.error, clock.now()))
  const results = await rejected.write(records).catch(() => undefined)
  for (const [index, item] of faulty.entries()) {
    // Anything but a clear yes keeps the record: it is tried again, and unresolved in the end.
    if (results?.[index]?.stored === true)
      (item as BatchItem<U>).progress = { state: 'resolved', as: 'rejected' }
  }
}

async function write<T, U>(
  batch: Batch<U>,
  { sink }: ResolvedHandlerOptions<T, U>,
  remainingMs: () => number,
): Promise<void> {
  const items = batch.writable()
  if (items.length === 0) return
  const records = items.map(({ record, progress }) => ({ value: progress.value, position: record.position }))
  let results: readonly SinkResult[]
  try {
    results = await sink.write(records, { remainingMs })
  } catch {
    return
  }
  for (const [index, item] of items.entries()) {
    const result = results[index]
    if (result === undefined) continue
    if (result.stored) (item as BatchItem<U>).progress = { state: 'resolved', as: 'stored' }
    else if (isPermanent(result.error))
      (item as BatchItem<U>).progress = { state: 'faulty', error: result.error }
  }
}
