import { encodeAggregate, type KinesisEvent } from '@org/kinesis-core'
import { kinesisEvent, lambdaContext } from '@org/kinesis-core/testing'
import { describe, expect, it } from 'vitest'
import { PermanentError, UnexpectedEventError } from '../errors.js'
import { MemorySink } from '../handler-fixture.js'
import type { RecordPosition } from '../stream-record.js'
import { stats } from './measures.js'
import {
  aggregates,
  type Click,
  click,
  NOON,
  type Partials,
  windowEvent,
  windowsOf,
} from './window-fixture.js'
import { mergeWindowPartials } from './window-partial.js'

describe('tumbling windows', () => {
  it('keep count, sum, average, minimum and maximum from invocation to invocation, and emit them at the end', async () => {
    const { handler, sink } = windowsOf()

    const first = await handler(
      windowEvent([click('ann', 0, 2), click('bob', 1), click('ann', 2, -1)]),
      lambdaContext(),
    )
    // Lambda hands the state on as JSON.
    const state = JSON.parse(JSON.stringify(first.state))
    const second = await handler(windowEvent([click('ann', 3, 5)], { state }), lambdaContext())
    expect(sink.stored).toEqual([])
    const last = await handler(windowEvent([], { state: second.state, final: true }), lambdaContext())

    expect(last).toEqual({ state: { names: ['value'], entries: [] }, batchItemFailures: [] })
    expect(sink.stored).toMatchObject([
      {
        key: 'ann',
        count: 3,
        aggregates: { value: { count: 3, sum: 6, average: 2, minimum: -1, maximum: 5 } },
      },
      {
        key: 'bob',
        count: 1,
        aggregates: { value: { count: 0, sum: 0, average: null, minimum: null, maximum: null } },
      },
    ])
  })

  it('go by the time of the event, in windows of their own length', async () => {
    const { handler, sink } = windowsOf({ windowMs: 10_000 })

    await handler(
      windowEvent([click('ann', 9_999), click('ann', 10_000), click('ann', -1), click('ann', 19_999)], {
        final: true,
      }),
      lambdaContext(),
    )

    expect(
      sink.stored.map(({ windowStartMs, windowEndMs, count }) => [
        windowStartMs - NOON,
        windowEndMs - NOON,
        count,
      ]),
    ).toEqual([
      [0, 10_000, 1],
      [10_000, 20_000, 2],
      [-10_000, 0, 1],
    ])
  })

  it('take the arrival where the event has no time', async () => {
    const { handler, sink } = windowsOf()

    await handler(
      windowEvent([{ data: { user: 'ann' }, arrivalMs: NOON + 61_000 }], { final: true }),
      lambdaContext(),
    )

    expect(sink.stored[0]!.windowStartMs).toBe(NOON + 60_000)
  })

  it('give a partial an id of its window, shard and first record, and the place of that record', async () => {
    const positions: RecordPosition[] = []
    const emit = new MemorySink<Partials>(({ position }) => void positions.push(position))
    const { handler } = windowsOf({ emit })
    const aggregate = encodeAggregate([
      { partitionKey: 'bob', data: Buffer.from('{"user":"bob"}') },
      { partitionKey: 'ann', data: Buffer.from('{"user":"ann"}') },
    ])

    await handler(
      windowEvent(
        [
          { data: aggregate, sequenceNumber: '41', arrivalMs: NOON },
          { ...click('ann', 5), sequenceNumber: '42' },
        ],
        {
          final: true,
        },
      ),
      lambdaContext(),
    )

    expect(
      emit.stored.map(({ key, partialId, firstSequenceNumber }) => [key, partialId, firstSequenceNumber]),
    ).toEqual([
      ['bob', '2026-01-01T12:00:00.000Z#shardId-000000000000#41.0', '41'],
      ['ann', '2026-01-01T12:00:00.000Z#shardId-000000000000#41.1', '41'],
    ])
    expect(positions).toMatchObject([
      { partitionKey: 'bob', sequenceNumber: '41', subSequenceNumber: 0 },
      { partitionKey: 'ann', sequenceNumber: '41', subSequenceNumber: 1 },
    ])
  })

  it('emit what they have when Lambda ends a window early, and go on with new partials', async () => {
    const { handler, sink } = windowsOf()

    await handler(windowEvent([click('ann', 0, 1)], { early: true }), lambdaContext())
    await handler(
      windowEvent([{ ...click('ann', 5, 3), sequenceNumber: '99' }], { final: true }),
      lambdaContext(),
    )

    expect(new Set(sink.stored.map(({ partialId }) => partialId)).size).toBe(2)
    expect(mergeWindowPartials(sink.stored, aggregates)).toMatchObject([
      { key: 'ann', count: 2, aggregates: { value: { sum: 4, average: 2 } } },
    ])
  })

  it('spill partials before the state is too large for Lambda', async () => {
    const { handler, sink, counts } = windowsOf()
    const records = Array.from({ length: 9_000 }, (_, n) => click(`user-${n}`, 0, n))

    const { state } = await handler(windowEvent(records), lambdaContext())

    expect(Buffer.byteLength(JSON.stringify(state))).toBeLessThan(800_000)
    expect(sink.stored.length).toBeGreaterThan(1_000)
    expect(counts).toEqual([
      { records: 9_000, skipped: 0, late: 0, ahead: 0, emitted: sink.stored.length, unstorable: 0 },
    ])
    await handler(windowEvent([], { state, final: true }), lambdaContext())
    expect(sink.stored).toHaveLength(9_000)
  })

  it('never make a state larger than they think it is', async () => {
    const { handler, sink } = windowsOf({ maxStateBytes: 3_000 })
    const wild = Array.from({ length: 200 }, (_, n) =>
      click(
        `"\\\u0000ключ🕐${n % 20}`,
        (n % 3) * 60_000,
        n % 2 ? -1.234567890123456e-99 : 1.234567890123456e99,
      ),
    )

    let state: Record<string, unknown> = {}
    for (const record of wild) {
      ;({ state } = await handler(windowEvent([record], { state }), lambdaContext()))
      expect(Buffer.byteLength(JSON.stringify(state))).toBeLessThanOrEqual(3_000)
    }

    expect(sink.stored.length).toBeGreaterThan(0)
  })
})

