import { type Clock, systemClock } from '../clock.js'
import type { LambdaContext } from '../lambda-events.js'

export interface LambdaContextOptions {
  /** @default 'test-function' */
  functionName?: string
  /** How long the invocation may take. @default 60_000 */
  timeoutMs?: number
  /** @default the system's clock */
  clock?: Clock
}

/** A context whose remaining time runs down with the clock given. */
export function lambdaContext(options: LambdaContextOptions = {}): LambdaContext {
  const { functionName = 'test-function', timeoutMs = 60_000, clock = systemClock } = options
  const deadlineMs = clock.now() + timeoutMs
  return {
    functionName,
    awsRequestId: '00000000-0000-4000-8000-000000000000',
    getRemainingTimeInMillis: () => Math.max(0, deadlineMs - clock.now()),
  }
}
