import { KinesisClient } from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { describe, expect, it } from 'vitest'
import { credentials, expectedAuthorization } from './http-sink.js'
import { aSink, aTransport, cleanups, put, records, sequenceNumbers } from './transport-under-test.js'

describe("a client of the caller's", () => {
  function aClient(endpoint: string): KinesisClient {
    const client = new KinesisClient({
      endpoint,
      region: 'us-east-1',
      credentials,
      requestHandler: new NodeHttpHandler(),
    })
    cleanups.push(() => client.destroy())
    return client
  }

  it('has its middleware run for every request, with the body that is sent', async () => {
    const sink = await aSink()
    const client = aClient(sink.url)
    const seen: number[] = []
    client.middlewareStack.add(
      (next) => (args) => {
        const request = args.request as { headers: Record<string, string>; body: Buffer }
        request.headers['x-request-number'] = String(seen.push(request.body.length))
        return next(args)
      },
      { step: 'build' },
    )
    const transport = aTransport(sink.url, { client })

    for (const text of ['a', 'bb', 'ccc']) await put(transport, records(text))

    expect(sink.requests.map(({ headers }) => headers['x-request-number'])).toEqual(['1', '2', '3'])
    expect(seen).toEqual(sink.requests.map(({ body }) => body.length))
    for (const request of sink.requests) {
      expect(request.headers.authorization).toBe(expectedAuthorization(request))
    }
  })

  it('may answer by itself', async () => {
    const sink = await aSink()
    const client = aClient(sink.url)
    client.middlewareStack.add(
      () => async () => ({
        response: {},
        output: {
          $metadata: {},
          Records: [{ ShardId: 'shardId-1', SequenceNumber: '9' }, { ErrorCode: 'InternalFailure' }],
        } as never,
      }),
      { step: 'initialize' },
    )

    expect(await put(aTransport(sink.url, { client }), records('a', 'b'))).toEqual([
      { shardId: 'shardId-1', sequenceNumber: '9', errorCode: undefined, errorMessage: undefined },
      {
        shardId: undefined,
        sequenceNumber: undefined,
        errorCode: 'InternalFailure',
        errorMessage: undefined,
      },
    ])
    expect(sink.requests).toEqual([])
  })

  it('may have a handler whose answers are no streams of Node', async () => {
    const sink = await aSink()
    const client = aClient(sink.url)
    const inner = new NodeHttpHandler()
    client.config.requestHandler = {
      ...inner,
      metadata: { handlerProtocol: 'http/1.1' },
      handle: async (...args: Parameters<NodeHttpHandler['handle']>) => {
        const { response } = await inner.handle(...args)
        return { response: Object.assign(response, { body: new Response(response.body).body }) }
      },
    } as never
    const transport = aTransport(sink.url, { client })

    expect(sequenceNumbers(await put(transport, records('a', 'b')))).toEqual(['1', '2'])
    expect(sequenceNumbers(await put(transport, records('a')))).toEqual(['1'])
  })
})
