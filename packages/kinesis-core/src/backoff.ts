import type { Random } from './random.js'

export interface BackoffPolicy {
  /** Upper bound of the first delay. */
  baseMs: number
  /** Upper bound of every delay. */
  maxMs: number
}

/**
 * Exponential backoff with full jitter: uniform between 0 and `base × 2^(attempt-1)`, capped.
 * Full jitter spreads clients that failed together better than equal jitter does, and needs no state.
 *
 * @param attempt the number of the attempt that failed, from 1
 */
export function backoffDelayMs(attempt: number, policy: BackoffPolicy, random: Random): number {
  // The exponent is bounded because 2 ** 1024 is Infinity, and Infinity × 0 is not a delay.
  const ceiling = Math.min(policy.maxMs, policy.baseMs * 2 ** Math.min(attempt - 1, 30))
  return Math.floor(random() * ceiling)
}
