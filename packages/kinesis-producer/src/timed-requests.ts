import type { Clock } from '@org/kinesis-core'
import { TransportFault } from './put-records-transport.js'

/**
 * Requests that end by their answer, by a timeout, or all together. The race is ours and not the transport's: credentials that never
 * come, or a transport that ignores its signal, must not hold records for ever.
 */
export class TimedRequests {
  readonly #clock: Clock
  readonly #aborts = new Set<AbortController>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Settles once; rejects with a `TransportFault` and nothing else. What the request resolves with must pass `isAnswer`: a transport of
   * the user's may be JavaScript, and forget to return.
   */
  run<T>(
    request: (signal: AbortSignal) => Promise<T>,
    timeoutMs: number,
    isAnswer: (value: unknown) => boolean = Array.isArray,
  ): Promise<T> {
    const abort = new AbortController()
    this.#aborts.add(abort)
    return new Promise<T>((resolve, reject) => {
      const cancelTimeout = this.#clock.schedule(timeoutMs, () =>
        abort.abort(fault('RequestTimeout', `No answer within ${timeoutMs} ms.`)),
      )
      const onAbort = () => {
        end()
        reject(abort.signal.reason)
      }
      const end = () => {
        cancelTimeout()
        this.#aborts.delete(abort)
        // A transport may keep the signal for longer than the request lasts, and with it the records.
        abort.signal.removeEventListener('abort', onAbort)
      }
      abort.signal.addEventListener('abort', onAbort)
      // The extra step turns what a transport throws before its first await into a rejection.
      Promise.resolve()
        .then(() => request(abort.signal))
        .then(
          (value) => {
            end()
            if (isAnswer(value)) resolve(value)
            else reject(fault('MalformedResponse', `The transport resolved with ${describe(value)}.`))
          },
          (error: unknown) => {
            end()
            const text = error instanceof Error ? String(error) : `The transport threw ${describe(error)}.`
            reject(error instanceof TransportFault ? error : fault('TransportError', text, error))
          },
        )
    })
  }

  abortAll(reason: string, message: string): void {
    for (const abort of this.#aborts) abort.abort(fault(reason, message))
  }
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  return typeof value === 'string' ? JSON.stringify(value) : `a value of type ${typeof value}`
}

/** Whoever gives up waiting does not know what the service has done by then. */
function fault(reason: string, message: string, cause?: unknown): TransportFault {
  return new TransportFault(message, { kind: 'transient', reason, maybeDelivered: true, cause })
}
