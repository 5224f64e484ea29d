import type { BackoffPolicy } from '../backoff.js'
import { lambdaQuotas } from '../quotas.js'
import { InvalidOptionError } from '../streaming-error.js'
import { type FilterPattern, type RecordFilter, recordFilter } from './filter-criteria.js'

/** What an event source mapping can be told about one shard's batches, as in CreateEventSourceMapping; durations in milliseconds. */
export interface MappingSettings {
  /** The most records of one invocation, 1 to 10,000. A batch also ends where its payload would pass 6 MB. @default 100 */
  batchSize?: number
  /** How long records wait for a batch to fill, 0 to 300,000 ms. @default 0 */
  maximumBatchingWindowMs?: number
  /** How many batches of one shard run at once, 1 to 10; records of one partition key keep their order. @default 1 */
  parallelizationFactor?: number
  /**
   * How often a failed batch is tried again before it is discarded, 0 to 10,000; -1: until it succeeds, as the final invocation of a window
   * always is. @default -1
   */
  maximumRetryAttempts?: number
  /** Records older than this are discarded, up to 604,800,000 ms; -1: never. @default -1 */
  maximumRecordAgeMs?: number
  /** Halves a batch whose invocation failed; a split does not count as an attempt. @default false */
  bisectBatchOnFunctionError?: boolean
  /** Reads `batchItemFailures` of the response as a checkpoint; without it the response is ignored. @default false */
  reportBatchItemFailures?: boolean
  /** Length of a tumbling window, 1,000 to 900,000 ms; needs a parallelization factor of 1. @default no windows */
  tumblingWindowMs?: number | undefined
  /**
   * Patterns of Lambda's `FilterCriteria`, as objects or as JSON text of up to 4,096 characters. A record that none of them matches counts
   * as resolved and never reaches a batch. @default none: every record goes to the function
   */
  filters?: readonly FilterPattern[]
  /** How many filters may be given: the account's quota, 5, which can be raised to 10. @default 5 */
  maximumFilters?: number
  /** What the payload of an invocation may weigh in bytes. @default 6 MiB, Lambda's limit */
  maximumPayloadBytes?: number
  /**
   * Whether a response that resolved a part of the batch starts the count of attempts anew. The service's documents leave
   * this open. @default true
   */
  partialProgressResetsRetries?: boolean
  /**
   * Whether a mapping that bisects halves a batch whose response reports its first record: it is to be split at the record reported, where
   * there is nothing to split off. `false` repeats it whole, which takes a retry, and its good followers into the discard. The service's
   * documents leave this open. @default true
   */
  bisectWithoutProgress?: boolean
  /**
   * Which state a window goes on with after a response that resolved a part of the batch: the one that it `returned`, which must then cover
   * the resolved records alone, or the one from `before` the invocation. The service's documents leave this open. @default 'returned'
   */
  windowStateAfterPartialFailure?: 'returned' | 'before'
  /**
   * How late a window of an idle shard is closed, 0 to 120,000 ms: the service closes it up to two minutes after its end, and does not say
   * when. A record of a later window closes it at once. @default 0
   */
  idleWindowDelayMs?: number
  /**
   * What becomes of a record that is too large for any invocation, which the service's documents leave open. It goes alone, and is refused:
   * `retry` counts that as a failed attempt, `hold` as one that never reached the function, so that only its age gives it up; `discard` gives
   * it up without an attempt. @default 'retry'
   */
  oversizedRecords?: 'retry' | 'hold' | 'discard'
  /**
   * Records are tried until they expire from the stream. Whether the failure destination gets those is not documented: `drop` counts
   * them alone, `discard` sends them there as it does those that are too old. @default 'drop'
   */
  expiredRecords?: 'drop' | 'discard'
  /** Waits between attempts, up to 604,800,000 ms; the service does not publish its own. @default 100 ms, doubling up to 30 s, full jitter */
  retryBackoff?: BackoffPolicy
}

export type ResolvedMappingSettings = Required<
  Omit<MappingSettings, 'tumblingWindowMs' | 'filters' | 'maximumFilters'>
> & {
  tumblingWindowMs: number | undefined
  filter: RecordFilter | undefined
}

