import { encodeAggregate } from '@org/kinesis-core'
import { kinesisEvent, lambdaContext, ManualClock, type TestRecord } from '@org/kinesis-core/testing'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { PermanentError, TransientError, UnexpectedEventError } from './errors.js'
import { MemoryRejectedSink, MemorySink, runOn } from './handler-fixture.js'
import type { KinesisHandlerOptions, WithSteps } from './handler-options.js'
import { json } from './json-decoder.js'
import { kinesisHandler } from './kinesis-handler.js'
import type { Step } from './step.js'

interface Order {
  key: string
  n: number
}
const schema = z.object({ key: z.string(), n: z.number() })
const order = (key: string, n: number): TestRecord => ({ partitionKey: key, data: { key, n } })
const numbers = (orders: readonly Order[]) => orders.map(({ key, n }) => `${key}${n}`)

type Overrides = Partial<KinesisHandlerOptions<Order> & WithSteps<readonly [Step<Order, Order>]>>

/** Runs one invocation on a manual clock. */
async function invoke(records: TestRecord[], options: Overrides & { timeoutMs?: number } = {}) {
  const clock = new ManualClock()
  const { timeoutMs = 60_000, sink = new MemorySink<Order>(), ...rest } = options
  const rejected = options.rejected ?? new MemoryRejectedSink()
  const unresolved: unknown[] = []
  const handler = kinesisHandler<Order, Order>({
    decode: json(schema),
    steps: [(value) => value],
    onUnresolved: (what) => unresolved.push(what),
    random: () => 0.5,
    ...rest,
    clock,
    sink,
    rejected,
  })
  const event = kinesisEvent(records)
  const startedAtMs = clock.now()
  const response = await runOn(clock, handler(event, lambdaContext({ clock, timeoutMs })))
  const checkpoint = response.batchItemFailures[0]?.itemIdentifier
  return {
    response,
    /** Index of the record that the response names, or undefined for full success. */
    stoppedAt:
      checkpoint === undefined
        ? undefined
        : event.Records.findIndex(({ kinesis }) => kinesis.sequenceNumber === checkpoint),
    unresolved,
    tookMs: clock.now() - startedAtMs,
    sink: sink as MemorySink<Order>,
    rejected: rejected as MemoryRejectedSink,
  }
}

const failFor = (n: number, times = Number.POSITIVE_INFINITY, error: unknown = new Error('no answer')) => {
  let left = times
  return ({ value }: { value: Order }) => (value.n === n && left-- > 0 ? error : undefined)
}

