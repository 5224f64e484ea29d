import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import {
  constants,
  createServer as createHttp2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { StreamingError } from '@org/kinesis-core'

export type WireRequest = IncomingMessage | Http2ServerRequest
export type WireResponse = ServerResponse | Http2ServerResponse

export interface Listener {
  port: number
  /** Takes no more connections, lets running calls end for a moment, then cuts what is left. */
  close(): Promise<void>
}

/** What every HTTP/2 connection begins with (RFC 9113, 3.4); HTTP/1.1 begins with a method. */
const HTTP2_PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

/** A body of records fits without waiting for the window to open again. */
const WINDOW_BYTES = 16 * 1024 * 1024

const CLOSE_GRACE_MS = 1_000

/** How long a client may take, in milliseconds. */
export interface ListenerTimeouts {
  /** From the connection to the end of the first headers, and from a request's first byte to the end of its headers. */
  headersMs: number
  /** From a request's first byte to its last. */
  requestMs: number
  /** Between requests. Clients keep connections as long as they like: one that is closed just as it is used again looks like a fault. */
  idleMs: number
}

/** Those of headers and requests are Node's own defaults. */
const TIMEOUTS: ListenerTimeouts = { headersMs: 60_000, requestMs: 300_000, idleMs: 600_000 }

/** One port of 127.0.0.1 for HTTP/1.1 and HTTP/2 without TLS, told apart by the first bytes: AWS SDKs speak either. */
export async function listen(
  port: number,
  handle: (request: WireRequest, response: WireResponse) => void,
  { headersMs, requestMs, idleMs }: ListenerTimeouts = TIMEOUTS,
): Promise<Listener> {
  const running = new RunningCalls()
  const counted = (request: WireRequest, response: WireResponse) => {
    running.add(response)
    handle(request, response)
  }
  const http1 = createHttpServer(
    {
      keepAliveTimeout: idleMs,
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: Math.min(30_000, headersMs),
    },
    counted,
  )
  // It never listens itself, and looks at its connections from when it does.
  http1.emit('listening')
  const http2 = createHttp2Server(
    { settings: { initialWindowSize: WINDOW_BYTES }, maxSessionMemory: 256 },
    counted,
  )
  // HTTP/2 sessions of clients that vanish report errors of their own.
  http2.on('sessionError', () => {})
  http2.on('session', (session) => {
    session.setLocalWindowSize(WINDOW_BYTES)
    // Nothing went either way for so long: calls that run are let end, and a session without any is over.
    session.setTimeout(idleMs, () => session.close())
  })
  http2.on('stream', (stream) => {
    const late = setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), requestMs).unref()
    const onTime = () => clearTimeout(late)
    stream.once('end', onTime)
    stream.once('close', onTime)
  })
  http1.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const status = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? '408 Request Timeout' : '400 Bad Request'
    if (!socket.writable) return socket.destroy()
    // A client that never ends its side would keep what was ended on ours.
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`, () => socket.destroy())
  })

  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    // A client that goes away in mid-request is its own affair.
    socket.on('error', () => socket.destroy())
    tellApart(socket, headersMs, (protocol) => {
      // HTTP/1.1 clients may end their side and read on; an HTTP/2 session whose client has ended is over.
      socket.allowHalfOpen = protocol === 'http1'
      const target = protocol === 'http1' ? http1 : http2
      target.emit('connection', socket)
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, port)))
    server.listen(port, '127.0.0.1', resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      await running.ended(CLOSE_GRACE_MS)
      for (const socket of sockets) socket.destroy()
      http1.close()
      http2.close()
      await closed
    },
  }
}

class RunningCalls {
  #count = 0
  #onNone: () => void = () => {}

  add(response: WireResponse): void {
    this.#count += 1
    response.once('close', () => {
      this.#count -= 1
      if (this.#count === 0) this.#onNone()
    })
  }

  /** Resolves when none runs, or after `graceMs`. */
  ended(graceMs: number): Promise<void> {
    if (this.#count === 0) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, graceMs)
      this.#onNone = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

function tellApart(socket: Socket, withinMs: number, decide: (protocol: 'http1' | 'http2') => void): void {
  let seen = Buffer.alloc(0)
  const late = setTimeout(() => socket.destroy(), withinMs).unref()
  socket.once('close', () => clearTimeout(late))
  const onReadable = () => {
    for (let chunk = socket.read(); chunk !== null; chunk = socket.read()) seen = Buffer.concat([seen, chunk])
    if (seen.length === 0) return
    const compared = Math.min(seen.length, HTTP2_PREFACE.length)
    const isPrefix = seen.subarray(0, compared).equals(HTTP2_PREFACE.subarray(0, compared))
    if (isPrefix && compared < HTTP2_PREFACE.length) return
    socket.off('readable', onReadable)
    socket.off('end', onEnd)
    clearTimeout(late)
    socket.unshift(seen)
    decide(isPrefix ? 'http2' : 'http1')
  }
  const onEnd = () => socket.destroy()
  socket.on('readable', onReadable)
  // It ended before it said what it is. From then on the end is the protocol's affair.
  socket.on('end', onEnd)
}

function listenError(error: NodeJS.ErrnoException, port: number): Error {
  const what = error.code === 'EADDRINUSE' ? 'is in use' : `cannot be listened on (${error.code})`
  return new StreamingError(`Port ${port} of 127.0.0.1 ${what}. Choose another port, or 0 for a free one.`, {
    code: 'PORT_UNAVAILABLE',
    retryable: false,
    cause: error,
  })
}
