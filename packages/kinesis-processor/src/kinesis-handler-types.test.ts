import { kinesisEvent, lambdaContext } from '@org/kinesis-core/testing'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { allOf } from './all-of.js'
import { batchStep } from './batch-step.js'
import { functionSink } from './function-sink.js'
import { MemoryRejectedSink, MemorySink } from './handler-fixture.js'
import { json } from './json-decoder.js'
import { kinesisHandler } from './kinesis-handler.js'
import { limited } from './limited.js'
import { text } from './plain-decoders.js'
import { route } from './route.js'

const schema = z.object({ key: z.string(), n: z.number() })
const rejected = new MemoryRejectedSink()

/** The compiler is the test here: it must accept the first group, and refuse the second. */
describe('the types of a handler', () => {
  it('flow from the decoder through the steps into the sink', async () => {
    const lines = new MemorySink<string>()
    const numbers = new MemorySink<number>()

    const handlers = [
      kinesisHandler({ decode: json(schema), steps: [({ n }) => n], sink: numbers, rejected }),
      kinesisHandler({
        decode: json(schema),
        steps: [async (value) => value.n, (n) => n.toFixed(2)],
        sink: lines,
        rejected,
      }),
      kinesisHandler({
        decode: json(schema),
        steps: [({ n }) => n, (n: number) => n.toFixed(2)],
        sink: lines,
        rejected,
      }),
      kinesisHandler({
        decode: (data) => data.byteLength,
        steps: [
          (n) => n,
          (n) => (n > 3 ? n : undefined),
          async (n) => [n],
          ([n]) => n,
          (n) => n,
          (n) => `${n}`,
        ],
        sink: lines,
        rejected,
      }),
      kinesisHandler({
        decode: json(schema),
        sink: functionSink((value: { n: number }) => value.n),
        rejected,
      }),
    ]
    handlers.push(
      kinesisHandler({
        decode: json(schema),
        steps: [
          ({ n }) => n,
          batchStep(async (counts: readonly number[]) => counts.map((n) => (n > 3 ? undefined : `${n}`))),
          limited(async (line: string) => line.trim(), { maxConcurrency: 2 }),
        ],
        sink: allOf(
          lines,
          route((line: string) => (line === '' ? 'empty' : 'full'), { empty: lines, full: lines }),
        ),
        rejected,
      }),
    )
    for (const handler of handlers)
      await handler(kinesisEvent([{ data: { key: 'a', n: 1 } }]), lambdaContext())

    expect(numbers.stored).toEqual([1])
    expect(lines.stored).toEqual(['1.00', '1.00', '17', '1', '1'])
  })

  it('refuse parts that do not fit', () => {
    const sink = new MemorySink<string>()

    const misfits = [
      // @ts-expect-error the sink takes text, and the step gives numbers
      () => kinesisHandler({ decode: json(schema), steps: [(value) => value.n], sink, rejected }),
      // @ts-expect-error the sink takes text, and the decoder gives objects
      () => kinesisHandler({ decode: json(schema), sink, rejected }),
      () =>
        kinesisHandler({
          decode: json(schema),
          // @ts-expect-error the second step takes text, and gets numbers
          steps: [(value) => value.n, (text: string) => text],
          sink,
          rejected,
        }),
      () =>
        kinesisHandler({
          decode: json(schema),
          // @ts-expect-error the step for many takes text, and gets objects
          steps: [batchStep((texts: readonly string[]) => texts)],
          sink,
          rejected,
        }),
      // @ts-expect-error one of the sinks takes numbers
      () => kinesisHandler({ decode: text(), sink: allOf(sink, new MemorySink<number>()), rejected }),
      // @ts-expect-error there is no sink for what it may say
      () => route((value: string) => (value === '' ? 'empty' : 'full'), { full: sink }),
      // @ts-expect-error there is no rejected sink
      () => kinesisHandler({ decode: json(schema), steps: [({ key }) => key], sink }),
    ]

    expect(misfits).toHaveLength(7)
  })
})
