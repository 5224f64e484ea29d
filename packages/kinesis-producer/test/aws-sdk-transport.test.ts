import { getEventListeners } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { describe, expect, it, vi } from 'vitest'
import { credentials, expectedAuthorization, rawSink, storedAnswer } from './http-sink.js'
import {
  aService,
  aSink,
  aTransport,
  cleanups,
  failure,
  orders,
  put,
  records,
  sequenceNumbers,
} from './transport-under-test.js'

/** The body of the request that waits in a socket. */
async function readRequest(socket: Socket): Promise<string> {
  const chunks: Buffer[] = []
  let missing = Number.NaN
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    if (Number.isNaN(missing)) {
      const head = chunk.toString('latin1')
      missing = head.indexOf('\r\n\r\n') + 4 + Number(/content-length: (\d+)/i.exec(head)![1])
    }
    missing -= chunk.length
    if (missing <= 0) break
  }
  const text = Buffer.concat(chunks).toString('latin1')
  return text.slice(text.indexOf('\r\n\r\n') + 4)
}

describe('a request over the AWS SDK', () => {
  it('is signed for the body that it has, the first as every later one', async () => {
    const sink = await aSink()
    const transport = aTransport(sink.url)

    for (const text of ['one', 'two', 'three, longer']) await put(transport, records(text, 'x'))

    expect(sink.requests).toHaveLength(3)
    for (const request of sink.requests) {
      expect(request.headers.authorization).toBe(expectedAuthorization(request))
      expect(request.headers['content-length']).toBe(String(request.body.length))
      expect(request.headers['x-amz-target']).toBe('Kinesis_20131202.PutRecords')
      expect(request.headers['user-agent']).toMatch(/^aws-sdk-js\/.* api\/kinesis/)
    }
    expect(sink.requests[2]!.json).toEqual({
      StreamName: 'orders',
      Records: [
        { Data: Buffer.from('three, longer').toString('base64'), PartitionKey: 'key of three, longer' },
        { Data: Buffer.from('x').toString('base64'), PartitionKey: 'key of x' },
      ],
    })
    const [first, ...later] = sink.requests.map(({ headers }) => headers)
    for (const headers of later) expect(Object.keys(headers)).toEqual(Object.keys(first!))
    expect(new Set(sink.requests.map(({ headers }) => headers['amz-sdk-invocation-id'])).size).toBe(3)
  })

  it('resolves with one result per entry', async () => {
    const local = await aService()
    const transport = aTransport(local.url)

    await put(transport, records('a'))
    const results = await put(transport, records('b', 'c'))

    expect(results).toHaveLength(2)
    expect(results.map((result) => result.shardId)).toEqual(['shardId-000000000000', 'shardId-000000000000'])
    for (const sequenceNumber of sequenceNumbers(results)) expect(sequenceNumber).toMatch(/^\d{56}$/)
  })

  it('goes to a stream that others go to as well', async () => {
    const sink = await aSink()
    const transport = aTransport(sink.url)

    for (const streamName of ['orders', 'clicks', 'orders'])
      await put(transport, records('a'), { streamName })

    expect(sink.requests.map(({ json }) => json.StreamName)).toEqual(['orders', 'clicks', 'orders'])
  })

  it('uses the credentials that are valid when it is signed', async () => {
    const sink = await aSink()
    let issued = 0
    const transport = aTransport(sink.url, {
      // So close to their end that the SDK asks for new ones every time.
      credentials: async () => ({
        ...credentials,
        sessionToken: `token-${++issued}`,
        expiration: new Date(Date.now() + 1_000),
      }),
    })

    for (let count = 0; count < 3; count++) await put(transport, records('a'))

    const tokens = sink.requests.map(({ headers }) => headers['x-amz-security-token'])
    expect(new Set(tokens).size).toBe(3)
    for (const request of sink.requests) {
      expect(request.headers.authorization).toBe(expectedAuthorization(request))
    }
  })

  it('follows the clock of the service once that has refused a signature', async () => {
    const local = await aService({}, (call) =>
      call === 1 ? undefined : { kind: 'clock-skew', skewMs: 3_600_000 },
    )
    const transport = aTransport(local.url)

    await put(transport, records('a'))
    expect(await failure(put(transport, records('b')))).toMatchObject({
      kind: 'transient',
      maybeDelivered: false,
    })
    for (let count = 0; count < 3; count++) expect(await put(transport, records('c'))).toHaveLength(1)
  })

  it('in Lambda carries the trace of its own invocation', async () => {
    vi.stubEnv('AWS_LAMBDA_FUNCTION_NAME', 'orders')
    cleanups.push(() => vi.unstubAllEnvs())
    const sink = await aSink()
    const transport = aTransport(sink.url)

    for (const trace of ['Root=1', 'Root=2', 'Root=3']) {
      vi.stubEnv('_X_AMZN_TRACE_ID', trace)
      await put(transport, records('a'))
    }

    expect(sink.requests.map(({ headers }) => headers['x-amzn-trace-id'])).toEqual([
      'Root=1',
      'Root=2',
      'Root=3',
    ])
  })

  it('leaves no listener on its signal, whichever way it ends', async () => {
    const local = await aService({}, (call) => (call % 2 === 0 ? { kind: 'error500' } : undefined))
    const transport = aTransport(local.url)
    const { signal } = new AbortController()

    for (let count = 0; count < 6; count++) {
      await transport.putRecords(orders, records('a'), signal).catch(() => undefined)
    }

    await vi.waitFor(() => expect(getEventListeners(signal, 'abort')).toEqual([]))
  })

  it('ends when its signal says so', async () => {
    const sink = await rawSink((incoming) => incoming.resume())
    cleanups.push(() => sink.close())
    const transport = aTransport(sink.url)
    const abort = new AbortController()
    const request = transport.putRecords(orders, records('a'), abort.signal)
    setTimeout(() => abort.abort(), 50)

    expect(await failure(request)).toMatchObject({ kind: 'transient', maybeDelivered: true })
  })
})

