import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import {
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
  close(): Promise<void>
}

/** What every HTTP/2 connection begins with (RFC 9113, 3.4); HTTP/1.1 begins with a method. */
const HTTP2_PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

/** One port of 127.0.0.1 for HTTP/1.1 and HTTP/2 without TLS, told apart by the first bytes: AWS SDKs speak either. */
export async function listen(
  port: number,
  handle: (request: WireRequest, response: WireResponse) => void,
): Promise<Listener> {
  const http1 = createHttpServer({ keepAliveTimeout: 60_000 }, handle)
  const http2 = createHttp2Server(handle)
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    // A client that goes away in mid-request is its own affair.
    socket.on('error', () => socket.destroy())
    tellApart(socket, (protocol) => (protocol === 'http2' ? http2 : http1).emit('connection', socket))
  })
  // HTTP/2 sessions of clients that vanish report errors of their own.
  http2.on('sessionError', () => {})
  http1.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, port)))
    server.listen(port, '127.0.0.1', resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
        http1.close()
        http2.close()
      }),
  }
}

function tellApart(socket: Socket, decide: (protocol: 'http1' | 'http2') => void): void {
  let seen = Buffer.alloc(0)
  const onReadable = () => {
    for (let chunk = socket.read(); chunk !== null; chunk = socket.read()) seen = Buffer.concat([seen, chunk])
    if (seen.length === 0) return
    const compared = Math.min(seen.length, HTTP2_PREFACE.length)
    const isPrefix = seen.subarray(0, compared).equals(HTTP2_PREFACE.subarray(0, compared))
    if (isPrefix && compared < HTTP2_PREFACE.length) return
    socket.off('readable', onReadable)
    socket.unshift(seen)
    decide(isPrefix ? 'http2' : 'http1')
  }
  socket.on('readable', onReadable)
}

function listenError(error: NodeJS.ErrnoException, port: number): Error {
  const [what, remedy] =
    error.code === 'EADDRINUSE'
      ? ['is in use', 'Choose another port, or 0 for a free one.']
      : [`cannot be listened on (${error.code})`, 'Choose another port, or 0 for a free one.']
  return new StreamingError(`Port ${port} of 127.0.0.1 ${what}. ${remedy}`, {
    code: 'PORT_UNAVAILABLE',
    retryable: false,
    cause: error,
  })
}
