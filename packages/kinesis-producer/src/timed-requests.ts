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

  /** Settles once; rejects with a `TransportFault` and nothing else. */
  run<T>(request: (signal: AbortSignal) => Promise<T>, timeoutMs: number): Promise<T> {
    const abort = new AbortController()
    this.#aborts.add(abort)
    return new Promise<T>((resolve, reject) => {
      const cancelTimeout = this.#clock.schedule(timeoutMs, () =>
        abort.abort(fault('RequestTimeout', `No answer within ${timeoutMs} ms.`)),
      )
      const end = () => {
        cancelTimeout()
        this.#aborts.delete(abort)
      }
      abort.signal.addEventListener('abort', () => {
        end()
        reject(abort.signal.reason)
      })
      // The extra step turns what a transport throws before its first await into a rejection.
      Promise.resolve()
        .then(() => request(abort.signal))
        .then(
          (value) => {
            end()
            resolve(value)
          },
          (error: unknown) => {
            end()
            reject(error instanceof TransportFault ? error : fault('TransportError', String(error), error))
          },
        )
    })
  }

  abortAll(reason: string, message: string): void {
    for (const abort of this.#aborts) abort.abort(fault(reason, message))
  }
}

/** Whoever gives up waiting does not know what the service has done by then. */
function fault(reason: string, message: string, cause?: unknown): TransportFault {
  return new TransportFault(message, { kind: 'transient', reason, maybeDelivered: true, cause })
}