describe('a batch without faults', () => {
  it('is stored in one write, and answered with full success', async () => {
    const { response, sink } = await invoke([order('a', 1), order('b', 2), order('a', 3)])

    expect(response).toEqual({ batchItemFailures: [] })
    expect(sink.writes.map(numbers)).toEqual([['a1', 'b2', 'a3']])
  })

  it('may be empty', async () => {
    const { response, sink } = await invoke([])

    expect(response).toEqual({ batchItemFailures: [] })
    expect(sink.writes).toEqual([])
  })

  it('runs the steps in order, drops what one gives as undefined, and waits for those that take time', async () => {
    const sink = new MemorySink<string>()
    const handler = kinesisHandler({
      decode: json(schema),
      steps: [
        ({ n }) => n,
        (n) => (n === 2 ? undefined : n),
        async (n) => n * 10,
        (n, { partitionKey }) => `${partitionKey}${n.toFixed(1)}`,
      ],
      sink,
      rejected: new MemoryRejectedSink(),
    })

    const response = await handler(
      kinesisEvent([order('a', 1), order('b', 2), order('c', 3)]),
      lambdaContext(),
    )

    expect(response).toEqual({ batchItemFailures: [] })
    expect(sink.stored).toEqual(['a10.0', 'c30.0'])
  })

  it('hands every step the position of its record', async () => {
    const seen: unknown[] = []
    const step = (value: Order, position: unknown) => {
      seen.push(position)
      return value
    }

    await invoke([{ ...order('a', 1), arrivalMs: 1_700_000_000_123 }], { steps: [step] })

    expect(seen).toEqual([
      {
        streamArn: 'arn:aws:kinesis:us-east-1:000000000000:stream/test-stream',
        streamName: 'test-stream',
        shardId: 'shardId-000000000000',
        sequenceNumber: expect.stringMatching(/^\d{56}$/),
        subSequenceNumber: 0,
        partitionKey: 'a',
        arrivalMs: 1_700_000_000_123,
      },
    ])
  })

  it('runs the steps of keys side by side, up to the concurrency, and those of one key one by one', async () => {
    const clock = new ManualClock()
    let running = 0
    let most = 0
    const perKey: string[] = []
    const handler = kinesisHandler({
      decode: json(schema),
      steps: [
        async (value: Order) => {
          most = Math.max(most, ++running)
          await new Promise<void>((resolve) => clock.schedule(value.n === 1 ? 50 : 5, resolve))
          running--
          perKey.push(`${value.key}${value.n}`)
          return value
        },
      ],
      sink: new MemorySink<Order>(),
      rejected: new MemoryRejectedSink(),
      maxConcurrency: 3,
      clock,
    })
    const keys = ['a', 'b', 'c', 'd', 'e']
    const records = [1, 2, 3].flatMap((n) => keys.map((key) => order(key, n)))

    await runOn(clock, handler(kinesisEvent(records), lambdaContext({ clock })))

    expect(most).toBe(3)
    for (const key of keys)
      expect(perKey.filter((of) => of.startsWith(key))).toEqual([1, 2, 3].map((n) => `${key}${n}`))
  })
})

