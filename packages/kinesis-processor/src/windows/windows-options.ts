import { type Clock, type Random, refuseUnknownOptions, systemClock, systemRandom } from '@org/kinesis-core'
import type { Decoder } from '../json-decoder.js'
import { requireFunction, requireTime, whole } from '../option-checks.js'
import type { Sink } from '../sink.js'
import type { RecordPosition } from '../stream-record.js'
import type { WindowPartial } from './window-partial.js'

export interface TumblingWindowsOptions<T> {
  /** Bytes to a validated value. Records that it refuses for good are passed over: the processor of the same stream rejects them. */
  decode: Decoder<T>
  /** The key that windows are kept for. A `PermanentError` from it, `time` or `value` passes the record over. */
  key: (value: T) => string
  /** The event's own time in milliseconds since the epoch, or undefined to take its arrival. @default the arrival */
  time?: (value: T, position: RecordPosition) => number | undefined
  /** What is summed, between -1e100 and 1e100; undefined and what lies beyond count the event alone. @default nothing */
  value?: (value: T) => number | undefined
  /** Takes the partials. They must all be stored: anything else fails the invocation, and Lambda tries again. */
  emit: Sink<WindowPartial>
  /** Length of a window of event time, in milliseconds. @default 60_000 */
  windowMs?: number
  /** State above this is emitted as partials and begun anew, in bytes. @default 800_000, and at most 1_000_000; Lambda ends a window above 1 MB */
  maxStateBytes?: number
  /** Told of each partial that `emit` refuses with a `PermanentError`, which is then left out. @default a line on standard error */
  onUnstorable?: (partial: WindowPartial, error: unknown) => void
  /** Told what each invocation did, after it succeeded. @default nothing */
  onInvocation?: (counts: WindowCounts) => void
  /** @default the system's clock */
  clock?: Clock
  /** @default Math.random */
  random?: Random
}

export interface WindowCounts {
  records: number
  /** Records passed over, because they can never be counted. */
  skipped: number
  /** Partials stored. */
  emitted: number
  /** Partials left out, because the sink can never take them. */
  unstorable: number
}

export type ResolvedTumblingWindowsOptions<T> = Required<TumblingWindowsOptions<T>>

const KNOWN = [
  'decode',
  'key',
  'time',
  'value',
  'emit',
  'windowMs',
  'maxStateBytes',
  'onUnstorable',
  'onInvocation',
  'clock',
  'random',
] as const satisfies (keyof TumblingWindowsOptions<unknown>)[]

/** Lambda says 1 MB; this much is safe whether it counts in thousands or in KiB. */
const MAX_STATE_BYTES = 1_000_000

export function resolveTumblingWindowsOptions<T>(
  options: TumblingWindowsOptions<T>,
): ResolvedTumblingWindowsOptions<T> {
  refuseUnknownOptions(options, KNOWN)
  const { decode, key, emit, time = () => undefined, value = () => undefined } = options
  const { onUnstorable = warn, onInvocation = () => {}, clock = systemClock, random = systemRandom } = options
  requireFunction('decode', decode, 'Pass json(schema), or a function from bytes to a value.')
  requireFunction('key', key, 'Pass a function from a value to its window key.')
  requireFunction('time', time, 'Pass a function from a value to its time in milliseconds.')
  requireFunction('value', value, 'Pass a function from a value to the number to sum.')
  requireFunction('emit', emit?.write, 'Pass a sink for the results.')
  requireFunction('onUnstorable', onUnstorable, 'Pass a function, or leave it out.')
  requireFunction('onInvocation', onInvocation, 'Pass a function, or leave it out.')
  requireTime({ clock, random })
  return {
    decode,
    key,
    time,
    value,
    emit,
    windowMs: whole('windowMs', options.windowMs ?? 60_000, 1),
    maxStateBytes: whole('maxStateBytes', options.maxStateBytes ?? 800_000, 1, MAX_STATE_BYTES),
    onUnstorable,
    onInvocation,
    clock,
    random,
  }
}

function warn({ key, partialId }: WindowPartial, error: unknown): void {
  console.warn(
    `kinesis-processor: the window partial ${partialId} of ${key.slice(0, 200)} can never be stored.`,
    error,
  )
}
