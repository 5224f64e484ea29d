import type { LambdaContext } from '@org/kinesis-core'
import { UnexpectedEventError } from './errors.js'

/**
 * Milliseconds in which work may still be started: what is left of the invocation, less a margin. With a margin above the function's own
 * timeout nothing would ever start, so half of the time is always used.
 */
export function timeLeft(context: LambdaContext, marginMs: number): () => number {
  if (typeof context?.getRemainingTimeInMillis !== 'function') {
    throw new UnexpectedEventError(
      "The handler got no Lambda context with getRemainingTimeInMillis(): pass one, such as lambdaContext() of '@org/kinesis-core/testing'.",
    )
  }
  const reservedMs = Math.min(marginMs, context.getRemainingTimeInMillis() / 2)
  return () => context.getRemainingTimeInMillis() - reservedMs
}