describe('a record that can never be processed', () => {
  it('is rejected with its payload and reason, and the rest goes on', async () => {
    const records = [
      order('a', 1),
      { partitionKey: 'a', data: '{"key":' },
      { partitionKey: 'a', data: { key: 'a' } },
      { partitionKey: 'b', data: Uint8Array.of(0xff, 0xfe) },
      order('a', 2),
    ]

    const { response, sink, rejected } = await invoke(records)

    expect(response).toEqual({ batchItemFailures: [] })
    expect(numbers(sink.stored)).toEqual(['a1', 'a2'])
    expect(rejected.records.map(({ reasonCode, partitionKey }) => [reasonCode, partitionKey])).toEqual([
      ['undecodable', 'a'],
      ['invalid', 'a'],
      ['undecodable', 'b'],
    ])
    expect(Buffer.from(rejected.records[2]!.payload, 'base64')).toEqual(Buffer.of(0xff, 0xfe))
  })

  it('keeps where it was, when it came, and the chain of errors', async () => {
    const step = () => {
      throw new PermanentError('no such customer', {
        cause: new RangeError('404', { cause: { toString: () => 'x'.repeat(5_000) } }),
      })
    }

    const { rejected } = await invoke([order('a', 1)], { steps: [step] })

    expect(rejected.records).toEqual([
      {
        version: 1,
        streamArn: 'arn:aws:kinesis:us-east-1:000000000000:stream/test-stream',
        streamName: 'test-stream',
        shardId: 'shardId-000000000000',
        sequenceNumber: expect.stringMatching(/^\d{56}$/),
        subSequenceNumber: 0,
        partitionKey: 'a',
        arrivalMs: Date.UTC(2026, 0, 1),
        arrivalTime: '2026-01-01T00:00:00.000Z',
        rejectedTime: '2026-01-01T00:00:00.000Z',
        reasonCode: 'rejected-by-step',
        errors: [
          { name: 'PermanentError', message: 'no such customer' },
          { name: 'RangeError', message: '404' },
          { name: 'object', message: 'x'.repeat(1_000) },
        ],
        payload: Buffer.from('{"key":"a","n":1}').toString('base64'),
      },
    ])
  })

  it('is rejected whatever a step throws along with it', async () => {
    const cyclic = new Error('me')
    cyclic.cause = cyclic
    const causes = [null, Object.create(null), Symbol('s'), cyclic, 7n]
    const step = ({ n }: Order) => {
      throw new PermanentError('bad', { cause: causes[n] })
    }

    const { response, rejected } = await invoke(
      causes.map((_, n) => order('a', n)),
      { steps: [step] },
    )

    expect(response).toEqual({ batchItemFailures: [] })
    expect(rejected.records.map(({ errors }) => errors.length)).toEqual([2, 2, 2, 5, 2])
  })

  it('is rejected when the sink can never take it, and what stands behind it is stored', async () => {
    const sink = new MemorySink<Order>(failFor(1, 9, new PermanentError('too large')))

    const { response, rejected, tookMs } = await invoke([order('a', 1), order('a', 2), order('b', 3)], {
      sink,
    })

    expect(response).toEqual({ batchItemFailures: [] })
    expect(rejected.records.map(({ reasonCode }) => reasonCode)).toEqual(['unstorable'])
    expect(numbers(sink.stored)).toEqual(['b3', 'a2'])
    expect(tookMs).toBeLessThanOrEqual(1)
  })

  it('is known by its code, also from another copy of the package', async () => {
    class PermanentErrorOfAnotherCopy extends PermanentError {}
    const foreign = new PermanentErrorOfAnotherCopy('too large')
    Object.setPrototypeOf(
      foreign,
      Object.create(Error.prototype, { [Symbol.for('@org/kinesis-core/StreamingError')]: { value: true } }),
    )

    const { response, rejected } = await invoke([order('a', 1)], {
      sink: new MemorySink<Order>(failFor(1, 9, foreign)),
    })

    expect(response).toEqual({ batchItemFailures: [] })
    expect(rejected.records).toHaveLength(1)
  })

  it('stays unresolved when the rejected sink does not take it, with everything behind it in its key', async () => {
    const rejected = new MemoryRejectedSink(() => new Error('queue is down'))

    const { stoppedAt, sink, unresolved } = await invoke(
      [order('a', 1), { partitionKey: 'a', data: 'no json' }, order('a', 3), order('b', 4)],
      { rejected },
    )

    expect(stoppedAt).toBe(1)
    expect(numbers(sink.stored)).toEqual(['a1', 'b4'])
    expect(unresolved).toMatchObject([{ count: 2, error: new Error('queue is down') }])
  })

  it('stays unresolved when the rejected sink throws, also before it gives a promise', async () => {
    const rejected = {
      write: () => {
        throw new Error('no queue')
      },
    }

    const { stoppedAt } = await invoke([{ data: 'no json' }], { rejected })

    expect(stoppedAt).toBe(0)
  })

  it('is rejected again where the rejected sink fails at first', async () => {
    let failures = 2
    const rejected = new MemoryRejectedSink(() => (failures-- > 0 ? new Error('busy') : undefined))

    const { response } = await invoke([{ data: 'no json' }], { rejected })

    expect(response).toEqual({ batchItemFailures: [] })
    expect(rejected.records).toHaveLength(1)
  })
})

describe('what a decoder throws', () => {
  const decodeThat = (decode: () => Order | Promise<Order>) => invoke([order('a', 1)], { decode })

  it('rejects the record as undecodable, whatever it is', async () => {
    const { rejected } = await decodeThat(() => {
      throw new RangeError('offset 12 is out of bounds')
    })

    expect(rejected.records[0]).toMatchObject({
      reasonCode: 'undecodable',
      errors: [{ name: 'PermanentError' }, { name: 'RangeError', message: 'offset 12 is out of bounds' }],
    })
  })

  it('leaves the record to be tried again where it is a TransientError', async () => {
    const { stoppedAt } = await decodeThat(() => {
      throw new TransientError('the key service is busy')
    })

    expect(stoppedAt).toBe(0)
  })

  it('leaves the record to be tried again where a promise fails: it may have waited for something else', async () => {
    const { stoppedAt } = await decodeThat(() => Promise.reject(new Error('ECONNRESET')))

    expect(stoppedAt).toBe(0)
  })

  it('rejects the record where a promise fails for good', async () => {
    const { rejected } = await decodeThat(() => Promise.reject(new PermanentError('no such schema')))

    expect(rejected.records[0]?.reasonCode).toBe('undecodable')
  })
})

