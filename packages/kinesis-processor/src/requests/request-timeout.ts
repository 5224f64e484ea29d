import type { Clock } from '@org/kinesis-core'
import { TransientError } from '../errors.js'
import type { SinkContext } from '../sink.js'

/** A request that has begun may use a moment of the handler's margin, but not the whole of it. */
const MIN_TIMEOUT_MS = 250

export interface RequestTime {
  clock: Clock
  requestTimeoutMs: number
  /** Names the target in errors. */
  what: string
}

/**
 * Runs a request of a sink's write, which is aborted after `requestTimeoutMs`, or sooner where less is left of the invocation.
 *
 * @throws TransientError when there was no answer in time
 */
export function withinTime<R>(
  { clock, requestTimeoutMs, what }: RequestTime,
  { remainingMs }: SinkContext,
  request: (signal: AbortSignal) => Promise<R>,
): Promise<R> {
  const timeoutMs = Math.min(requestTimeoutMs, Math.max(remainingMs(), MIN_TIMEOUT_MS))
  return withTimeout({ clock, timeoutMs, what }, request)
}

/**
 * Runs a request that is aborted after `timeoutMs`. The AWS SDK has no limit of its own, so a connection that swallows requests would take the
 * invocation with it.
 *
 * @throws TransientError when there was no answer in time
 */
export async function withTimeout<R>(
  { clock, timeoutMs, what }: { clock: Clock; timeoutMs: number; what: string },
  request: (signal: AbortSignal) => Promise<R>,
): Promise<R> {
  const controller = new AbortController()
  const cancel = clock.schedule(timeoutMs, () => controller.abort())
  try {
    return await request(controller.signal)
  } catch (cause) {
    if (!controller.signal.aborted) throw cause
    throw new TransientError(`${what} gave no answer in ${timeoutMs} ms.`, { cause })
  } finally {
    cancel()
  }
}
