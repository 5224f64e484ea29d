import { type BackoffPolicy, backoffDelayMs } from '@org/kinesis-core'
import {
  AttemptsExhaustedError,
  type ProducerError,
  RecordExpiredError,
  RequestRejectedError,
} from './producer-errors.js'
import type { TransportFault } from './put-records-transport.js'

export interface RetryPolicy {
  recordTtlMs: number
  maxAttempts: number
  backoff: BackoffPolicy
}

/** What is known of a record when an attempt of it has failed. */
export interface FailedAttempt {
  /** Attempts so far, this one included. */
  attempts: number
  expiresAtMs: number
  /** An attempt of it, this one included, ended without an answer. */
  maybeDelivered: boolean
}

export type RetryDecision = { retryAtMs: number } | { error: ProducerError }

/**
 * Whether a record is tried again, and when. `random` is drawn once for all records of a response: those with equally many attempts
 * then come back together and share a request, while different requests and producers spread.
 */
export function decideRetry(
  record: FailedAttempt,
  fault: TransportFault,
  nowMs: number,
  policy: RetryPolicy,
  random: () => number,
): RetryDecision {
  const { attempts, maybeDelivered } = record
  if (fault.kind === 'rejected') {
    const { reason, message, cause } = fault
    return { error: new RequestRejectedError({ reason, message, maybeDelivered, cause }) }
  }
  if (attempts >= policy.maxAttempts) {
    return { error: new AttemptsExhaustedError({ attempts, maybeDelivered, cause: fault }) }
  }
  const retryAtMs = nowMs + backoffDelayMs(attempts, policy.backoff, random)
  if (retryAtMs >= record.expiresAtMs) {
    // It would expire before its turn: the caller may as well know now.
    const { recordTtlMs } = policy
    return { error: new RecordExpiredError({ attempts, recordTtlMs, maybeDelivered, cause: fault }) }
  }
  return { retryAtMs }
}
