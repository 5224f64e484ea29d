import { InvalidOptionError } from '@org/kinesis-core'
import {
  expectCheckpoint,
  kinesisEvent,
  lambdaContext,
  ManualClock,
  type TestRecord,
} from '@org/kinesis-core/testing'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type BatchStepOptions, type BatchStepResult, batchStep } from './batch-step.js'
import { PermanentError } from './errors.js'
import { MemoryRejectedSink, MemorySink, runOn } from './handler-fixture.js'
import { json } from './json-decoder.js'
import { kinesisHandler } from './kinesis-handler.js'

const schema = z.object({ key: z.string(), n: z.number() })
type Order = z.infer<typeof schema>
const order = (key: string, n: number): TestRecord => ({ partitionKey: key, data: { key, n } })
const names = (orders: readonly Order[]) => orders.map(({ key, n }) => `${key}${n}`)

type Lookup = (
  orders: readonly Order[],
) => readonly BatchStepResult<Order>[] | Promise<BatchStepResult<Order>[]>

/** Runs one invocation with a step for many between two for one, and notes the calls of it. */
async function invoke(records: TestRecord[], lookup: Lookup, options: BatchStepOptions = {}) {
  const clock = new ManualClock()
  const calls: string[][] = []
  const before: string[] = []
  const after: string[] = []
  const sink = new MemorySink<Order>()
  const rejected = new MemoryRejectedSink()
  const handler = kinesisHandler({
    decode: json(schema),
    steps: [
      (value: Order) => {
        before.push(`${value.key}${value.n}`)
        return value
      },
      batchStep((values: readonly Order[]) => {
        calls.push(names(values))
        return lookup(values)
      }, options),
      (value: Order) => {
        after.push(`${value.key}${value.n}`)
        return value
      },
    ],
    sink,
    rejected,
    onUnresolved: () => {},
    random: () => 0.5,
    clock,
  })
  const event = kinesisEvent(records)
  const response = await runOn(clock, handler(event, lambdaContext({ clock })))
  return { calls, before, after, sink, rejected, checkpoint: expectCheckpoint(response, event) }
}

