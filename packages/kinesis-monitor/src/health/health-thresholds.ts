import { InvalidOptionError, refuseUnknownOptions } from '@org/kinesis-core'

export interface HealthThresholds {
  /** Iterator age from which a consumer is behind, in ms. @default 60_000 */
  iteratorAgeMs?: number
  /** Part of the retention that lag may use up before it is critical, 0 to 1. @default 0.5 */
  retentionShare?: number
  /** Growing lag that would meet the retention within this time is critical, in ms. @default 21_600_000 (6 h) */
  dataLossHorizonMs?: number
  /** Incoming over outgoing records, per consumer, from which consumers are behind. @default 1.5 */
  lagRatio?: number
  /** How long after the last write a consumer may have read nothing before it counts as stopped, in ms. @default 300_000 */
  silentReaderMs?: number
  /** Part of the calls, records or invocations that may fail before it is critical, 0 to 1. @default 0.1 */
  criticalShare?: number
  /** GetRecords calls in the window that may be throttled or fail and worry nobody: consumers that share a shard meet some. @default 10 */
  throttledReads?: number
  /** Part of the GetRecords calls that must succeed, 0 to 1. @default 0.95 */
  readSuccess?: number
  /** Age of the oldest record not yet delivered by Firehose, in ms. @default 900_000 */
  deliveryFreshnessMs?: number
}

export type ResolvedHealthThresholds = Required<HealthThresholds>

export const DEFAULT_THRESHOLDS: ResolvedHealthThresholds = {
  iteratorAgeMs: 60_000,
  retentionShare: 0.5,
  dataLossHorizonMs: 6 * 3_600_000,
  lagRatio: 1.5,
  silentReaderMs: 300_000,
  criticalShare: 0.1,
  throttledReads: 10,
  readSuccess: 0.95,
  deliveryFreshnessMs: 900_000,
}

const SHARES = ['retentionShare', 'criticalShare', 'readSuccess'] as const

export function resolveHealthThresholds(thresholds: HealthThresholds = {}): ResolvedHealthThresholds {
  refuseUnknownOptions(thresholds, Object.keys(DEFAULT_THRESHOLDS))
  const resolved = { ...DEFAULT_THRESHOLDS }
  for (const name of Object.keys(DEFAULT_THRESHOLDS) as (keyof HealthThresholds)[]) {
    const value = thresholds[name] ?? DEFAULT_THRESHOLDS[name]
    if (!(value >= 0 && Number.isFinite(value))) {
      throw new InvalidOptionError(`thresholds.${name}`, value, 'Use a number that is not negative.')
    }
    resolved[name] = value
  }
  for (const name of SHARES) {
    if (resolved[name] > 1) {
      throw new InvalidOptionError(`thresholds.${name}`, resolved[name], 'Use a share from 0 to 1.')
    }
  }
  return resolved
}
