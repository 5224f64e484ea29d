import { backoffDelayMs, type Clock, type Random, StreamingError, sleep } from '@org/kinesis-core'

export interface RetryPolicy {
  /** Attempts in all, the first one included. */
  maxAttempts: number
  clock: Clock
  random: Random
  signal?: AbortSignal | undefined
}

/** Repeats `attempt` while it fails with a retryable `StreamingError` and attempts are left; then throws the last failure. */
export async function withRetries<T>(attempt: () => Promise<T>, policy: RetryPolicy): Promise<T> {
  for (let number = 1; ; number++) {
    try {
      return await attempt()
    } catch (error) {
      const again = StreamingError.isInstance(error) && error.retryable && number < policy.maxAttempts
      if (!again || policy.signal?.aborted) throw error
      await sleep(policy.clock, retryDelayMs(error, number, policy.random), policy.signal)
    }
  }
}

/** A throttled caller waits longer than one whose connection broke: the quota refills by the second. */
export function retryDelayMs(error: StreamingError, attempt: number, random: Random): number {
  const baseMs = error.code === 'THROTTLED' ? 500 : 100
  return backoffDelayMs(attempt, { baseMs, maxMs: 10_000 }, random)
}