describe('a step for many records', () => {
  it('sees the values of a batch in stream order, and gives each its own result', async () => {
    const { calls, sink, checkpoint } = await invoke(
      [order('a', 1), order('b', 2), order('a', 3)],
      (orders) => orders.map((value) => ({ ...value, n: value.n * 10 })),
    )

    expect(calls).toEqual([['a1', 'b2', 'a3']])
    expect(names(sink.stored)).toEqual(['a10', 'b20', 'a30'])
    checkpoint.atEnd()
  })

  it('gets no more than maxBatchRecords in a call', async () => {
    const records = Array.from({ length: 7 }, (_, n) => order(`key-${n}-`, n))

    const { calls, sink } = await invoke(records, (orders) => orders, {
      maxBatchRecords: 3,
      maxConcurrency: 1,
    })

    expect(calls.map(({ length }) => length)).toEqual([3, 3, 1])
    expect(sink.stored).toHaveLength(7)
  })

  it('is called so many times at once, and never for two records of one key', async () => {
    const clock = new ManualClock()
    const running = new Set<string>()
    let most = 0
    let calls = 0
    const handler = kinesisHandler({
      decode: json(schema),
      steps: [
        batchStep(
          async (orders: readonly Order[]) => {
            const keys = [...new Set(orders.map(({ key }) => key))]
            for (const key of keys) expect(running.has(key)).toBe(false)
            for (const key of keys) running.add(key)
            most = Math.max(most, ++calls)
            await new Promise<void>((resolve) => clock.schedule(10, resolve))
            calls--
            for (const key of keys) running.delete(key)
            return orders
          },
          { maxBatchRecords: 2, maxConcurrency: 3 },
        ),
      ],
      sink: new MemorySink<Order>(),
      rejected: new MemoryRejectedSink(),
      clock,
    })

    const records = Array.from({ length: 30 }, (_, n) => order(`key-${n % 5}`, n))
    await runOn(clock, handler(kinesisEvent(records), lambdaContext({ clock })))

    expect(most).toBe(3)
  })

  it('drops what it answers with undefined, and rejects what it answers with a PermanentError', async () => {
    const { sink, rejected, checkpoint } = await invoke(
      [order('a', 1), order('a', 2), order('a', 3), order('a', 4)],
      (orders) =>
        orders.map((value) => {
          if (value.n === 2) return undefined
          return value.n === 3 ? new PermanentError('no such customer') : value
        }),
    )

    expect(names(sink.stored)).toEqual(['a1', 'a4'])
    expect(rejected.records.map(({ reasonCode, errors }) => [reasonCode, errors[0]?.message])).toEqual([
      ['rejected-by-step', 'no such customer'],
    ])
    checkpoint.atEnd()
  })

  it('tries one record again alone, from its bytes, and nothing of its key goes on meanwhile', async () => {
    let isFirst = true
    const { calls, before, after, sink } = await invoke(
      [order('a', 1), order('b', 2), order('a', 3), order('b', 4)],
      (orders) =>
        orders.map((value) => {
          if (value.n !== 1 || !isFirst) return value
          isFirst = false
          return new Error('no answer')
        }),
    )

    expect(calls).toEqual([['a1', 'b2', 'a3', 'b4'], ['a1']])
    expect(before).toEqual(['a1', 'a3', 'b2', 'b4', 'a1'])
    expect(after).toEqual(['b2', 'b4', 'a1', 'a3'])
    expect(sink.writes.map(names)).toEqual([
      ['b2', 'b4'],
      ['a1', 'a3'],
    ])
  })

  it('leaves what it never answers for unresolved, with its key, and no other', async () => {
    const { calls, sink, checkpoint } = await invoke(
      [order('b', 1), order('a', 2), order('b', 3), order('a', 4)],
      (orders) => orders.map((value) => (value.n === 2 ? new Error('no answer') : value)),
    )

    expect(calls).toHaveLength(3)
    expect(names(sink.stored)).toEqual(['b1', 'b3'])
    checkpoint.at(1)
  })

  it('does not call again for a key whose record failed in the call before', async () => {
    const { calls } = await invoke(
      [order('a', 1), order('b', 2), order('a', 3), order('b', 4)],
      (orders) => orders.map((value) => (value.key === 'a' ? new Error('no answer') : value)),
      { maxBatchRecords: 2, maxConcurrency: 1 },
    )

    expect(calls).toEqual([['a1', 'b2'], ['b4'], ['a1', 'a3'], ['a1', 'a3']])
  })

  it('fails for all where it throws, and all of them try again together', async () => {
    let failures = 2
    const { calls, sink, checkpoint } = await invoke(
      [order('a', 1), order('b', 2), order('c', 3)],
      async (orders) => {
        if (failures-- > 0) throw new Error('the directory is down')
        return [...orders]
      },
    )

    expect(calls).toEqual([
      ['a1', 'b2', 'c3'],
      ['a1', 'b2', 'c3'],
      ['a1', 'b2', 'c3'],
    ])
    expect(names(sink.stored)).toEqual(['a1', 'b2', 'c3'])
    checkpoint.atEnd()
  })

  it('rejects all where it throws a PermanentError', async () => {
    const { rejected, checkpoint } = await invoke([order('a', 1), order('b', 2)], () => {
      throw new PermanentError('these will never do')
    })

    expect(rejected.records).toHaveLength(2)
    checkpoint.atEnd()
  })

  it.each([
    ['too few results', () => []],
    ['no list', () => undefined as never],
    ['what is no error', () => Promise.reject('gone')],
  ])('counts %s as its failure', async (_, lookup) => {
    const { sink, checkpoint } = await invoke([order('a', 1)], lookup)

    expect(sink.stored).toEqual([])
    checkpoint.at(0)
  })

  it('may stand first, last and behind another', async () => {
    const sink = new MemorySink<string>()
    const handler = kinesisHandler({
      decode: json(schema),
      steps: [
        batchStep((orders: readonly Order[]) => orders.map(({ n }) => n)),
        batchStep((numbers: readonly number[]) => numbers.map((n) => n.toFixed(1))),
      ],
      sink,
      rejected: new MemoryRejectedSink(),
    })

    await handler(kinesisEvent([order('a', 1), order('b', 2)]), lambdaContext())

    expect(sink.stored).toEqual(['1.0', '2.0'])
  })

  it('hands over the positions beside the values', async () => {
    const seen: string[] = []
    const handler = kinesisHandler({
      decode: json(schema),
      steps: [
        batchStep((orders: readonly Order[], positions) => {
          seen.push(...positions.map(({ partitionKey }) => partitionKey))
          return orders
        }),
      ],
      sink: new MemorySink<Order>(),
      rejected: new MemoryRejectedSink(),
    })

    await handler(kinesisEvent([order('a', 1), order('b', 2)]), lambdaContext())

    expect(seen).toEqual(['a', 'b'])
  })

  it('refuses options that cannot work', () => {
    expect(() => batchStep(undefined as never)).toThrow(InvalidOptionError)
    expect(() => batchStep(() => [], { maxBatchRecords: 0 })).toThrow(/maxBatchRecords/)
    expect(() => batchStep(() => [], { size: 3 } as never)).toThrow(/size/)
  })
})
