import type { Readable } from 'node:stream'
import { StreamingError } from '@org/kinesis-core'

/**
 * What a stream brings, chunk by chunk as it is asked for. Once `stop` aborts it brings what was read of it already, and ends: a
 * stream's own iterator would drop that.
 */
export async function* readChunks(input: Readable, name: string, stop: AbortSignal): AsyncGenerator<Buffer> {
  let wake = () => {}
  let isEnded = false
  let failure: Error | undefined
  const onReadable = () => wake()
  const onEnd = () => {
    isEnded = true
    wake()
  }
  const onError = (error: Error) => {
    failure = error
    wake()
  }
  input.on('readable', onReadable).on('end', onEnd).on('close', onEnd).on('error', onError)
  stop.addEventListener('abort', onReadable)
  try {
    for (;;) {
      const isLast = stop.aborted
      const chunk = input.read() as Buffer | null
      if (chunk !== null) yield chunk
      if (isLast) return
      if (failure !== undefined) throw unreadable(name, failure)
      if (chunk !== null) continue
      if (isEnded) return
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  } finally {
    stop.removeEventListener('abort', onReadable)
    // Errors of a stream that is being destroyed are still its own.
    input.off('readable', onReadable).off('end', onEnd).off('close', onEnd)
    input.destroy()
  }
}

function unreadable(name: string, cause: Error): StreamingError {
  return new StreamingError(`${name} cannot be read to its end (${cause.message}).`, {
    code: 'UNREADABLE',
    retryable: false,
    cause,
  })
}
