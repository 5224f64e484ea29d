import type { KinesisEvent, KinesisWindowResponse, LambdaContext } from '@org/kinesis-core'
import { decodeOrReject, isPromise } from '../decode-record.js'
import { isPermanent, PermanentError, UnexpectedEventError } from '../errors.js'
import { readEvent, type StreamRecord, streamOf } from '../stream-record.js'
import { timeLeft } from '../time-left.js'
import { emitPartials } from './emit-partials.js'
import { WindowState } from './window-state.js'
import {
  type ResolvedTumblingWindowsOptions,
  resolveTumblingWindowsOptions,
  type TumblingWindowsOptions,
} from './windows-options.js'

export type TumblingWindowsHandler = (
  event: KinesisEvent,
  context: LambdaContext,
) => Promise<KinesisWindowResponse>

/**
 * A Lambda handler for a mapping with a tumbling window and parallelization 1. It keeps count, sum, minimum and maximum per key and window of
 * event time in Lambda's window state, and emits them when Lambda ends the window.
 *
 * It never reports partial failures, because what becomes of the state then is not documented: it succeeds or throws.
 *
 * @throws InvalidOptionError at once for options that cannot work; the handler rejects with UnexpectedEventError for an event without a window
 */
export function tumblingWindows<T>(options: TumblingWindowsOptions<T>): TumblingWindowsHandler {
  const resolved = resolveTumblingWindowsOptions(options)
  return async (event, context) => {
    requireWindow(event)
    const leftMs = timeLeft(context, EMIT_MARGIN_MS)
    const records = readEvent({ ...event, Records: event.Records ?? [] })
    const state = WindowState.unpack(event.state)
    const source = sourceOf(event, records)
    const counts = { records: records.length, skipped: 0, emitted: 0, unstorable: 0 }
    const emit = async () => {
      const done = await emitPartials(state, source, resolved, leftMs)
      counts.emitted += done.emitted
      counts.unstorable += done.unstorable
    }
    for (const record of records) {
      if (!(await addRecord(record, state, resolved))) counts.skipped += 1
      // By what is in the state alone, never by where a batch ends: a batch that comes again, cut otherwise, makes the same partials.
      if (state.bytes > resolved.maxStateBytes) await emit()
    }
    if (event.isFinalInvokeForWindow === true || event.isWindowTerminatedEarly === true) await emit()
    resolved.onInvocation(counts)
    return { state: state.pack(), batchItemFailures: [] }
  }
}

/** Left of an invocation when emitting stops: enough to answer. */
const EMIT_MARGIN_MS = 1_000

/** Without a window Lambda drops the state, and every result with it. */
function requireWindow(event: KinesisEvent): void {
  if (event?.window !== undefined) return
  throw new UnexpectedEventError(
    'The event has no window: give the mapping of this function a tumbling window.',
  )
}

function sourceOf(event: KinesisEvent, records: readonly StreamRecord[]) {
  const first = records[0]?.position
  const shardId = event.shardId ?? first?.shardId
  if (shardId === undefined) throw new UnexpectedEventError('The event names no shard.')
  return { shardId, ...streamOf(event.eventSourceARN ?? first?.streamArn ?? '') }
}

/** Beyond these a sum could leave the range of doubles or of DynamoDB's numbers, and the partial could never be stored. */
const MAX_VALUE = 1e100
const MIN_VALUE = 1e-100
/** Of a Date. */
const MAX_TIME_MS = 8.64e15

/** @returns false where the record can never be counted */
async function addRecord<T>(
  { data, position, fault }: StreamRecord,
  state: WindowState,
  options: ResolvedTumblingWindowsOptions<T>,
): Promise<boolean> {
  if (fault !== undefined) return false
  try {
    const decoded = decodeOrReject(options.decode, data)
    const value = isPromise(decoded) ? await decoded : decoded
    if (value === undefined) return false
    const timeMs = options.time(value, position) ?? position.arrivalMs
    const windowStartMs = Math.floor(timeMs / options.windowMs) * options.windowMs
    // Written so that NaN does not pass.
    if (!(Math.abs(windowStartMs) + options.windowMs <= MAX_TIME_MS))
      throw new PermanentError(`The event has no usable time: ${timeMs}.`, { reasonCode: 'invalid' })
    state.add(windowStartMs, String(options.key(value)), summable(options.value(value)), position)
    return true
  } catch (error) {
    if (isPermanent(error)) return false
    throw error
  }
}

/** An event whose value is too large for sums is still an event: it is counted. */
function summable(value: number | undefined): number | undefined {
  if (value === undefined) return undefined
  if (!Number.isFinite(value))
    throw new PermanentError(`The value ${value} is no number that can be summed.`, { reasonCode: 'invalid' })
  if (Math.abs(value) > MAX_VALUE) return undefined
  return Math.abs(value) < MIN_VALUE ? 0 : value
}
