import { InvalidOptionError } from '@org/kinesis-core'
import { expectCheckpoint, kinesisEvent, lambdaContext, type TestRecord } from '@org/kinesis-core/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { allOf } from './all-of.js'
import { PermanentError } from './errors.js'
import { instantClock, MemoryRejectedSink, MemorySink } from './handler-fixture.js'
import { kinesisHandler } from './kinesis-handler.js'
import { text } from './plain-decoders.js'
import { route } from './route.js'
import type { Sink, SinkRecord } from './sink.js'

const records = (...values: string[]): TestRecord[] =>
  values.map((data) => ({ partitionKey: data[0]!, data }))

async function invoke(sink: Sink<string>, values: readonly string[]) {
  const rejected = new MemoryRejectedSink()
  const handler = kinesisHandler({
    decode: text(),
    sink,
    rejected,
    clock: instantClock(),
    onUnresolved: () => {},
  })
  const event = kinesisEvent(records(...values))
  const response = await handler(event, lambdaContext())
  const first = response.batchItemFailures[0]?.itemIdentifier
  return {
    checkpoint: expectCheckpoint(response, event),
    stoppedAt: event.Records.findIndex(({ kinesis }) => kinesis.sequenceNumber === first),
    rejected: rejected.records.map(({ payload }) => Buffer.from(payload, 'base64').toString()),
  }
}

const failing = (value: string, times = Number.POSITIVE_INFINITY, error: unknown = new Error('down')) => {
  let left = times
  return (record: SinkRecord<string>) => (record.value === value && left-- > 0 ? error : undefined)
}

describe('allOf', () => {
  it('writes every record to every sink, one sink after the other', async () => {
    const [first, second] = [new MemorySink<string>(), new MemorySink<string>()]

    const { checkpoint } = await invoke(allOf(first, second), ['a1', 'b1', 'a2'])

    expect([first.writes, second.writes]).toEqual([[['a1', 'b1', 'a2']], [['a1', 'b1', 'a2']]])
    checkpoint.atEnd()
  })

  it('does not write again to a sink what it has, where another fails, and holds the key back', async () => {
    const first = new MemorySink<string>()
    const second = new MemorySink<string>(failing('a1', 1))

    const { checkpoint } = await invoke(allOf(first, second), ['a1', 'b1', 'a2'])

    expect(first.writes).toEqual([['a1', 'b1', 'a2']])
    expect(second.stored).toEqual(['b1', 'a1', 'a2'])
    checkpoint.atEnd()
  })

  it('hands the second only what the first has taken', async () => {
    const first = new MemorySink<string>(failing('a1'))
    const second = new MemorySink<string>()

    const { checkpoint } = await invoke(allOf(first, second), ['b1', 'a1', 'a2'])

    expect(second.stored).toEqual(['b1'])
    checkpoint.at(1)
  })

  it('stops at the record that one of them never takes', async () => {
    const first = new MemorySink<string>()
    const second = new MemorySink<string>(failing('a2'))

    const { checkpoint } = await invoke(allOf(first, second), ['a1', 'a2', 'b1', 'a3'])

    expect(second.stored).toEqual(['a1', 'b1'])
    checkpoint.at(1)
  })

  it('rejects what one of them can never take, and the key goes on', async () => {
    const first = new MemorySink<string>(failing('a1', 9, new PermanentError('too large')))
    const second = new MemorySink<string>()

    const { checkpoint, rejected } = await invoke(allOf(first, second), ['a1', 'a2'])

    expect(rejected).toEqual(['a1'])
    expect(second.stored).toEqual(['a2'])
    checkpoint.atEnd()
  })

  it('counts a sink that throws as one that took nothing', async () => {
    const first = new MemorySink<string>()
    const second: Sink<string> = { write: () => Promise.reject(new Error('down')) }

    const { checkpoint } = await invoke(allOf(first, second), ['a1', 'b1'])

    expect(first.writes).toEqual([['a1', 'b1']])
    checkpoint.at(0)
  })

  it('refuses one sink, and what is none', () => {
    expect(() => allOf(...([new MemorySink()] as never as [Sink<unknown>, Sink<unknown>]))).toThrow(
      InvalidOptionError,
    )
    expect(() => allOf(new MemorySink(), {} as never)).toThrow(/Pass sinks/)
  })
})

