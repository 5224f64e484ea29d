import { lambdaContext } from '@org/kinesis-core/testing'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { PermanentError } from '../errors.js'
import { MemorySink } from '../handler-fixture.js'
import type { UntimelyEvent } from './event-time.js'
import { type Click, click, NOON, windowEvent, windowsOf } from './window-fixture.js'

/** An event whose time is `afterMs` after noon, and that arrives `laterMs` after its time. */
const arriving = (user: string, afterMs: number, laterMs: number) => ({
  ...click(user, afterMs),
  arrivalMs: NOON + afterMs + laterMs,
})

const DAY_MS = 86_400_000

afterEach(() => vi.restoreAllMocks())

describe('an event that arrives late', () => {
  it('is counted, however late, where no bound is given', async () => {
    const { handler, sink, counts } = windowsOf()

    await handler(windowEvent([arriving('ann', 0, 400 * DAY_MS)], { final: true }), lambdaContext())

    expect(sink.stored).toMatchObject([{ key: 'ann', count: 1, windowStartMs: NOON }])
    expect(counts).toMatchObject([{ skipped: 0, late: 0 }])
  })

  it('is counted within the bound, which runs from the end of its window, and is untimely beyond', async () => {
    const untimely = new MemorySink<UntimelyEvent<Click>>()
    const { handler, sink, counts } = windowsOf({ allowedLatenessMs: 5_000, untimely })
    // Their window ends at 60 s.
    const events = [arriving('ann', 0, 65_000), arriving('bob', 59_999, 5_002), arriving('cid', 1, 65_000)]

    await handler(windowEvent(events, { final: true }), lambdaContext())

    expect(sink.stored).toMatchObject([{ key: 'ann', count: 1 }])
    expect(counts).toEqual([{ records: 3, skipped: 0, late: 2, ahead: 0, emitted: 1, unstorable: 0 }])
    expect(untimely.stored).toEqual([
      {
        reason: 'late',
        value: { user: 'bob', at: NOON + 59_999 },
        key: 'bob',
        timeMs: NOON + 59_999,
        arrivalMs: NOON + 65_001,
        windowStartMs: NOON,
        windowEndMs: NOON + 60_000,
      },
      expect.objectContaining({ reason: 'late', key: 'cid' }),
    ])
  })

  it('is dropped where nobody takes it, with a line that says so', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const { handler, counts } = windowsOf({ allowedLatenessMs: 0 })

    await handler(windowEvent([arriving('ann', 0, 60_001), click('ann', 5)]), lambdaContext())
    await handler(windowEvent([click('ann', 5)]), lambdaContext())

    expect(counts).toMatchObject([{ late: 1 }, { late: 0 }])
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/1 late events .* dropped. Pass untimely/)]])
  })

  it('fails the invocation while its sink does not take it, and is left out where that never will', async () => {
    const event = windowEvent([arriving('ann', 0, 60_001)])
    const busy = windowsOf({ allowedLatenessMs: 0, untimely: new MemorySink(() => new Error('busy')) })
    const refused: unknown[] = []
    const picky = windowsOf({
      allowedLatenessMs: 0,
      untimely: new MemorySink(() => new PermanentError('too large')),
      onUnstorable: (value) => refused.push(value),
    })

    await expect(busy.handler(event, lambdaContext())).rejects.toThrow('1 of 1 untimely events')
    await picky.handler(event, lambdaContext())

    expect(refused).toMatchObject([{ reason: 'late', key: 'ann' }])
    expect(picky.counts).toMatchObject([{ late: 1, unstorable: 1 }])
  })
})

describe('an event from the future', () => {
  it('is counted up to a day ahead of its arrival, and is untimely beyond', async () => {
    const untimely = new MemorySink<UntimelyEvent<Click>>()
    const { handler, sink, counts } = windowsOf({ untimely })
    const events = [arriving('ann', DAY_MS, -DAY_MS), arriving('bob', DAY_MS + 1, -DAY_MS - 1)]

    await handler(windowEvent(events, { final: true }), lambdaContext())

    expect(sink.stored).toMatchObject([{ key: 'ann', windowStartMs: NOON + DAY_MS }])
    expect(untimely.stored).toMatchObject([{ reason: 'ahead', key: 'bob' }])
    expect(counts).toMatchObject([{ late: 0, ahead: 1, emitted: 1 }])
  })

  it('is counted where the bound is lifted', async () => {
    const { handler, sink } = windowsOf({ allowedAheadMs: Number.POSITIVE_INFINITY })

    await handler(
      windowEvent([arriving('ann', 400 * DAY_MS, -400 * DAY_MS)], { final: true }),
      lambdaContext(),
    )

    expect(sink.stored).toHaveLength(1)
  })
})

it.each([
  ['allowedLatenessMs', -1],
  ['allowedLatenessMs', Number.NaN],
  ['allowedAheadMs', '5'],
  ['untimely', () => {}],
])('%s of %s is refused', (option, value) => {
  expect(() => windowsOf({ [option]: value as never })).toThrow(option)
})
