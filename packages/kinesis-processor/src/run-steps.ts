import type { BatchItem, Lane } from './batch.js'
import { decodeOrReject, isPromise } from './decode-record.js'
import { isPermanent } from './errors.js'
import type { ResolvedHandlerOptions } from './handler-options.js'
import type { Step } from './step.js'
import type { RecordPosition } from './stream-record.js'

/** Decodes and runs the steps of what waits in these lanes: lanes side by side, the records of one in order, as long as there is time. */
export async function runSteps<T, U>(
  lanes: readonly Lane<U>[],
  options: ResolvedHandlerOptions<T, U>,
  mayStart: () => boolean,
): Promise<void> {
  // One iterator for all workers: each takes the next lane that nobody has.
  const rest = lanes.values()
  const worker = async () => {
    for (const lane of rest) await runLane(lane, options, mayStart)
  }
  await Promise.all(Array.from({ length: Math.min(options.maxConcurrency, lanes.length) }, worker))
}

async function runLane<T, U>(
  lane: Lane<U>,
  options: ResolvedHandlerOptions<T, U>,
  mayStart: () => boolean,
): Promise<void> {
  for (const item of lane.open) {
    if (item.progress.state !== 'waiting') continue
    if (!mayStart()) return
    try {
      // Awaited only where it is a promise: most steps are plain functions, and a turn of the loop for each costs more than they do.
      const outcome = transform(item.record, options)
      const value = isPromise(outcome) ? await outcome : outcome
      item.progress =
        value === undefined ? { state: 'resolved', as: 'dropped' } : { state: 'ready', value: value as U }
    } catch (error) {
      if (!isPermanent(error)) {
        item.failure = { error }
        return
      }
      item.progress = { state: 'faulty', error, reasonCode: error.reasonCode ?? 'rejected-by-step' }
    }
  }
}

function transform<T, U>(
  { data, position }: BatchItem<U>['record'],
  { decode, steps }: ResolvedHandlerOptions<T, U>,
): unknown {
  let value: unknown = decodeOrReject(decode, data)
  for (const [index, step] of steps.entries()) {
    if (isPromise(value)) return finishAsync(value, steps.slice(index), position)
    if (value === undefined) return undefined
    value = step(value, position)
  }
  return value
}

async function finishAsync(
  first: Promise<unknown>,
  steps: readonly Step<unknown, unknown>[],
  position: RecordPosition,
): Promise<unknown> {
  let value = await first
  for (const step of steps) {
    if (value === undefined) return undefined
    value = await step(value, position)
  }
  return value
}
