import { InvalidOptionError } from '@org/kinesis-core'

export interface MetricWindow {
  /** Inclusive, at the start of a period. */
  startMs: number
  /** Exclusive, at the end of a period: the period that is under way is included, with what it has so far. */
  endMs: number
  periodSeconds: number
}

export interface MetricWindowOptions {
  /** How far to look back, in minutes. @default 5 */
  periodMinutes?: number | undefined
  /** One data point per so many seconds: 1, 5, 10, 20, 30 or a multiple of 60. Kinesis on AWS publishes per minute. @default 60 */
  periodSeconds?: number | undefined
}

const SHORT_PERIODS = [1, 5, 10, 20, 30]
/** CloudWatch keeps hourly points for 455 days. */
const MAX_MINUTES = 455 * 24 * 60

/** Both ends fall on period borders: CloudWatch would otherwise move them, and cut a period in two. */
export function metricWindow(
  options: MetricWindowOptions,
  defaultMinutes: number,
  nowMs: number,
): MetricWindow {
  const { periodMinutes = defaultMinutes, periodSeconds = 60 } = options
  if (!(periodMinutes > 0 && periodMinutes <= MAX_MINUTES)) {
    throw new InvalidOptionError(
      'periodMinutes',
      periodMinutes,
      `Use more than 0 and at most ${MAX_MINUTES}.`,
    )
  }
  const usual = Number.isInteger(periodSeconds) && periodSeconds > 0 && periodSeconds % 60 === 0
  if (!usual && !SHORT_PERIODS.includes(periodSeconds)) {
    throw new InvalidOptionError('periodSeconds', periodSeconds, 'Use 1, 5, 10, 20, 30 or a multiple of 60.')
  }
  const periodMs = periodSeconds * 1_000
  const endMs = Math.floor(nowMs / periodMs) * periodMs + periodMs
  const startMs = Math.floor((nowMs - periodMinutes * 60_000) / periodMs) * periodMs
  return { startMs, endMs, periodSeconds }
}