describe('a record that fails for now', () => {
  it('is tried again inside the invocation, with a delay that grows', async () => {
    const sink = new MemorySink<Order>(failFor(1, 2))

    const { response, tookMs } = await invoke([order('a', 1)], {
      sink,
      backoffBaseMs: 100,
      backoffMaxMs: 1_000,
    })

    expect(response).toEqual({ batchItemFailures: [] })
    expect(sink.writes).toHaveLength(3)
    // Half of 100 and half of 200, as `random` says.
    expect(tookMs).toBeGreaterThanOrEqual(150)
    expect(tookMs).toBeLessThan(160)
  })

  it('is unresolved when its attempts are used up, and Lambda goes on from there', async () => {
    const { stoppedAt, sink, unresolved } = await invoke([order('b', 0), order('a', 1), order('b', 2)], {
      sink: new MemorySink<Order>(failFor(1)),
      maxAttempts: 2,
    })

    expect(stoppedAt).toBe(1)
    expect(numbers(sink.stored)).toEqual(['b0', 'b2'])
    expect(unresolved).toMatchObject([{ count: 1, position: { partitionKey: 'a' } }])
  })

  it('holds back what comes after it in its key, in steps and sink', async () => {
    const ran: number[] = []
    const step = (value: Order) => {
      ran.push(value.n)
      if (value.n === 1) throw new Error('lookup failed')
      return value
    }

    const { stoppedAt, sink } = await invoke([order('a', 1), order('a', 2), order('b', 3)], {
      steps: [step],
      maxAttempts: 2,
    })

    expect(stoppedAt).toBe(0)
    expect(ran).toEqual([1, 3, 1])
    expect(numbers(sink.stored)).toEqual(['b3'])
  })

  it('names the lowest of several records', async () => {
    const { response, stoppedAt } = await invoke(
      [order('a', 1), order('b', 2), order('c', 3), order('b', 4)],
      {
        sink: new MemorySink<Order>(({ value }) => (value.key === 'a' ? undefined : new Error('no'))),
      },
    )

    expect(stoppedAt).toBe(1)
    expect(response.batchItemFailures).toHaveLength(1)
  })

  it('has attempts of its own: each record of a lane may fail before it succeeds', async () => {
    const failures = new Map<number, number>()
    const sink = new MemorySink<Order>(({ value }) => {
      const before = failures.get(value.n) ?? 0
      failures.set(value.n, before + 1)
      return before < 2 ? new Error('busy') : undefined
    })

    const { response } = await invoke([order('a', 1), order('a', 2), order('a', 3), order('b', 9)], { sink })

    expect(response).toEqual({ batchItemFailures: [] })
    expect(numbers(sink.stored)).toEqual(['a1', 'b9', 'a2', 'a3'])
  })

  it('lets other keys go on while it waits', async () => {
    const clock = new ManualClock()
    const storedAt = new Map<number, number>()
    let failures = 1
    const handler = kinesisHandler({
      decode: json(schema),
      sink: new MemorySink<Order>(({ value }) => {
        if (value.n === 1 && failures-- > 0) return new Error('busy')
        storedAt.set(value.n, clock.now())
        return undefined
      }),
      rejected: new MemoryRejectedSink(),
      backoffBaseMs: 1_000,
      backoffMaxMs: 1_000,
      random: () => 0.9,
      clock,
    })

    const startedAtMs = clock.now()
    await runOn(clock, handler(kinesisEvent([order('a', 1), order('b', 2)]), lambdaContext({ clock })))

    expect(storedAt.get(2)! - startedAtMs).toBeLessThan(2)
    expect(storedAt.get(1)! - startedAtMs).toBeGreaterThanOrEqual(900)
  })

  it('fails where a sink answers for fewer records than it got, or not at all', async () => {
    let writes = 0
    const curt = { write: async () => (writes++ === 0 ? [{ stored: true as const }] : []) }
    const mute = { write: async () => undefined as never }

    expect((await invoke([order('a', 1), order('b', 2)], { sink: curt })).stoppedAt).toBe(1)
    expect((await invoke([order('a', 1), order('b', 2)], { sink: mute })).stoppedAt).toBe(0)
  })
})