/** Fills in the defaults and refuses what the service refuses, with an `InvalidOptionError`. */
export function resolveMappingSettings(settings: MappingSettings): ResolvedMappingSettings {
  const resolved: ResolvedMappingSettings = {
    batchSize: whole('batchSize', settings.batchSize ?? 100, 1, lambdaQuotas.maxBatchSize),
    maximumBatchingWindowMs: whole(
      'maximumBatchingWindowMs',
      settings.maximumBatchingWindowMs ?? 0,
      0,
      lambdaQuotas.maxBatchingWindowMs,
    ),
    parallelizationFactor: whole(
      'parallelizationFactor',
      settings.parallelizationFactor ?? 1,
      1,
      lambdaQuotas.maxParallelizationFactor,
    ),
    maximumRetryAttempts: whole(
      'maximumRetryAttempts',
      settings.maximumRetryAttempts ?? -1,
      -1,
      lambdaQuotas.maxRetryAttempts,
    ),
    maximumRecordAgeMs: whole(
      'maximumRecordAgeMs',
      settings.maximumRecordAgeMs ?? -1,
      -1,
      lambdaQuotas.maxRecordAgeMs,
    ),
    bisectBatchOnFunctionError: flag(
      'bisectBatchOnFunctionError',
      settings.bisectBatchOnFunctionError ?? false,
    ),
    reportBatchItemFailures: flag('reportBatchItemFailures', settings.reportBatchItemFailures ?? false),
    tumblingWindowMs:
      settings.tumblingWindowMs === undefined
        ? undefined
        : whole('tumblingWindowMs', settings.tumblingWindowMs, 1_000, lambdaQuotas.maxTumblingWindowMs),
    filter: recordFilter(
      settings.filters ?? [],
      whole(
        'maximumFilters',
        settings.maximumFilters ?? lambdaQuotas.defaultMaxFilters,
        1,
        lambdaQuotas.maxFilters,
      ),
    ),
    maximumPayloadBytes: whole(
      'maximumPayloadBytes',
      settings.maximumPayloadBytes ?? lambdaQuotas.maxPayloadBytes,
      1,
      lambdaQuotas.maxPayloadBytes,
    ),
    partialProgressResetsRetries: flag(
      'partialProgressResetsRetries',
      settings.partialProgressResetsRetries ?? true,
    ),
    bisectWithoutProgress: flag('bisectWithoutProgress', settings.bisectWithoutProgress ?? true),
    windowStateAfterPartialFailure: oneOf(
      'windowStateAfterPartialFailure',
      settings.windowStateAfterPartialFailure ?? 'returned',
      ['returned', 'before'],
    ),
    idleWindowDelayMs: whole(
      'idleWindowDelayMs',
      settings.idleWindowDelayMs ?? 0,
      0,
      lambdaQuotas.maxIdleWindowDelayMs,
    ),
    oversizedRecords: oneOf('oversizedRecords', settings.oversizedRecords ?? 'retry', [
      'retry',
      'hold',
      'discard',
    ]),
    expiredRecords: oneOf('expiredRecords', settings.expiredRecords ?? 'drop', ['drop', 'discard']),
    retryBackoff: backoff(settings.retryBackoff ?? { baseMs: 100, maxMs: 30_000 }),
  }
  if (resolved.tumblingWindowMs !== undefined && resolved.parallelizationFactor > 1) {
    // Window state belongs to the shard; what parallel batches would do with it is not documented.
    throw new InvalidOptionError(
      'parallelizationFactor',
      resolved.parallelizationFactor,
      'A mapping with a tumbling window runs one batch of a shard at a time: leave it at 1.',
    )
  }
  return resolved
}

function whole(option: string, value: number, low: number, high: number): number {
  if (!Number.isInteger(value) || value < low || value > high) {
    throw new InvalidOptionError(option, value, `Give a whole number from ${low} to ${high}.`)
  }
  return value
}

function flag(option: string, value: boolean): boolean {
  if (typeof value !== 'boolean') throw new InvalidOptionError(option, value, 'Give true or false.')
  return value
}

function backoff(policy: BackoffPolicy): BackoffPolicy {
  if (typeof policy !== 'object' || policy === null)
    throw new InvalidOptionError('retryBackoff', policy, 'Give { baseMs, maxMs }.')
  return {
    baseMs: whole('retryBackoff.baseMs', policy.baseMs, 0, lambdaQuotas.maxRecordAgeMs),
    maxMs: whole('retryBackoff.maxMs', policy.maxMs, 0, lambdaQuotas.maxRecordAgeMs),
  }
}

function oneOf<T extends string>(option: string, value: T, known: readonly T[]): T {
  if (!known.includes(value)) throw new InvalidOptionError(option, value, `Give ${known.join(' or ')}.`)
  return value
}