describe('a body', () => {
  it('is not written over while the socket still reads it, though the answer is there', async () => {
    const sockets: Socket[] = []
    const answerText = storedAnswer(8)
    const server = createServer((socket) => {
      sockets.push(socket)
      // The answer comes before the request has been read, of which the kernel holds a part.
      socket.once('readable', () =>
        socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${answerText.length}\r\n\r\n${answerText}`),
      )
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    cleanups.push(() => server.close())
    const transport = aTransport(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    const large = (fill: number) =>
      Array.from({ length: 8 }, () => ({
        data: Buffer.alloc(1_000_000, fill),
        dataBytes: 1_000_000,
        partitionKey: 'a',
        explicitHashKey: undefined,
      }))

    for (let fill = 1; fill <= 3; fill++) await put(transport, large(fill))
    const received = await Promise.all(sockets.map(readRequest))

    expect(received).toHaveLength(3)
    for (const [index, body] of received.entries()) {
      const { Records } = JSON.parse(body) as { Records: { Data: string }[] }
      const expected = Buffer.alloc(1_000_000, index + 1).toString('base64')
      expect(Records.map(({ Data }) => Data === expected)).toEqual(Array(8).fill(true))
    }
  })

  it('is the right one in each of many requests that are under way together', async () => {
    const sink = await aSink()
    const transport = aTransport(sink.url)

    await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        put(transport, records(...Array(1 + (index % 50)).fill(`${index}`))),
      ),
    )

    expect(sink.requests).toHaveLength(200)
    for (const request of sink.requests) {
      expect(request.headers.authorization).toBe(expectedAuthorization(request))
    }
    const counts = sink.requests.map(({ json }) => {
      const texts = new Set(json.Records.map(({ Data }) => Buffer.from(Data, 'base64').toString()))
      expect(texts.size).toBe(1)
      return [Number([...texts][0]), json.Records.length] as const
    })
    for (const [index, count] of counts) expect(count).toBe(1 + (index % 50))
    expect(new Set(counts.map(([index]) => index)).size).toBe(200)
  })
})
