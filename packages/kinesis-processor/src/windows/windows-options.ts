import {
  type Clock,
  InvalidOptionError,
  type Random,
  refuseUnknownOptions,
  systemClock,
  systemRandom,
} from '@org/kinesis-core'
import type { Decoder } from '../json-decoder.js'
import { requireFunction, requireTime, whole } from '../option-checks.js'
import type { Sink } from '../sink.js'
import type { RecordPosition } from '../stream-record.js'
import type { UntimelyEvent } from './event-time.js'
import { checkAggregates, type WindowAggregates } from './window-aggregate.js'
import type { WindowPartial } from './window-partial.js'

export interface TumblingWindowsOptions<T, A extends WindowAggregates<T> = Record<never, never>> {
  /** Bytes to a validated value. Records that it refuses for good are passed over: the processor of the same stream rejects them. */
  decode: Decoder<T>
  /** The key that windows are kept for. A `PermanentError` from it, `time` or an aggregate passes the record over. */
  key: (value: T) => string
  /** The event's own time in milliseconds since the epoch, or undefined to take its arrival. @default the arrival */
  time?: (value: T, position: RecordPosition) => number | undefined
  /** What is kept of a key's events besides their count, by name: `{ amount: stats((order: Order) => order.amount) }`. @default nothing */
  aggregates?: A
  /** Takes the partials. They must all be stored: anything else fails the invocation, and Lambda tries again. */
  emit: Sink<WindowPartial<A>>
  /** Length of a window of event time, in milliseconds. @default 60_000 */
  windowMs?: number
  /**
   * An event that arrives in the stream later than so long after its window ended is not counted, but `untimely`, in milliseconds, 0 or more.
   * @default Infinity: every event is counted, however late
   */
  allowedLatenessMs?: number
  /**
   * An event whose time is further ahead of its arrival is not counted, but `untimely`, in milliseconds, 0 or more: its clock is wrong, and each
   * such time would make a window of its own. @default 86_400_000, a day: a wrong time zone is within it
   */
  allowedAheadMs?: number
  /**
   * Takes the events that are late or ahead of their time, with the position of their record. They must all be stored, as partials must.
   * @default they are counted and dropped, with a line on standard error for each invocation that dropped any
   */
  untimely?: Sink<UntimelyEvent<T>>
  /** State above this is emitted as partials and begun anew, in bytes. @default 800_000, and at most 1_000_000; Lambda ends a window above 1 MB */
  maxStateBytes?: number
  /** Told of each partial and untimely event that its sink refuses with a `PermanentError`, which is then left out. @default a line on standard error */
  onUnstorable?: (value: WindowPartial<A> | UntimelyEvent<T>, error: unknown) => void
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
  /** Events that arrived more than `allowedLatenessMs` after their window. */
  late: number
  /** Events whose time is more than `allowedAheadMs` after their arrival. */
  ahead: number
  /** Partials stored. */
  emitted: number
  /** Partials and untimely events left out, because their sink can never take them. */
  unstorable: number
}

export interface ResolvedTumblingWindowsOptions<T, A extends WindowAggregates<T>>
  extends Required<Omit<TumblingWindowsOptions<T, A>, 'untimely'>> {
  untimely: Sink<UntimelyEvent<T>> | undefined
}

const KNOWN = [
  'decode',
  'key',
  'time',
  'aggregates',
  'emit',
  'windowMs',
  'allowedLatenessMs',
  'allowedAheadMs',
  'untimely',
  'maxStateBytes',
  'onUnstorable',
  'onInvocation',
  'clock',
  'random',
] as const satisfies (keyof TumblingWindowsOptions<unknown>)[]

/** Lambda says 1 MB; this much is safe whether it counts in thousands or in KiB. */
const MAX_STATE_BYTES = 1_000_000
const DAY_MS = 86_400_000

export function resolveTumblingWindowsOptions<T, A extends WindowAggregates<T>>(
  options: TumblingWindowsOptions<T, A>,
): ResolvedTumblingWindowsOptions<T, A> {
  refuseUnknownOptions(options, KNOWN)
  const { decode, key, emit, untimely, time = () => undefined, aggregates = {} as A } = options
  const { onUnstorable = warn, onInvocation = () => {}, clock = systemClock, random = systemRandom } = options
  requireFunction('decode', decode, 'Pass json(schema), or a function from bytes to a value.')
  requireFunction('key', key, 'Pass a function from a value to its window key.')
  requireFunction('time', time, 'Pass a function from a value to its time in milliseconds.')
  checkAggregates(aggregates)
  requireFunction('emit', emit?.write, 'Pass a sink for the results.')
  if (untimely !== undefined)
    requireFunction('untimely', untimely?.write, 'Pass a sink for late events, or leave it out.')
  requireFunction('onUnstorable', onUnstorable, 'Pass a function, or leave it out.')
  requireFunction('onInvocation', onInvocation, 'Pass a function, or leave it out.')
  requireTime({ clock, random })
  return {
    decode,
    key,
    time,
    aggregates: { ...aggregates },
    emit,
    windowMs: whole('windowMs', options.windowMs ?? 60_000, 1),
    allowedLatenessMs: bound('allowedLatenessMs', options.allowedLatenessMs ?? Number.POSITIVE_INFINITY),
    allowedAheadMs: bound('allowedAheadMs', options.allowedAheadMs ?? DAY_MS),
    untimely,
    maxStateBytes: whole('maxStateBytes', options.maxStateBytes ?? 800_000, 1, MAX_STATE_BYTES),
    onUnstorable,
    onInvocation,
    clock,
    random,
  }
}

function bound(option: string, value: number): number {
  if (typeof value === 'number' && value >= 0) return value
  throw new InvalidOptionError(option, value, 'Give milliseconds, 0 or more, or Infinity for no bound.')
}

function warn<T, A>(value: WindowPartial<A> | UntimelyEvent<T>, error: unknown): void {
  const what =
    'partialId' in value ? `the window partial ${value.partialId}` : `an event that is ${value.reason}`
  console.warn(
    `kinesis-processor: ${what} of ${value.key.slice(0, 200)} can never be stored, and is left out.`,
    error,
  )
}