describe('a sink that is down', () => {
  it('fails the batch fast, however many keys wait', async () => {
    let writes = 0
    const sink = {
      write: async () => {
        writes++
        throw new Error('connection refused')
      },
    }
    const records = Array.from({ length: 500 }, (_, n) => order(`key-${n}`, n))

    const { stoppedAt, tookMs, unresolved } = await invoke(records, { sink })

    expect(stoppedAt).toBe(0)
    expect(writes).toBe(3)
    expect(tookMs).toBeLessThan(1_000)
    expect(unresolved).toMatchObject([{ count: 500, error: new Error('connection refused') }])
  })
})

describe('an aggregated record', () => {
  const members = [
    { partitionKey: 'a', data: Buffer.from('{"key":"a","n":1}') },
    { partitionKey: 'b', data: Buffer.from('{"key":"b","n":2}') },
    { partitionKey: 'a', data: Buffer.from('{"key":"a","n":3}') },
  ]
  const aggregate = { partitionKey: 'a', data: encodeAggregate(members) }

  it('is unpacked, and its members have places of their own', async () => {
    const places: string[] = []
    const step: Step<Order, Order> = (value, { partitionKey, subSequenceNumber }) => {
      places.push(`${partitionKey}/${subSequenceNumber}`)
      return value
    }

    const { sink } = await invoke([aggregate, order('a', 4)], { steps: [step] })

    expect(numbers(sink.stored)).toEqual(['a1', 'b2', 'a3', 'a4'])
    expect(places.sort()).toEqual(['a/0', 'a/0', 'a/2', 'b/1'])
  })

  it('has places for its members as well where Lambda unpacked it, for enhanced fan-out', async () => {
    const places: string[] = []
    const step: Step<Order, Order> = (value, { sequenceNumber, subSequenceNumber }) => {
      places.push(`${sequenceNumber}/${subSequenceNumber}`)
      return value
    }
    const at = (sequenceNumber: string, n: number) => ({ ...order('a', n), sequenceNumber })

    await invoke([at('7', 1), at('7', 2), at('7', 3), at('8', 4)], { steps: [step] })

    expect(places).toEqual(['7/0', '7/1', '7/2', '8/0'])
  })

  it('comes again as a whole when one member is unresolved', async () => {
    const { stoppedAt, sink } = await invoke([order('b', 0), aggregate, order('b', 4)], {
      sink: new MemorySink<Order>(failFor(3)),
    })

    expect(stoppedAt).toBe(1)
    expect(numbers(sink.stored)).toEqual(['b0', 'a1', 'b2', 'b4'])
  })

  it('is rejected with its raw bytes when it is broken', async () => {
    const broken = Buffer.from(encodeAggregate(members))
    // A field that promises more bytes than there are; the checksum is made to fit.
    const { createHash } = await import('node:crypto')
    broken[5] = 0x7f
    createHash('md5')
      .update(broken.subarray(4, -16))
      .digest()
      .copy(broken, broken.length - 16)

    const { response, rejected, sink } = await invoke([{ partitionKey: 'a', data: broken }, order('a', 4)])

    expect(response).toEqual({ batchItemFailures: [] })
    expect(rejected.records).toMatchObject([
      { reasonCode: 'corrupt-aggregate', payload: broken.toString('base64') },
    ])
    expect(numbers(sink.stored)).toEqual(['a4'])
  })
})

