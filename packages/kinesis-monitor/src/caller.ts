import { type Clock, type Random, StreamingError } from '@org/kinesis-core'
import { toMonitorError } from './monitor-errors.js'
import type { CallOptions } from './monitor-source.js'
import { withRetries } from './retry.js'

/** How one API call is made: its errors made clear, and tried again where that can help. */
export type Caller = <T>(
  /** The IAM action that the call needs: `kinesis:ListShards`. */
  permission: `${string}:${string}`,
  /** The stream that the call is about, if any. */
  streamName: string | undefined,
  send: () => Promise<T>,
  call?: CallOptions & { maxAttempts?: number },
) => Promise<T>

export interface CallerOptions {
  region: string | undefined
  endpoint: string | undefined
  clock: Clock
  random: Random
}

/** Up to 7.5 s of waiting in all where the service throttles, 1.5 s where the connection breaks. */
const MAX_ATTEMPTS = 5

export function createCaller({ region, endpoint, clock, random }: CallerOptions): Caller {
  return (permission, streamName, send, { signal, maxAttempts = MAX_ATTEMPTS } = {}) => {
    const attempt = async () => {
      try {
        return await send()
      } catch (error) {
        // The caller asked for the end, and knows why: its own reason is the clearest error.
        if (signal?.aborted) throw error
        throw toMonitorError(error, { permission, streamName, region, endpoint })
      }
    }
    return withRetries(attempt, { maxAttempts, clock, random, signal })
  }
}

/** True for a failure that leaves the rest of a reading standing: the service is there, and said "not now". */
export function isPassingFailure(error: unknown): error is StreamingError {
  return (
    StreamingError.isInstance(error) &&
    error.retryable &&
    (error.code === 'THROTTLED' || error.code === 'REQUEST_FAILED')
  )
}