describe('route', () => {
  const byLast = (value: string) => (value.endsWith('x') ? 'x' : 'y')

  it('hands each record to its sink, and both in one write each where no key changes its way', async () => {
    const [x, y] = [new MemorySink<string>(), new MemorySink<string>()]

    await invoke(route(byLast, { x, y }), ['a1x', 'b1y', 'a2x', 'b2y'])

    expect([x.writes, y.writes]).toEqual([[['a1x', 'a2x']], [['b1y', 'b2y']]])
  })

  it('writes nothing of a key to one sink while another has failed to take an earlier record of it', async () => {
    const x = new MemorySink<string>(failing('a1x'))
    const y = new MemorySink<string>()

    const { checkpoint } = await invoke(route(byLast, { x, y }), ['b1y', 'a1x', 'a2y', 'b2x'])

    expect(y.stored).toEqual(['b1y'])
    expect(x.stored).toEqual(['b2x'])
    checkpoint.at(1)
  })

  it('rejects what has no sink, by any name, and goes on', async () => {
    const x = new MemorySink<string>()
    const sink = route((value: string) => value.slice(1) as 'x', { x })

    const { checkpoint, rejected } = await invoke(sink, ['ax', 'a__proto__', 'atoString', 'ax'])

    expect(rejected).toEqual(['a__proto__', 'atoString'])
    expect(x.stored).toEqual(['ax', 'ax'])
    checkpoint.atEnd()
  })

  it('tries again what pick throws, and rejects what it throws for good', async () => {
    const x = new MemorySink<string>()
    let failures = 1
    const sink = route(
      (value: string): 'x' => {
        if (value === 'a1' && failures-- > 0) throw new Error('not yet')
        if (value === 'a2') throw new PermanentError('nowhere')
        return 'x'
      },
      { x },
    )

    const { checkpoint, rejected } = await invoke(sink, ['a1', 'a2', 'a3'])

    expect(x.stored).toEqual(['a1', 'a3'])
    expect(rejected).toEqual(['a2'])
    checkpoint.atEnd()
  })

  it('refuses no sinks, and what is none', () => {
    expect(() => route(() => 'x' as never, {})).toThrow(InvalidOptionError)
    expect(() => route(() => 'x', { x: undefined as never })).toThrow(/sinks\.x/)
  })
})

describe('sinks that are put together', () => {
  it('keep the order of each key in each of them, and hold nothing back that can be stored', async () => {
    const value = fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('x', 'y'))
    await fc.assert(
      fc.asyncProperty(
        fc.array(value, { maxLength: 30 }),
        fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
        async (list, draws) => {
          const values = list.map(([key, way], n) => `${key}${n}${way}`)
          const flaky = () =>
            new MemorySink<string>(() => (draws.next().value! < 0.2 ? new Error('busy') : undefined))
          const [all, x, y] = [flaky(), flaky(), flaky()]
          const sink = allOf(
            all,
            route((of: string) => (of.endsWith('x') ? 'x' : 'y'), { x, y }),
          )

          const { stoppedAt } = await invoke(sink, values)

          for (const { stored } of [all, x, y]) {
            expect(new Set(stored).size).toBe(stored.length)
            for (const key of ['a', 'b', 'c']) {
              const ofKey = stored.filter((stored) => stored.startsWith(key))
              expect(ofKey).toEqual(values.filter((of) => ofKey.includes(of)))
            }
          }
          const done = stoppedAt < 0 ? values : values.slice(0, stoppedAt)
          expect(all.stored).toEqual(expect.arrayContaining(done))
          expect([...x.stored, ...y.stored]).toEqual(expect.arrayContaining(done))
        },
      ),
      { numRuns: 300 },
    )
  })
})
