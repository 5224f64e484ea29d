import { isRefused, type Journal } from './journal.ts'
import { type Scenario, setBack } from './scenario.ts'
import type { Violation } from './violation.ts'

/**
 * No fault of a campaign is for good: a record that was taken fails where its time, its attempts or the producer ends, and not before; nor
 * where nothing went wrong any more for long enough.
 */
export function judgeReasons(scenario: Scenario, { puts, startedAtMs }: Journal): Violation[] {
  const { producer, traffic, clockJumps, ending, mode } = scenario
  const { recordTtlMs, maxAttempts, backoffMaxMs, whenFull, onExpired } = producer
  const aheadMs = clockJumps.reduce((sum, { byMs }) => sum + Math.max(0, byMs), 0)
  // An aggregate expires with its oldest record, and others are up to a sixteenth of the time younger.
  const packedMs = producer.aggregation === false ? 0 : recordTtlMs / 16 + 5
  const wholeMs = recordTtlMs - packedMs - aheadMs - (mode === 'wire' ? 50 : 0)
  const calmMs = startedAtMs + calmAfter(scenario)
  const enoughMs = enoughForAll(scenario)
  const violations: Violation[] = []
  for (const put of puts) {
    const { number, isBad, atMs, settledAtMs, error, way } = put
    if (error === undefined || isBad) continue
    const { attempts } = error as { attempts?: number }
    const livedMs = (settledAtMs ?? atMs) - atMs
    // A record whose next attempt would come too late fails at once.
    const leastMs = attempts === 0 ? wholeMs : wholeMs - backoffMaxMs
    const isDue: Record<string, boolean> = {
      RECORD_EXPIRED: livedMs >= leastMs && atMs + leastMs < Math.max(atMs, calmMs) + enoughMs,
      ATTEMPTS_EXHAUSTED: attempts === maxAttempts,
      // A callback may put once more while the producer closes.
      PRODUCER_CLOSED: ending.deadlineMs !== undefined || (isRefused(put) && traffic.reactions > 0),
      QUEUE_FULL: whenFull === 'reject' || way === 'enqueue',
      KEY_HALTED: onExpired === 'halt-key',
    }
    if (isDue[error.code] === true) continue
    const message = `Put ${number} failed after ${livedMs.toFixed(0)} ms and ${attempts ?? '?'} attempts, for no reason of the scenario: ${error.message}`
    violations.push({ rule: 'fails for a reason', message, puts: [number] })
  }
  return violations
}

/** When nothing goes wrong any more. */
function calmAfter(scenario: Scenario): number {
  const { episodes, reshards, traffic, streamTransitionMs } = scenario
  const harmless = Math.max(
    traffic.spanMs,
    ...episodes.map(({ kind, toMs, size }) => (kind === 'stall' || kind === 'late' ? toMs + size : toMs)),
    ...reshards.map(({ atMs }) => atMs + streamTransitionMs),
  )
  // Whoever waits for a time of day waits longer where the clock is set back.
  return harmless + setBack(scenario)
}

/** How long it takes at most to deliver everything, one record after the other. */
function enoughForAll({ traffic, producer, latencyMs }: Scenario): number {
  const { requestTimeoutMs, backoffMaxMs, lingerMs } = producer
  // Where requests may travel longer than anybody waits for them, there is no telling.
  if (requestTimeoutMs < 2 * latencyMs.max) return Number.POSITIVE_INFINITY
  const perRecordMs = 2 * latencyMs.max + lingerMs + 50
  // A pacer that was throttled for long takes 20 seconds to come back, a listing five to time out and 30 to be tried again.
  return 2 * (requestTimeoutMs + backoffMaxMs) + traffic.records * perRecordMs + 60_000
}