describe('records that a window can never count', () => {
  it('are passed over, and counted as skipped', async () => {
    const { handler, sink, counts } = windowsOf()

    const response = await handler(
      windowEvent(
        [
          { data: 'no json' },
          { data: { user: 7 } },
          { data: { user: 'ann', at: 1e300 } },
          click('ann', 0, 1),
        ],
        { final: true },
      ),
      lambdaContext(),
    )

    expect(response.batchItemFailures).toEqual([])
    expect(counts).toEqual([{ records: 4, skipped: 3, late: 0, ahead: 0, emitted: 1, unstorable: 0 }])
    expect(sink.stored).toMatchObject([{ key: 'ann', count: 1, aggregates: { value: { sum: 1 } } }])
  })

  it('are not those whose value cannot be summed: the event is counted alone', async () => {
    const { handler, sink } = windowsOf()
    const values = [1e101, -1e101, 1]

    await handler(
      windowEvent(
        values.map((value) => ({ data: { user: 'ann', value } })),
        { final: true },
      ),
      lambdaContext(),
    )

    expect(sink.stored).toMatchObject([{ key: 'ann', count: 3, aggregates: { value: { count: 1, sum: 1 } } }])
  })

  it('are those as well on which the key is a PermanentError, or the time no number', async () => {
    const key = () => {
      throw new PermanentError('no tenant')
    }

    for (const options of [
      { key },
      { time: () => Number.NaN },
      { aggregates: { value: stats<Click>(() => Number.NaN) } },
    ]) {
      const { handler, counts } = windowsOf(options)
      await handler(windowEvent([click('ann', 0)], { final: true }), lambdaContext())
      expect(counts).toEqual([{ records: 1, skipped: 1, late: 0, ahead: 0, emitted: 0, unstorable: 0 }])
    }
  })
})

describe('an invocation that fails', () => {
  const fault = (times: number, error: unknown) => {
    let left = times
    return new MemorySink<Partials>(() => (left-- > 0 ? error : undefined))
  }

  it('throws, rather than report partial failures', async () => {
    const key = () => {
      throw new Error('a bug')
    }

    await expect(windowsOf({ key }).handler(windowEvent([click('ann', 0)]), lambdaContext())).rejects.toThrow(
      'a bug',
    )
  })

  it('tries again what the sink does not take at first', async () => {
    const emit = fault(2, new Error('busy'))

    await windowsOf({ emit }).handler(windowEvent([click('ann', 0)], { final: true }), lambdaContext())

    expect(emit.stored).toHaveLength(1)
  })

  it('throws when the sink does not take everything, and comes right when it is tried again', async () => {
    // Both fail twice, and one of them a third time.
    const emit = fault(5, new Error('busy'))
    const { handler } = windowsOf({ emit })
    const event = windowEvent([click('ann', 0, 1), click('bob', 0, 2)], { final: true })

    await expect(handler(event, lambdaContext())).rejects.toMatchObject({
      code: 'TRANSIENT',
      message: '1 of 2 window partials could not be stored.',
      cause: new Error('busy'),
    })
    await handler(event, lambdaContext())

    expect(mergeWindowPartials(emit.stored, aggregates)).toMatchObject([
      { key: 'bob', count: 1, aggregates: { value: { sum: 2 } } },
      { key: 'ann', count: 1, aggregates: { value: { sum: 1 } } },
    ])
  })

  it('throws when the sink throws', async () => {
    const emit = {
      write: async () => {
        throw new Error('no table')
      },
    }

    await expect(
      windowsOf({ emit }).handler(windowEvent([click('ann', 0)], { final: true }), lambdaContext()),
    ).rejects.toMatchObject({ cause: new Error('no table') })
  })

  it('does not, where a partial can never be stored: that is said, and the others are stored', async () => {
    const unstorable: string[] = []
    const emit = new MemorySink<Partials>(({ value }) =>
      value.key === 'bob' ? new PermanentError('the key is too long') : undefined,
    )
    const { handler, counts } = windowsOf({ emit, onUnstorable: ({ key }) => unstorable.push(key) })

    await handler(windowEvent([click('ann', 0), click('bob', 0)], { final: true }), lambdaContext())

    expect(unstorable).toEqual(['bob'])
    expect(counts).toEqual([{ records: 2, skipped: 0, late: 0, ahead: 0, emitted: 1, unstorable: 1 }])
  })

  it.each([
    ['no window', kinesisEvent([click('ann', 0)]), /give the mapping of this function a tumbling window/],
    ['nothing', undefined, /no window/],
    ['another state', windowEvent([], { state: { entries: 7 } }), /not written by this handler/],
  ])('says what is wrong with the event: %s', async (_, event, message) => {
    const call = windowsOf().handler(event as KinesisEvent, lambdaContext())

    await expect(call).rejects.toThrow(UnexpectedEventError)
    await expect(call).rejects.toThrow(message)
  })
})