describe('when time runs short', () => {
  it('starts nothing more, and answers with a checkpoint before the invocation ends', async () => {
    const clock = new ManualClock()
    const started: number[] = []
    const sink = new MemorySink<Order>()
    const handler = kinesisHandler({
      decode: json(schema),
      steps: [
        async (value: Order) => {
          started.push(value.n)
          await new Promise<void>((resolve) => clock.schedule(1_000, resolve))
          return value
        },
      ],
      sink,
      rejected: new MemoryRejectedSink(),
      deadlineMarginMs: 2_000,
      onUnresolved: () => {},
      clock,
    })
    const records = Array.from({ length: 20 }, (_, n) => order('a', n))
    const startedAtMs = clock.now()
    const event = kinesisEvent(records)

    const response = await runOn(clock, handler(event, lambdaContext({ clock, timeoutMs: 10_000 })))

    expect(clock.now() - startedAtMs).toBeLessThan(10_000)
    expect(sink.stored).toHaveLength(started.length)
    expect(started.length).toBeGreaterThanOrEqual(7)
    expect(response.batchItemFailures).toEqual([
      { itemIdentifier: event.Records[started.length]!.kinesis.sequenceNumber },
    ])
  })

  it('gives up waiting for the next attempt', async () => {
    const { stoppedAt, tookMs } = await invoke([order('a', 1)], {
      sink: new MemorySink<Order>(failFor(1)),
      maxAttempts: 1_000,
      backoffBaseMs: 60_000,
      backoffMaxMs: 60_000,
      timeoutMs: 5_000,
    })

    expect(stoppedAt).toBe(0)
    expect(tookMs).toBeLessThanOrEqual(4_001)
  })

  it('makes progress although the margin is above the timeout', async () => {
    const { response } = await invoke([order('a', 1)], { timeoutMs: 1_000, deadlineMarginMs: 30_000 })

    expect(response).toEqual({ batchItemFailures: [] })
  })

  it('does nothing at all when no time is left', async () => {
    const { stoppedAt, sink, unresolved } = await invoke([order('a', 1)], { timeoutMs: 0 })

    expect(stoppedAt).toBe(0)
    expect(sink.writes).toEqual([])
    expect(unresolved).toMatchObject([{ error: undefined }])
  })
})

describe('an event or context that is none of Kinesis', () => {
  const handler = kinesisHandler({
    decode: json(schema),
    sink: new MemorySink<Order>(),
    rejected: new MemoryRejectedSink(),
  })
  const call = (event: unknown) => handler(event as never, lambdaContext())
  const [record] = kinesisEvent([order('a', 1)]).Records

  it.each([
    ['nothing', undefined],
    ['an event without Records', { detail: {} }],
    ['a message of SQS', { Records: [{ eventSource: 'aws:sqs', messageId: '1', body: '{}' }] }],
    ['a change of DynamoDB', { Records: [{ eventSource: 'aws:dynamodb', eventID: '1', dynamodb: {} }] }],
    ['a record that is null', { Records: [null] }],
    ['a record without data', { Records: [{ ...record, kinesis: { ...record!.kinesis, data: undefined } }] }],
    ['a record without an id', { Records: [{ ...record, eventID: undefined }] }],
    [
      'a record without an arrival',
      { Records: [{ ...record, kinesis: { ...record!.kinesis, approximateArrivalTimestamp: undefined } }] },
    ],
  ])('is refused: %s', async (_, event) => {
    await expect(call(event)).rejects.toThrow(UnexpectedEventError)
    await expect(call(event)).rejects.toThrow(/map this function to a Kinesis stream/)
  })

  it('is refused: a call without a context', async () => {
    await expect(handler(kinesisEvent([]), undefined as never)).rejects.toThrow(/getRemainingTimeInMillis/)
  })

  it('is read where the mapping has an enhanced fan-out consumer', async () => {
    const event = kinesisEvent([order('a', 1)])
    event.Records[0]!.eventSourceARN += '/consumer/fast:1700000000'
    let streamName: string | undefined
    const fanOut = kinesisHandler({
      decode: json(schema),
      steps: [
        (value: Order, position) => {
          streamName = position.streamName
          return value
        },
      ],
      sink: new MemorySink<Order>(),
      rejected: new MemoryRejectedSink(),
    })

    await fanOut(event, lambdaContext())

    expect(streamName).toBe('test-stream')
  })
})
