import {
  type Clock,
  InvalidOptionError,
  type Random,
  refuseUnknownOptions,
  systemClock,
  systemRandom,
} from '@org/kinesis-core'
import { type LoggerPort, warnOfUnresolved } from './batch-log.js'
import type { BatchReport } from './batch-report.js'
import type { BatchStep } from './batch-step.js'
import type { TracerPort } from './batch-trace.js'
import type { Decoder } from './json-decoder.js'
import { requireFunction, requireTime, whole } from './option-checks.js'
import type { MetricsPort } from './processing-metrics.js'
import type { RejectedSink } from './rejected-record.js'
import type { Sink } from './sink.js'
import { type Stage, stagesOf } from './stages.js'
import type { AnyStep } from './step.js'
import type { RecordPosition } from './stream-record.js'
import type { Unpack } from './unpack.js'

export interface WithSteps<Steps extends readonly unknown[]> {
  /**
   * Run in order on each record, after validation: the first takes what `decode` gives, the sink what the last gives. Functions, or what
   * `batchStep` gives for many records at once. At most six; a step may do more than one thing. @default none
   */
  steps: Steps
}

/** T is what `decode` gives, U what the sink takes. */
export interface KinesisHandlerOptions<T, U = T> {
  /** Bytes to a validated value: `json(schema)`, or a function of your own. */
  decode: Decoder<T>
  /**
   * Takes a record apart that holds several, before anything else: each part is a record of its own then, with a `subSequenceNumber`, and the
   * whole comes again if one of them is unresolved. `cloudWatchLogs()` gives one, with its decoder. @default none: a record is one
   */
  unpack?: Unpack
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
  /**
   * Nothing is started when less than this is left of the invocation, in milliseconds; never more than half of what it began with.
   * @default 1_000
   */
  deadlineMarginMs?: number
  /** Powertools' `Metrics`, or anything with its shape: one EMF line per batch. @default none */
  metrics?: MetricsPort
  /** Powertools' `Logger`, or anything with its shape: one line per batch, a warning where records were rejected or left. @default none */
  logger?: LoggerPort
  /** Powertools' `Tracer`, or anything with its shape: a subsegment per batch, and one for each part of the work. @default none */
  tracer?: TracerPort
  /** The bounded event type for the metric RecordsProcessed, which needs `metrics`; undefined leaves a record out, as does throwing. @default none */
  eventType?: (value: U) => string | undefined
  /** Told once per batch that was not finished, where it stopped and why. @default one line on standard error, or that of `logger` */
  onUnresolved?: (unresolved: UnresolvedRecords) => void
  /** Told once per batch what became of it, in figures. It costs nothing where it is left out, and neither do the three above. @default none */
  onBatch?: (report: BatchReport) => void
  /** @default the system's clock */
  clock?: Clock
  /** @default Math.random */
  random?: Random
}

/** What an invocation leaves to the next one. */
export interface UnresolvedRecords {
  /** Where Lambda goes on: the first unresolved record. */
  position: RecordPosition
  /** How many of the batch are unresolved, this one with them. */
  count: number
  /** What last failed for that record; undefined where time ran out before it was tried. */
  error: unknown
}

export interface ResolvedHandlerOptions<T, U> {
  decode: Decoder<T>
  unpack: Unpack | undefined
  stages: readonly Stage[]
  sink: Sink<U>
  rejected: RejectedSink
  maxConcurrency: number
  maxAttempts: number
  backoff: { baseMs: number; maxMs: number }
  deadlineMarginMs: number
  metrics: MetricsPort | undefined
  logger: LoggerPort | undefined
  tracer: TracerPort | undefined
  eventType: ((value: U) => string | undefined) | undefined
  onUnresolved: (unresolved: UnresolvedRecords) => void
  onBatch: ((report: BatchReport) => void) | undefined
  clock: Clock
  random: Random
}

const KNOWN = [
  'decode',
  'unpack',
  'steps',
  'sink',
  'rejected',
  'maxConcurrency',
  'maxAttempts',
  'backoffBaseMs',
  'backoffMaxMs',
  'deadlineMarginMs',
  'metrics',
  'logger',
  'tracer',
  'eventType',
  'onUnresolved',
  'onBatch',
  'clock',
  'random',
] as const satisfies (keyof KinesisHandlerOptions<unknown> | 'steps')[]

