import { type Clock, InvalidOptionError, type Random, systemClock, systemRandom } from '@org/kinesis-core'
import type { Decoder } from './json-decoder.js'
import type { MetricsPort } from './processing-metrics.js'
import type { RejectedSink } from './rejected-record.js'
import type { Sink } from './sink.js'
import type { RecordPosition } from './stream-record.js'

/**
 * One step: gives the value for the next step, or undefined to drop the record (it counts as resolved). Throws a `PermanentError` to
 * reject it; anything else it throws is tried again.
 */
export type Step = (value: never, position: RecordPosition) => unknown

export interface KinesisHandlerOptions<T, U> {
  /** Bytes to a validated value: `json(schema)`, or a function of your own. */
  decode: Decoder<T>
  /** Run in order on each record, after validation. @default none */
  steps?: readonly Step[]
  sink: Sink<U>
  /** Where records go that can never be processed. */
  rejected: RejectedSink
  /** Partition keys whose steps run at once. @default 32 */
  maxConcurrency?: number
  /** Attempts for a record inside one invocation, 1 or more; after them it is left to the next invocation. @default 3 */
  maxAttempts?: number
  /** Upper bound of the first delay between attempts, in milliseconds; doubles, with full jitter. @default 50 */
  backoffBaseMs?: number
  /** Upper bound of every delay, in milliseconds. @default 1_000 */
  backoffMaxMs?: number
  /** Nothing is started when less than this is left of the invocation, in milliseconds. @default 1_000 */
  deadlineMarginMs?: number
  /** Powertools' `Metrics`, or anything with its shape. @default none */
  metrics?: MetricsPort
  /** The bounded event type for the metric RecordsProcessed; undefined leaves a record out. @default none */
  eventType?: (value: U) => string | undefined
  /** @default the system's clock */
  clock?: Clock
  /** @default Math.random */
  random?: Random
}

export interface ResolvedHandlerOptions<T, U> {
  decode: Decoder<T>
  steps: readonly Step[]
  sink: Sink<U>
  rejected: RejectedSink
  maxConcurrency: number
  maxAttempts: number
  backoff: { baseMs: number; maxMs: number }
  deadlineMarginMs: number
  metrics: MetricsPort | undefined
  eventType: (value: U) => string | undefined
  clock: Clock
  random: Random
}

const KNOWN: ReadonlySet<string> = new Set<keyof KinesisHandlerOptions<unknown, unknown>>([
  'decode',
  'steps',
  'sink',
  'rejected',
  'maxConcurrency',
  'maxAttempts',
  'backoffBaseMs',
  'backoffMaxMs',
  'deadlineMarginMs',
  'metrics',
  'eventType',
  'clock',
  'random',
])

export function resolveHandlerOptions<T, U>(
  options: KinesisHandlerOptions<T, U>,
): ResolvedHandlerOptions<T, U> {
  refuseUnknown(options, KNOWN)
  const { decode, steps = [], sink, rejected } = options
  requireFunction('decode', decode, 'Pass json(schema), or a function from bytes to a value.')
  for (const step of steps) requireFunction('steps', step, 'Every step is a function.')
  requireFunction('sink', sink?.write, 'Pass a sink: dynamoDbSink, functionSink, or an object with write().')
  requireFunction(
    'rejected',
    rejected?.write,
    'Pass a rejected sink: without one a bad record would block its shard, or be lost.',
  )
  const backoff = {
    baseMs: whole('backoffBaseMs', options.backoffBaseMs ?? 50, 0),
    maxMs: whole('backoffMaxMs', options.backoffMaxMs ?? 1_000, 0),
  }
  return {
    decode,
    steps,
    sink,
    rejected,
    maxConcurrency: whole('maxConcurrency', options.maxConcurrency ?? 32, 1),
    maxAttempts: whole('maxAttempts', options.maxAttempts ?? 3, 1),
    backoff,
    deadlineMarginMs: whole('deadlineMarginMs', options.deadlineMarginMs ?? 1_000, 0),
    metrics: options.metrics,
    eventType: options.eventType ?? (() => undefined),
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
  }
}

export function refuseUnknown(options: unknown, known: ReadonlySet<string>): void {
  if (typeof options !== 'object' || options === null) {
    throw new InvalidOptionError(
      'options',
      options,
      `Pass an object with ${[...known].slice(0, 4).join(', ')}, …`,
    )
  }
  for (const [name, value] of Object.entries(options)) {
    if (!known.has(name))
      throw new InvalidOptionError(
        name,
        value,
        `There is no such option. Known are ${[...known].join(', ')}.`,
      )
  }
}

export function requireFunction(option: string, value: unknown, remedy: string): void {
  if (typeof value !== 'function') throw new InvalidOptionError(option, value, remedy)
}

export function whole(option: string, value: number, least: number): number {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new InvalidOptionError(option, value, `Give a whole number, ${least} or more.`)
  }
  return value
}
