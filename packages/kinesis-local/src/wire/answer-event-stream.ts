import { randomUUID } from 'node:crypto'
import { toServiceError } from './aws-json.js'
import { eventStreamMessage } from './event-stream-message.js'
import type { WireResponse } from './listener.js'
import type { EventFormat } from './wire-format.js'

/**
 * Writes events as they come, no faster than the client reads, until they end, the client goes away or `closing` says so. What fails
 * on the way is the last message of the stream.
 */
export async function answerEventStream(
  response: WireResponse,
  events: AsyncIterable<Readonly<Record<string, unknown>>>,
  format: EventFormat,
  closing: AbortSignal,
): Promise<void> {
  const iterator = events[Symbol.asyncIterator]()
  const stop = () => void iterator.return?.()
  if (response.destroyed || closing.aborted) return stop()
  response.once('close', stop)
  closing.addEventListener('abort', stop, { once: true })
  response.statusCode = 200
  response.setHeader('content-type', 'application/vnd.amazon.eventstream')
  response.setHeader('x-amzn-requestid', randomUUID())
  try {
    await write(response, event('initial-response', {}, format))
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
      for (const [type, payload] of Object.entries(next.value))
        await write(response, event(type, payload, format))
    }
  } catch (error) {
    const { code, message } = toServiceError(error)
    await write(response, exception(code, message, format))
  } finally {
    response.off('close', stop)
    closing.removeEventListener('abort', stop)
    stop()
    response.end()
  }
}

function event(type: string, payload: unknown, { contentType, encode }: EventFormat): Buffer {
  return eventStreamMessage(
    { ':message-type': 'event', ':event-type': type, ':content-type': contentType },
    encode(payload),
  )
}

function exception(type: string, message: string, { contentType, encode }: EventFormat): Buffer {
  return eventStreamMessage(
    { ':message-type': 'exception', ':exception-type': type, ':content-type': contentType },
    encode({ message }),
  )
}

/** Waits until the client has taken what was written before, or has gone. */
async function write(response: WireResponse, message: Buffer): Promise<void> {
  if (response.destroyed) return
  if ((response.write as (chunk: Buffer) => boolean).call(response, message)) return
  await new Promise<void>((resolve) => {
    const done = () => {
      response.off('drain', done)
      response.off('close', done)
      resolve()
    }
    response.on('drain', done)
    response.on('close', done)
  })
}
