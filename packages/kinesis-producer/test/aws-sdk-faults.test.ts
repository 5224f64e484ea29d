import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import type { TransportFault } from '../src/put-records-transport.js'
import { answer, storedAnswer } from './http-sink.js'
import {
  aService,
  aSink,
  aTransport,
  type FaultAction,
  failure,
  orders,
  put,
  records,
} from './transport-under-test.js'

describe.each([
  ['the first request', 1],
  ['a later request', 3],
])('a fault of %s', (_, faulty) => {
  async function faultOf(local: { url: string }, stream = orders): Promise<TransportFault> {
    const transport = aTransport(local.url)
    for (let call = 1; call < faulty; call++) await put(transport, records('a'))
    return failure(put(transport, records('b'), stream))
  }
  const answeringWith = (respond: (response: ServerResponse) => void) => {
    let calls = 0
    return aSink((request, response) => {
      if (++calls < faulty) answer(response, storedAnswer(request.json.Records.length))
      else respond(response)
    })
  }
  const withFault = (fault: FaultAction) => aService({}, (call) => (call === faulty ? fault : undefined))

  it.each<[FaultAction & object, Partial<TransportFault>]>([
    [{ kind: 'throttle' }, { kind: 'throttled', maybeDelivered: false }],
    [{ kind: 'error500' }, { kind: 'transient', reason: 'InternalFailure', maybeDelivered: true }],
    [{ kind: 'reset-before' }, { kind: 'transient', reason: 'ECONNRESET', maybeDelivered: true }],
    [{ kind: 'reset-after' }, { kind: 'transient', reason: 'ECONNRESET', maybeDelivered: true }],
    [{ kind: 'reset-amid' }, { kind: 'transient', reason: 'ECONNRESET', maybeDelivered: true }],
    [{ kind: 'truncate' }, { kind: 'transient', reason: 'SyntaxError', maybeDelivered: true }],
  ])('says what %o was, and the next request is a success', async (fault, expected) => {
    const local = await withFault(fault)
    const transport = aTransport(local.url)
    for (let call = 1; call < faulty; call++) await put(transport, records('a'))

    expect(await failure(put(transport, records('b')))).toMatchObject(expected)
    expect(await put(transport, records('c'))).toHaveLength(1)
    expect(await put(transport, records('d'))).toHaveLength(1)
  })

  it('says that the stream is missing', async () => {
    const fault = await faultOf(await aService(), { streamName: 'nowhere' })

    expect(fault).toMatchObject({
      kind: 'rejected',
      reason: 'ResourceNotFoundException',
      maybeDelivered: false,
    })
    expect(fault.message).toContain('The stream nowhere was not found')
  })

  it('says that a permission is missing, and which', async () => {
    const sink = await answeringWith((response) =>
      answer(response, '{"__type":"AccessDeniedException","Message":"not authorized"}', 400),
    )

    const fault = await faultOf(sink)
    expect(fault).toMatchObject({ kind: 'rejected', reason: 'AccessDeniedException' })
    expect(fault.message).toContain('Allow kinesis:PutRecords on the stream, and kms:GenerateDataKey')
  })

  it.each([
    ['has no end', 200],
    ['is an error without end', 500],
  ])('is an answer that %s', async (_, status) => {
    const sink = await answeringWith((response) => {
      response.writeHead(status)
      const more = setInterval(() => response.write('x'.repeat(1_000_000)), 1)
      response.on('close', () => clearInterval(more))
    })

    const fault = await faultOf(sink)
    expect(fault).toMatchObject({ kind: 'transient', reason: 'ERR_ANSWER_TOO_LONG', maybeDelivered: true })
  })

  it('is an answer of a proxy, which is no JSON', async () => {
    const sink = await answeringWith((response) => answer(response, '<html>Bad gateway</html>', 502))

    expect(await faultOf(sink)).toMatchObject({ kind: 'transient', maybeDelivered: true })
  })
})
