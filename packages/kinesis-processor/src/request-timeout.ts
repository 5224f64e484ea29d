import type { Clock } from '@org/kinesis-core'
import { TransientError } from './errors.js'

/**
 * Runs a request that is aborted after `timeoutMs`. The AWS SDK has no limit of its own, so a connection that swallows requests would
 * take the invocation with it.
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
