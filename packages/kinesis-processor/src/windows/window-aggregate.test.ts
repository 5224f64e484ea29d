import { InvalidOptionError } from '@org/kinesis-core'
import { lambdaContext } from '@org/kinesis-core/testing'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { PermanentError } from '../errors.js'
import { instantClock, MemorySink } from '../handler-fixture.js'
import type { Decoder } from '../json-decoder.js'
import { parseJson } from '../json-decoder.js'
import { count, maximum, minimum, type Stats, stats, sum } from './measures.js'
import { tumblingWindows } from './tumbling-windows.js'
import { reducer, type WindowAggregates } from './window-aggregate.js'
import { windowEvent } from './window-fixture.js'
import { mergeWindowPartials, type WindowPartial } from './window-partial.js'

interface Request {
  path: string
  latencyMs: number
  bytes?: number
}

const decode = parseJson as Decoder<Request>
const paths = reducer({
  initial: () => [] as string[],
  add: (known, { path }: Request) => [...known, path],
  merge: (a, b) => [...a, ...b],
  maxBytes: 30,
})

function windowsOf<A extends WindowAggregates<Request>>(aggregates: A) {
  const emit = new MemorySink<WindowPartial<A>>()
  const key = () => 'all'
  const handler = tumblingWindows({ decode, key, aggregates, emit, clock: instantClock() })
  const run = (requests: Request[], state: Record<string, unknown> = {}, final = true) =>
    handler(
      windowEvent(
        requests.map((data) => ({ data })),
        { state, final },
      ),
      lambdaContext(),
    )
  return { emit, handler, run }
}

describe('aggregates', () => {
  it('measure several things of one event, each by its name and with its type', async () => {
    const aggregates = {
      latency: stats(({ latencyMs }: Request) => latencyMs),
      bytes: sum(({ bytes }: Request) => bytes),
      slow: count(({ latencyMs }: Request) => latencyMs > 100),
      fastest: minimum(({ latencyMs }: Request) => latencyMs),
      largest: maximum(({ bytes }: Request) => bytes),
      paths,
    }
    const { emit, run } = windowsOf(aggregates)

    await run([
      { path: '/', latencyMs: 50 },
      { path: '/buy', latencyMs: 250, bytes: 7 },
    ])

    expect(emit.stored).toMatchObject([
      {
        count: 2,
        aggregates: {
          latency: { count: 2, sum: 300, average: 150, minimum: 50, maximum: 250 },
          bytes: 7,
          slow: 1,
          fastest: 50,
          largest: 7,
          paths: ['/', '/buy'],
        },
      },
    ])
    expectTypeOf(emit.stored[0]!.aggregates).toEqualTypeOf<{
      latency: Stats
      bytes: number
      slow: number
      fastest: number | null
      largest: number | null
      paths: string[]
    }>()
  })

  it('are none by default: a window has its count', async () => {
    const { emit, run } = windowsOf({})

    await run([{ path: '/', latencyMs: 1 }])

    expect(emit.stored).toMatchObject([{ count: 1, aggregates: {} }])
  })

  it('count an event all, or none of them where one can never take it', async () => {
    const aggregates = {
      latency: sum(({ latencyMs }: Request) => latencyMs),
      picky: reducer({
        initial: () => 0,
        add: (total, { path }: Request) => {
          if (path === '/') throw new PermanentError('not this one')
          return total + 1
        },
        merge: (a, b) => a + b,
      }),
    }
    const { emit, run } = windowsOf(aggregates)

    await run([
      { path: '/', latencyMs: 5 },
      { path: '/buy', latencyMs: 7 },
    ])

    expect(emit.stored).toMatchObject([{ count: 1, aggregates: { latency: 7, picky: 1 } }])
  })

  it('are read by name from a state that an earlier deployment left', async () => {
    const before = windowsOf({ gone: count<Request>(), latency: sum(({ latencyMs }: Request) => latencyMs) })
    const after = windowsOf({ latency: sum(({ latencyMs }: Request) => latencyMs), added: count<Request>() })

    const { state } = await before.run([{ path: '/', latencyMs: 5 }], {}, false)
    await after.run([{ path: '/', latencyMs: 7 }], state)

    expect(after.emit.stored).toMatchObject([{ count: 2, aggregates: { latency: 12, added: 1 } }])
    expect(after.emit.stored[0]!.aggregates).not.toHaveProperty('gone')
  })
})