export function resolveHandlerOptions<T, U>(
  options: KinesisHandlerOptions<T, U> & Partial<WithSteps<readonly unknown[]>>,
): ResolvedHandlerOptions<T, U> {
  refuseUnknownOptions(options, KNOWN)
  const {
    decode,
    unpack,
    steps = [],
    sink,
    rejected,
    metrics,
    eventType,
    onUnresolved = defaultFor(options.logger),
  } = options
  const { logger, tracer, onBatch, clock = systemClock, random = systemRandom } = options
  requireFunction('decode', decode, 'Pass json(schema), or a function from bytes to a value.')
  if (unpack !== undefined)
    requireFunction('unpack', unpack, 'Pass a function from bytes to a list of bytes, or leave it out.')
  if (!Array.isArray(steps)) throw new InvalidOptionError('steps', steps, 'Pass a list of functions.')
  for (const step of steps as readonly AnyStep<unknown, unknown>[])
    requireFunction(
      'steps',
      (step as BatchStep<unknown, unknown> | undefined)?.run ?? step,
      'Every step is a function, or what batchStep gives.',
    )
  requireFunction('sink', sink?.write, 'Pass a sink: dynamoDbSink, functionSink, or an object with write().')
  requireFunction(
    'rejected',
    rejected?.write,
    'Pass a rejected sink: without one a bad record would block its shard, or be lost.',
  )
  requireFunction('onUnresolved', onUnresolved, 'Pass a function, or leave it out.')
  if (onBatch !== undefined) requireFunction('onBatch', onBatch, 'Pass a function, or leave it out.')
  checkMetrics(metrics, eventType)
  requireMethods('logger', logger, ['debug', 'warn'], "Pass Powertools' Logger")
  requireMethods(
    'tracer',
    tracer,
    ['isTracingEnabled', 'getSegment', 'setSegment'],
    "Pass Powertools' Tracer",
  )
  requireTime({ clock, random })
  return {
    decode,
    unpack,
    stages: stagesOf(steps),
    sink,
    rejected,
    maxConcurrency: whole('maxConcurrency', options.maxConcurrency ?? 32, 1),
    maxAttempts: whole('maxAttempts', options.maxAttempts ?? 3, 1),
    backoff: resolveBackoff(options),
    deadlineMarginMs: whole('deadlineMarginMs', options.deadlineMarginMs ?? 1_000, 0),
    metrics,
    logger,
    tracer,
    eventType,
    onUnresolved,
    onBatch,
    clock,
    random,
  }
}

function resolveBackoff(options: { backoffBaseMs?: number; backoffMaxMs?: number }) {
  const baseMs = whole('backoffBaseMs', options.backoffBaseMs ?? 50, 0)
  const maxMs = whole('backoffMaxMs', options.backoffMaxMs ?? Math.max(1_000, baseMs), 0)
  if (baseMs > maxMs) {
    throw new InvalidOptionError(
      'backoffBaseMs',
      baseMs,
      `It must not be above backoffMaxMs, which is ${maxMs}.`,
    )
  }
  return { baseMs, maxMs }
}

function checkMetrics(metrics: MetricsPort | undefined, eventType: unknown): void {
  if (metrics === undefined) {
    if (eventType === undefined) return
    throw new InvalidOptionError(
      'eventType',
      eventType,
      'It says what metrics are counted by: pass metrics too.',
    )
  }
  requireMethods(
    'metrics',
    metrics,
    ['addMetric', 'singleMetric', 'publishStoredMetrics'],
    "Pass Powertools' Metrics",
  )
  if (eventType !== undefined)
    requireFunction('eventType', eventType, 'Pass a function from a value to its type.')
}

function requireMethods(
  option: string,
  port: object | undefined,
  methods: readonly string[],
  remedy: string,
): void {
  if (port === undefined) return
  for (const method of methods)
    requireFunction(
      option,
      (port as Record<string, unknown> | null)?.[method],
      `${remedy}: it has no ${method}().`,
    )
}

/** The log says it as well. */
function defaultFor(logger: LoggerPort | undefined): (unresolved: UnresolvedRecords) => void {
  return logger === undefined ? warnOfUnresolved : () => {}
}
