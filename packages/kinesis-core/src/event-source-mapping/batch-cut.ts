import type { Fifo } from './fifo.js'
import type { ResolvedMappingSettings } from './mapping-settings.js'
import type { ShardRecord, TrackedRecord } from './shard-record.js'
import type { TumblingWindow } from './tumbling-window.js'

/** Room for what a payload holds beside records and window state. */
const ENVELOPE_BYTES = 1_024

/** What the records of one invocation may weigh beside the state of a window. */
export function payloadBudget({ maximumPayloadBytes }: ResolvedMappingSettings, stateBytes = 0): number {
  return maximumPayloadBytes - ENVELOPE_BYTES - stateBytes
}

/** How many records at the head of a batch fit into one invocation; the first one always goes, even alone over the limit. */
export function countWithin<R extends ShardRecord>(
  records: readonly TrackedRecord<R>[],
  budget: number,
): number {
  let bytes = 0
  for (const [index, { record }] of records.entries()) {
    bytes += record.payloadBytes
    if (bytes > budget && index > 0) return index
  }
  return records.length
}

export interface CutContext {
  settings: ResolvedMappingSettings
  window: TumblingWindow | undefined
  /** All records that arrived before this time are in the queue, or were. */
  caughtUpToMs: number
  /** No more records will come. */
  ended: boolean
}

/** Takes a batch from the queue, or says when one is due. */
export function cutBatch<R extends ShardRecord>(
  queue: Fifo<TrackedRecord<R>>,
  { settings, window, caughtUpToMs, ended }: CutContext,
  nowMs: number,
): TrackedRecord<R>[] | { untilMs: number | undefined } {
  const first = queue.peek()
  if (first === undefined) return { untilMs: undefined }
  const budget = payloadBudget(settings, window?.stateBytes)
  const windowStartMs = window?.startOf(first.record.arrivalMs)

  let count = 0
  let bytes = 0
  let complete = false
  while (count < settings.batchSize) {
    const next = queue.peek(count)
    if (next === undefined) break
    const cut =
      bytes + next.record.payloadBytes > budget ||
      (windowStartMs !== undefined && window!.startOf(next.record.arrivalMs) > windowStartMs)
    // The first record always goes, even alone over the limit.
    if (cut && count > 0) {
      complete = true
      break
    }
    bytes += next.record.payloadBytes
    count += 1
  }
  const windowHasEnded =
    windowStartMs !== undefined && caughtUpToMs >= windowStartMs + settings.tumblingWindowMs!
  const dueMs = first.offeredAtMs + settings.maximumBatchingWindowMs
  if (complete || count === settings.batchSize || ended || windowHasEnded || nowMs >= dueMs) {
    return queue.take(count)
  }
  return { untilMs: dueMs }
}
