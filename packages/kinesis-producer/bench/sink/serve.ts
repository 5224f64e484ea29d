import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { BodyReader } from './body-reader.ts'
import { makeCertificate } from './certificate.ts'
import { type SinkCounts, type SinkSettings, SinkStream } from './sink-stream.ts'

/** What the bench says to the sink; each order is answered by a `SinkReport`. */
export type SinkOrder = { reset: SinkSettings } | 'hold' | 'release' | 'report'

export interface SinkReport extends SinkCounts {
  /** TLS handshakes. */
  connections: number
  /** Processor time of this process since the last reset. */
  cpuMs: number
  /** Of the sink's own clock: two reports tell a rate. */
  atMs: number
}

// Forked by the bench: HTTP/2, which is what the SDK chooses, and HTTP/1.1 on one port, over TLS.
const bodies = new BodyReader()
let settings: SinkSettings = { shards: 16, serviceMs: 0, limits: false }
let stream = new SinkStream(settings)
let connections = 0
let cpuBefore = process.cpuUsage()
let held: (() => void)[] | undefined

const { key, cert } = await makeCertificate()
// A client that works for long without sending must find its connection again.
const options = { key, cert, allowHTTP1: true, keepAliveTimeout: 120_000 }
const server = createSecureServer(options, serve)
server.on('secureConnection', () => connections++)
server.on('sessionError', () => {})
server.listen(0, '127.0.0.1', () => {
  process.send!({ url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, cert })
})
process.on('message', (order: SinkOrder) => process.send!(follow(order)))
process.once('disconnect', () => process.exit())

function serve(request: Http2ServerRequest, response: Http2ServerResponse): void {
  bodies.read(request, (body) => {
    const operation = String(request.headers['x-amz-target']).replace('Kinesis_20131202.', '')
    const { status, answer } = answerTo(operation, body)
    const send = () => {
      response.writeHead(status, {
        'content-type': 'application/x-amz-json-1.1',
        'content-length': Buffer.byteLength(answer),
        'x-amzn-requestid': '00000000-0000-0000-0000-000000000000',
      })
      response.end(answer)
    }
    if (held !== undefined && operation === 'PutRecords') held.push(send)
    else if (settings.serviceMs > 0) setTimeout(send, settings.serviceMs)
    else send()
  })
}

function answerTo(operation: string, body: Buffer): { status: number; answer: string } {
  try {
    return { status: 200, answer: stream.answer(operation, body) }
  } catch (error) {
    return { status: 400, answer: JSON.stringify({ __type: 'ValidationException', message: String(error) }) }
  }
}

function follow(order: SinkOrder): SinkReport {
  if (typeof order === 'object') {
    settings = order.reset
    stream = new SinkStream(settings)
    connections = 0
    cpuBefore = process.cpuUsage()
  } else if (order === 'hold') held = []
  else if (order === 'release') {
    const sends = held ?? []
    held = undefined
    for (const send of sends) send()
  }
  const { user, system } = process.cpuUsage(cpuBefore)
  return { ...stream.counts, connections, cpuMs: (user + system) / 1_000, atMs: performance.now() }
}
