import { InvalidOptionError, kinesisQuotas } from '@org/kinesis-core'
import type { ShardPosition } from '../monitor-source.js'

export interface TailOptions {
  /**
   * Where to begin: what comes from now on, all that the stream still holds, or what arrived at a time or later.
   * @default 'LATEST'
   */
  from?: 'LATEST' | 'TRIM_HORIZON' | Date | undefined
  /** Ends the iteration, without an error. */
  signal?: AbortSignal | undefined
  /** The least time between two reads of one shard, in ms, from 200: a shard allows five per second to all its readers together. @default 1_000 */
  readIntervalMs?: number | undefined
  /** Records of one read, 1 to 10,000. @default 10_000 */
  maxRecordsPerRead?: number | undefined
  /** Reading pauses while so many bytes wait for the caller; reads under way (10 MiB each at most) may still add to them. @default 16 MiB */
  maxBufferedBytes?: number | undefined
  /** Reads under way at one time, over all shards. @default 32 */
  maxConcurrentReads?: number | undefined
  /** Takes KPL aggregates apart; off, they come as one record. @default true */
  deaggregate?: boolean | undefined
  /** How long a shard may fail to be read, for passing reasons, before the tail gives up, in ms. Throttling never ends it. @default 60_000 */
  maxOutageMs?: number | undefined
}

export const tailOptionNames: readonly (keyof TailOptions)[] = [
  'from',
  'signal',
  'readIntervalMs',
  'maxRecordsPerRead',
  'maxBufferedBytes',
  'maxConcurrentReads',
  'deaggregate',
  'maxOutageMs',
]

export interface ResolvedTailOptions {
  from: Exclude<ShardPosition, { type: 'AFTER_SEQUENCE_NUMBER' }>
  signal: AbortSignal | undefined
  readIntervalMs: number
  maxRecordsPerRead: number
  maxBufferedBytes: number
  maxConcurrentReads: number
  deaggregate: boolean
  maxOutageMs: number
}

export function resolveTailOptions(options: TailOptions, nowMs: number): ResolvedTailOptions {
  return {
    from: resolveFrom(options.from ?? 'LATEST', nowMs),
    signal: options.signal,
    readIntervalMs: within('readIntervalMs', options.readIntervalMs ?? 1_000, 200, 3_600_000),
    maxRecordsPerRead: within(
      'maxRecordsPerRead',
      options.maxRecordsPerRead ?? kinesisQuotas.maxGetRecords,
      1,
      kinesisQuotas.maxGetRecords,
    ),
    maxBufferedBytes: within('maxBufferedBytes', options.maxBufferedBytes ?? 16 * 2 ** 20, 1, 2 ** 40),
    maxConcurrentReads: within('maxConcurrentReads', options.maxConcurrentReads ?? 32, 1, 1_000),
    deaggregate: options.deaggregate ?? true,
    maxOutageMs: within('maxOutageMs', options.maxOutageMs ?? 60_000, 0, 2 ** 40),
  }
}

function resolveFrom(from: NonNullable<TailOptions['from']>, nowMs: number): ResolvedTailOptions['from'] {
  if (from === 'LATEST' || from === 'TRIM_HORIZON') return { type: from }
  const timestampMs = from instanceof Date ? from.getTime() : Number.NaN
  if (Number.isNaN(timestampMs)) {
    throw new InvalidOptionError('from', from, "Use 'LATEST', 'TRIM_HORIZON' or a valid Date.")
  }
  // The service refuses a time that has not come yet.
  if (timestampMs > nowMs) {
    throw new InvalidOptionError('from', from.toISOString(), "Use a time that has passed, or 'LATEST'.")
  }
  return { type: 'AT_TIMESTAMP', timestampMs }
}

function within(option: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw new InvalidOptionError(option, value, `Use a whole number from ${least} to ${most}.`)
}
