import { getEventListeners } from 'node:events'
import { ManualClock } from '@org/kinesis-core/testing'
import { describe, expect, it } from 'vitest'
import { TransportFault } from './put-records-transport.js'
import { TimedRequests } from './timed-requests.js'

const never = () => new Promise<never>(() => {})

describe('a timed request', () => {
  it('resolves with its answer, and leaves neither a timer nor a listener behind', async () => {
    const clock = new ManualClock()
    let signal: AbortSignal | undefined
    const answer = await new TimedRequests(clock).run(async (given) => {
      signal = given
      return ['answer']
    }, 1_000)

    expect(answer).toEqual(['answer'])
    expect(getEventListeners(signal!, 'abort')).toEqual([])
    await clock.advance(10_000)
    expect(signal!.aborted).toBe(false)
  })

  it('is given up, and told so, when its time has passed', async () => {
    const clock = new ManualClock()
    let signal: AbortSignal | undefined
    const request = new TimedRequests(clock).run((given) => {
      signal = given
      return never()
    }, 1_000)
    const failed = expect(request).rejects.toMatchObject({ reason: 'RequestTimeout', maybeDelivered: true })
    await clock.advance(1_000)

    await failed
    expect(signal!.aborted).toBe(true)
    expect(getEventListeners(signal!, 'abort')).toEqual([])
  })

  it('is given up with all others at once', async () => {
    const requests = new TimedRequests(new ManualClock())
    const all = Promise.allSettled([requests.run(never, 1_000), requests.run(never, 1_000)])
    requests.abortAll('ProducerClosed', 'closed')

    for (const outcome of await all) expect(outcome).toMatchObject({ reason: { reason: 'ProducerClosed' } })
  })

  it.each([
    ['undefined', undefined],
    ['null', null],
    ['an object', {}],
    ['a string', '[]'],
  ])('that resolves with %s is a fault after which the records may be delivered', async (_, value) => {
    const request = new TimedRequests(new ManualClock()).run(async () => value as never, 1_000)

    await expect(request).rejects.toMatchObject({
      kind: 'transient',
      reason: 'MalformedResponse',
      maybeDelivered: true,
    })
  })

  it('may have an answer that is no list, where its caller says which', async () => {
    const run = new TimedRequests(new ManualClock()).run(
      async () => ({ recordDistribution: 'auto' }),
      1_000,
      (value) => typeof value === 'object' && value !== null,
    )

    expect(await run).toEqual({ recordDistribution: 'auto' })
  })

  it.each([
    ['an error', new Error('boom'), /boom/],
    ['a string', 'boom', /boom/],
    ['nothing', undefined, /undefined/],
    ['an object that is no text', Object.create(null), /object/],
  ])('that throws %s is a fault after which the records may be delivered', async (_, thrown, message) => {
    const request = new TimedRequests(new ManualClock()).run(() => {
      throw thrown
    }, 1_000)

    const fault = await request.catch((error: unknown) => error)
    expect(fault).toBeInstanceOf(TransportFault)
    expect(fault).toMatchObject({ kind: 'transient', reason: 'TransportError', maybeDelivered: true })
    expect((fault as Error).message).toMatch(message)
  })
})
