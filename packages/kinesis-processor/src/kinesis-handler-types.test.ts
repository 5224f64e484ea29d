import { kinesisEvent, lambdaContext } from '@org/kinesis-core/testing'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { functionSink } from './function-sink.js'
import { MemoryRejectedSink, MemorySink } from './handler-fixture.js'
import { json } from './json-decoder.js'
import { kinesisHandler } from './kinesis-handler.js'

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
    for (const handler of handlers)
      await handler(kinesisEvent([{ data: { key: 'a', n: 1 } }]), lambdaContext())

    expect(numbers.stored).toEqual([1])
    expect(lines.stored).toEqual(['1.00', '1.00', '17'])
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
      // @ts-expect-error there is no rejected sink
      () => kinesisHandler({ decode: json(schema), steps: [({ key }) => key], sink }),
    ]

    expect(misfits).toHaveLength(4)
  })
})
