import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { type Listener, type ListenerTimeouts, listen, type WireResponse } from './listener.js'

const cleanup: (() => unknown)[] = []
afterEach(async () => {
  for (const close of cleanup.splice(0).reverse()) await close()
})

const LONG: ListenerTimeouts = { headersMs: 60_000, requestMs: 60_000, idleMs: 60_000 }

/** Answers a request when it has come whole; one for `/slow` a while later. */
async function aListener(timeouts: Partial<ListenerTimeouts>): Promise<Listener> {
  const end = (response: WireResponse) => (response.end as (body: string) => void)('done')
  const listener = await listen(
    0,
    (request, response) => {
      request.on('error', () => {})
      request.resume()
      request.on('end', () => void setTimeout(() => end(response), request.url === '/slow' ? 600 : 0))
    },
    { ...LONG, ...timeouts },
  )
  cleanup.push(() => listener.close())
  return listener
}

function open({ port }: Listener, text: string): { socket: Socket; ended: Promise<string> } {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  let answer = ''
  socket.on('data', (data) => {
    answer += data
  })
  socket.on('error', () => {})
  cleanup.push(() => socket.destroy())
  const ended = new Promise<string>((resolve) => {
    for (const event of ['end', 'close']) socket.once(event, () => resolve(answer))
  })
  if (text !== '') socket.write(text)
  return { socket, ended }
}

function session({ port }: Listener): ClientHttp2Session {
  const client = connectHttp2(`http://127.0.0.1:${port}`)
  client.on('error', () => {})
  cleanup.push(() => client.destroy())
  return client
}

describe('a connection', () => {
  it.each([
    ['nothing', ''],
    ['a part of what tells its protocol', 'PRI * HT'],
    ['half of its headers', 'POST / HTTP/1.1\r\nHost: x\r\nX-Am'],
  ])('is ended when it has sent %s for too long', async (_what, text) => {
    const listener = await aListener({ headersMs: 200 })

    expect(await open(listener, text).ended).toMatch(/^(HTTP\/1\.1 408 |$)/)
  })

  it('is ended when its request does not end', async () => {
    const listener = await aListener({ headersMs: 100, requestMs: 300 })
    const { ended } = open(listener, 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf')

    expect(await ended).toMatch(/^HTTP\/1\.1 408 /)
  })

  it('is kept while an answer takes its time, however short the others are', async () => {
    const listener = await aListener({ headersMs: 100, requestMs: 200, idleMs: 200 })
    const { socket, ended } = open(listener, 'GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')

    expect(await ended).toMatch(/^HTTP\/1\.1 200 (.|\s)*done/)
    socket.destroy()
  })
})

describe('a session of HTTP/2', () => {
  it('is ended when it was idle for too long', async () => {
    const client = session(await aListener({ idleMs: 200 }))
    await new Promise((resolve) => client.once('close', resolve))
  })

  it('loses a call whose request does not end, and goes on', async () => {
    const client = session(await aListener({ headersMs: 100, requestMs: 200 }))
    const half = client.request({ ':method': 'POST', ':path': '/' })
    half.on('error', () => {})
    half.write('half')
    await new Promise((resolve) => half.once('close', resolve))

    expect(await statusOf(client, '/')).toBe(200)
  })

  it('is kept while an answer takes its time', async () => {
    const client = session(await aListener({ headersMs: 100, requestMs: 200, idleMs: 200 }))

    expect(await statusOf(client, '/slow')).toBe(200)
  })
})

function statusOf(client: ClientHttp2Session, path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const call = client.request({ ':path': path })
    call.on('error', reject)
    call.on('response', (headers) => resolve(headers[':status']))
    call.resume()
    call.end()
  })
}
