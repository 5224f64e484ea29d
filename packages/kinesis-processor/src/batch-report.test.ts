import {
  aggregated,
  expectCheckpoint,
  kinesisEvent,
  lambdaContext,
  ManualClock,
  type TestRecord,
} from '@org/kinesis-core/testing'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import type { BatchReport } from './batch-report.js'
import { MemoryRejectedSink, MemorySink, runOn } from './handler-fixture.js'
import type { KinesisHandlerOptions } from './handler-options.js'
import { json } from './json-decoder.js'
import { kinesisHandler } from './kinesis-handler.js'

const schema = z.object({ key: z.string(), n: z.number() })
type Order = z.infer<typeof schema>
const order = (key: string, n: number): TestRecord => ({ partitionKey: key, data: { key, n } })

const aggregate = (...members: { key: string; n: number; producer?: [string, number] }[]): TestRecord => ({
  data: aggregated(
    members.map(({ key, n, producer }) => ({
      ...order(key, n),
      ...(producer === undefined ? {} : { producer: { producerId: producer[0], sequence: producer[1] } }),
    })),
  ),
})

async function reportOf(records: TestRecord[], options: Partial<KinesisHandlerOptions<Order>> = {}) {
  const clock = new ManualClock()
  const reports: BatchReport[] = []
  const sink = new MemorySink<Order>()
  const handler = kinesisHandler<Order>({
    decode: json(schema),
    sink,
    rejected: new MemoryRejectedSink(),
    onUnresolved: () => {},
    onBatch: (report) => reports.push(report),
    clock,
    random: () => 0.5,
    ...options,
  })
  const invoke = () => runOn(clock, handler(kinesisEvent(records), lambdaContext({ clock })))
  const response = await invoke()
  expect(reports).toHaveLength(1)
  return { report: reports[0]!, reports, sink, invoke, clock, response }
}

describe('the report of a batch', () => {
  it('says what became of each record', async () => {
    const { report } = await reportOf(
      [
        order('a', 1),
        { data: 'no json' },
        { data: { key: 'a' } },
        order('b', 2),
        order('c', 3),
        order('c', 4),
      ],
      {
        sink: new MemorySink<Order>(({ value }) => (value.n === 3 ? new Error('busy') : undefined)),
        decode: async (data) => {
          const value = await json(schema)(data)
          return value.n === 2 ? (undefined as never) : value
        },
      },
    )

    expect(report).toMatchObject({
      received: 6,
      stored: 1,
      rejected: 2,
      dropped: 1,
      deduplicated: 0,
      unresolved: 2,
      retried: 2,
      checkpointAdvance: 4,
      rejectedByReason: { undecodable: 1, invalid: 1 },
    })
  })

  it('tells its times by the clock that was given', async () => {
    const clock = new ManualClock()
    const slow = (ms: number) => new Promise<void>((resolve) => clock.schedule(ms, resolve))
    const reports: BatchReport[] = []
    const handler = kinesisHandler<Order>({
      decode: async (data) => {
        await slow(30)
        return json(schema)(data)
      },
      sink: {
        write: async (records) => {
          await slow(200)
          return records.map(() => ({ stored: true }) as const)
        },
      },
      rejected: new MemoryRejectedSink(),
      onBatch: (report) => reports.push(report),
      clock,
    })
    const arrivalMs = clock.now() - 5_000
    const event = kinesisEvent([
      { ...order('a', 1), arrivalMs },
      { ...order('a', 2), arrivalMs: arrivalMs + 3_000 },
    ])

    await runOn(clock, handler(event, lambdaContext({ clock })))

    expect(reports).toMatchObject([
      { iteratorAgeMs: 5_260, durationMs: 260, stepsDurationMs: 60, sinkDurationMs: 200 },
    ])
  })

  it('calls the first invocation a cold start, and no other', async () => {
    const { reports, invoke } = await reportOf([order('a', 1)])

    await invoke()

    expect(reports.map(({ isColdStart }) => isColdStart)).toEqual([true, false])
  })

  it('does not count members of an aggregate as passed that come again with it', async () => {
    const { report } = await reportOf([order('a', 1), aggregate({ key: 'b', n: 2 }, { key: 'c', n: 3 })], {
      sink: new MemorySink<Order>(({ value }) => (value.n === 3 ? new Error('busy') : undefined)),
    })

    expect(report).toMatchObject({ stored: 2, unresolved: 1, checkpointAdvance: 1 })
  })

  it('costs no batch its answer when whoever is told of it fails', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const handler = kinesisHandler<Order>({
      decode: json(schema),
      sink: new MemorySink<Order>(),
      rejected: new MemoryRejectedSink(),
      onBatch: () => {
        throw new Error('not today')
      },
    })

    expect(await handler(kinesisEvent([order('a', 1)]), lambdaContext())).toEqual({ batchItemFailures: [] })
    expect(warn).toHaveBeenCalledOnce()
    warn.mockRestore()
  })
})

describe('a record that its producer has sent twice', () => {
  const twice = [
    aggregate({ key: 'a', n: 1, producer: ['p', 1] }, { key: 'b', n: 2, producer: ['p', 2] }),
    aggregate({ key: 'a', n: 1, producer: ['p', 1] }, { key: 'a', n: 3, producer: ['p', 3] }),
  ]

  it('is stored once, and the second passed over', async () => {
    const { report, sink } = await reportOf(twice)

    expect(sink.stored.map(({ n }) => n)).toEqual([1, 2, 3])
    expect(report).toMatchObject({
      received: 4,
      stored: 3,
      deduplicated: 1,
      unresolved: 0,
      checkpointAdvance: 4,
    })
  })

  it('comes again with the first where that is unresolved', async () => {
    const { report, response } = await reportOf(twice, {
      sink: new MemorySink<Order>(({ value }) => (value.n === 1 ? new Error('busy') : undefined)),
    })

    expectCheckpoint(response, kinesisEvent(twice)).at(0)
    expect(report).toMatchObject({ unresolved: 2, checkpointAdvance: 0 })
  })

  it('is another record where another producer has the same number, or nobody says who sent it', async () => {
    const { sink } = await reportOf([
      aggregate({ key: 'a', n: 1, producer: ['p', 1] }, { key: 'a', n: 2, producer: ['q', 1] }),
      aggregate({ key: 'a', n: 3 }, { key: 'a', n: 3 }),
      order('a', 4),
      order('a', 4),
    ])

    expect(sink.stored.map(({ n }) => n)).toEqual([1, 2, 3, 3, 4, 4])
  })
})