describe('a reducer whose state outgrows its bound', () => {
  it('emits the partial of its key alone, and begins anew', async () => {
    const aggregates = { paths }
    const emit = new MemorySink<WindowPartial<typeof aggregates>>()
    const key = ({ path }: Request) => path
    const handler = tumblingWindows({ decode, key, aggregates, emit })
    const requests = ['/other', ...Array.from({ length: 7 }, () => '/long-path')]

    const { state } = await handler(
      windowEvent(requests.map((path) => ({ data: { path, latencyMs: 1 } }))),
      lambdaContext(),
    )
    expect(emit.stored.map(({ key, count }) => [key, count])).toEqual([
      ['/long-path', 3],
      ['/long-path', 3],
    ])
    await handler(windowEvent([], { state, final: true }), lambdaContext())

    expect(mergeWindowPartials(emit.stored, aggregates)).toMatchObject([
      { key: '/long-path', count: 7, aggregates: { paths: requests.slice(1) } },
      { key: '/other', count: 1 },
    ])
  })

  it('counts towards the bound of the whole state', async () => {
    const emit = new MemorySink<WindowPartial<object>>()
    const large = reducer({ ...paths, maxBytes: 5_000 })
    const key = ({ latencyMs }: Request) => String(latencyMs)
    const handler = tumblingWindows({ decode, key, aggregates: { large }, emit, maxStateBytes: 4_000 })

    let state: Record<string, unknown> = {}
    for (let n = 0; n < 50; n += 1) {
      const event = windowEvent([{ data: { path: '🕐"'.repeat(100), latencyMs: n } }], { state })
      ;({ state } = await handler(event, lambdaContext()))
      expect(Buffer.byteLength(JSON.stringify(state))).toBeLessThanOrEqual(4_000)
    }
    expect(emit.stored.length).toBeGreaterThan(30)
  })

  it('fails the invocation where it makes no JSON at all', async () => {
    const { run } = windowsOf({
      forgetful: reducer({
        initial: () => 0,
        add: () => undefined as never,
        merge: (a: number, b: number) => a + b,
      }),
    })

    await expect(run([{ path: '/', latencyMs: 1 }])).rejects.toThrow(/forgetful made a state that is no JSON/)
  })
})

describe('wrong aggregates', () => {
  const add = (state: unknown) => state
  const merge = add

  const wrong: [string, unknown, RegExp][] = [
    ['no object', 7, /aggregates/],
    ['a list', [], /aggregates/],
    ['no reducer', { amount: (n: number) => n }, /aggregates\.amount.*no initial\(\)/],
    ['no merge', { amount: { initial: () => 0, add } }, /no merge\(\)/],
    [
      'a state that is no JSON',
      { names: { initial: () => new Set(), add, merge } },
      /names\.initial.*survive as JSON/,
    ],
    ['a state that is undefined', { names: { initial: () => undefined, add, merge } }, /survive as JSON/],
    [
      'a bound beyond any',
      { amount: { initial: () => 0, add, merge, maxBytes: 200_000 } },
      /amount\.maxBytes/,
    ],
    ['two bounds', { amount: { initial: () => 0, add, merge, maxBytes: 1, fixedBytes: 1 } }, /leave one out/],
  ]

  it.each(wrong)('are refused at once: %s', (_, aggregates, message) => {
    const make = () =>
      tumblingWindows({ decode, key: () => '', emit: new MemorySink(), aggregates: aggregates as never })

    expect(make).toThrow(InvalidOptionError)
    expect(make).toThrow(message)
  })

  it('are those of another event, which the compiler knows', () => {
    const of = { amount: sum(({ amount }: { amount: number }) => amount) }
    const others = { decode, key: () => '', emit: new MemorySink<unknown>() }

    // @ts-expect-error a Request has no amount
    expect(tumblingWindows({ ...others, aggregates: of })).toBeTypeOf('function')
  })
})
