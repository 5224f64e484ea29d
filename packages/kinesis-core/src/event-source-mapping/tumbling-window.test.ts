import { describe, expect, it } from 'vitest'
import type { InvokeEffect, MappingEffect } from './mapping-effects.js'
import {
  aMapping,
  aRecord,
  failure,
  invocations,
  records,
  runToEnd,
  START_MS,
  sequences,
} from './mapping-fixture.js'
import type { ShardRecord } from './shard-record.js'

const MINUTE = 60_000
const windowed = (more = {}) => aMapping({ tumblingWindowMs: MINUTE, batchSize: 10, ...more })
const at = (sequence: number, arrivalMs: number) => aRecord(sequence, { arrivalMs: START_MS + arrivalMs })

/** Adds the records of a batch up, as a handler that counts would. */
const counting = ({ batch }: InvokeEffect<ShardRecord>) => {
  const { count = 0 } = (batch.window?.state ?? {}) as { count?: number }
  return { ok: true as const, payload: { state: { count: count + batch.records.length } } }
}

/** Window start in minutes, records, state before, and whether it is the last invocation. */
const story = (effects: MappingEffect<ShardRecord>[]) =>
  invocations(effects).map(({ batch: { records: inBatch, window } }) => ({
    minute: (window!.startMs - START_MS) / MINUTE,
    records: sequences(inBatch),
    state: window!.state,
    final: window!.isFinalInvokeForWindow,
    ...(window!.isWindowTerminatedEarly ? { early: true } : {}),
  }))

/** The records of each invocation, or how it ends the window: without its state, which is large where this is used. */
const outline = (effects: MappingEffect<ShardRecord>[]) =>
  invocations(effects).map(({ batch: { records: inBatch, window } }) => {
    if (window!.isWindowTerminatedEarly) return 'early'
    return window!.isFinalInvokeForWindow ? 'final' : sequences(inBatch)
  })

/** As large as a state may be without ending its window, nearly. */
const NINE_TENTHS = { held: 'x'.repeat(900_000) }

describe('a tumbling window', () => {
  it('carries state from invocation to invocation, ends before the next window’s records, and starts that one afresh', () => {
    const mapping = windowed({ batchSize: 2 })
    const offered = [at(0, 0), at(1, 10), at(2, 59_999), at(3, 60_000)]

    const effects = runToEnd(mapping, mapping.offer(offered, START_MS + 60_000), counting)

    expect(story(effects)).toEqual([
      { minute: 0, records: [0, 1], state: {}, final: false },
      { minute: 0, records: [2], state: { count: 2 }, final: false },
      { minute: 0, records: [], state: { count: 3 }, final: true },
      { minute: 1, records: [3], state: {}, final: false },
    ])
  })

  it('of an idle shard is closed once the shard was read past its end', () => {
    const mapping = windowed()
    runToEnd(mapping, mapping.offer([at(0, 0)], START_MS), counting)

    expect(story(mapping.caughtUp(START_MS + 59_999, START_MS + 59_999))).toEqual([])
    expect(story(mapping.caughtUp(START_MS + 60_000, START_MS + 60_000))).toEqual([
      { minute: 0, records: [], state: { count: 1 }, final: true },
    ])
  })

  it('is closed at once when a run ends, and then nothing is left', () => {
    const mapping = windowed()
    runToEnd(mapping, mapping.offer([at(0, 0)], START_MS), counting)

    const effects = runToEnd(mapping, mapping.end(START_MS + 1), counting)

    expect(story(effects)).toEqual([{ minute: 0, records: [], state: { count: 1 }, final: true }])
    expect(mapping.isFinished).toBe(true)
  })

  it('does not wait for its batching window when it is over', () => {
    const mapping = windowed({ maximumBatchingWindowMs: 300_000 })
    mapping.offer([at(0, 0)], START_MS)

    expect(story(mapping.caughtUp(START_MS + MINUTE, START_MS + MINUTE))).toMatchObject([{ records: [0] }])
  })

  it('ends early when its state passes 1 MB, and goes on with fresh state', () => {
    const mapping = windowed({ batchSize: 1 })
    const large = { held: 'x'.repeat(1024 * 1024) }
    const offered = [at(0, 0), at(1, 1)]

    const effects = runToEnd(mapping, mapping.offer(offered, START_MS), (effect) =>
      sequences(effect.batch.records)[0] === 0 ? { ok: true, payload: { state: large } } : counting(effect),
    )

    expect(story(effects)).toEqual([
      { minute: 0, records: [0], state: {}, final: false },
      { minute: 0, records: [], state: large, final: true, early: true },
      { minute: 0, records: [1], state: {}, final: false },
    ])
  })

  it('takes what is left of a bisected batch with it into the fresh state', () => {
    const mapping = windowed({ bisectBatchOnFunctionError: true })
    const large = { held: 'x'.repeat(1024 * 1024) }

    const effects = runToEnd(mapping, mapping.offer(records(2), START_MS), (effect) => {
      if (effect.batch.records.length === 2) return failure
      return sequences(effect.batch.records)[0] === 0
        ? { ok: true, payload: { state: large } }
        : counting(effect)
    })

    expect(story(effects).map(({ records: inBatch, final }) => [inBatch, final])).toEqual([
      [[0, 1], false],
      [[0], false],
      [[], true],
      [[1], false],
    ])
    expect(story(effects)[3]!.state).toEqual({})
  })

  it.each([null, {}, { state: null }, { state: 3 }])(
    'takes %j, which has no state, for a failed invocation',
    (payload) => {
      const mapping = windowed()
      const [invoke] = invocations(mapping.offer([at(0, 0)], START_MS))

      const effects = mapping.settle(invoke!.id, { ok: true, payload }, START_MS)

      expect(story(effects)).toEqual([{ minute: 0, records: [0], state: {}, final: false }])
    },
  )

  it.each([-1, 0])(
    'repeats its final invocation until it succeeds, and holds the next window back, whatever the retries: %i',
    (maximumRetryAttempts) => {
      const mapping = windowed({ maximumRetryAttempts })
      let finals = 0

      const effects = runToEnd(mapping, mapping.offer([at(0, 0), at(1, 60_000)], START_MS), (effect) => {
        if (effect.batch.window!.isFinalInvokeForWindow && ++finals < 3) return failure
        return counting(effect)
      })

      expect(story(effects).map(({ minute, final, state }) => [minute, final, state])).toEqual([
        [0, false, {}],
        [0, true, { count: 1 }],
        [0, true, { count: 1 }],
        [0, true, { count: 1 }],
        [1, false, {}],
      ])
      expect(effects.filter((effect) => effect.kind === 'discard')).toEqual([])
    },
  )

  it('keeps the state that a partial success returned', () => {
    const mapping = windowed({ reportBatchItemFailures: true })

    const effects = runToEnd(mapping, mapping.offer(records(3), START_MS), ({ batch }) =>
      batch.records.length === 3
        ? { ok: true, payload: { state: { seen: 1 }, batchItemFailures: [{ itemIdentifier: '1001' }] } }
        : { ok: true, payload: { state: {} } },
    )

    expect(story(effects)).toEqual([
      { minute: 0, records: [0, 1, 2], state: {}, final: false },
      { minute: 0, records: [1, 2], state: { seen: 1 }, final: false },
    ])
  })

  it('goes on with the state from before a partial success where that is asked for', () => {
    const mapping = windowed({ reportBatchItemFailures: true, windowStateAfterPartialFailure: 'before' })

    const effects = runToEnd(mapping, mapping.offer(records(3), START_MS), ({ batch }) =>
      batch.records.length === 3
        ? { ok: true, payload: { state: { seen: 1 }, batchItemFailures: [{ itemIdentifier: '1001' }] } }
        : { ok: true, payload: { state: {} } },
    )

    expect(story(effects)).toEqual([
      { minute: 0, records: [0, 1, 2], state: {}, final: false },
      { minute: 0, records: [1, 2], state: {}, final: false },
    ])
  })

  it('of an idle shard is closed as late as idleWindowDelayMs says, but for a record of a later window', () => {
    const idle = windowed({ idleWindowDelayMs: 120_000 })
    runToEnd(idle, idle.offer([at(0, 0)], START_MS), counting)
    expect(story(idle.caughtUp(START_MS + 3 * MINUTE - 1, START_MS + 3 * MINUTE - 1))).toEqual([])
    expect(story(idle.caughtUp(START_MS + 3 * MINUTE, START_MS + 3 * MINUTE))).toMatchObject([
      { final: true },
    ])

    const busy = windowed({ idleWindowDelayMs: 120_000 })
    runToEnd(busy, busy.offer([at(0, 0)], START_MS), counting)
    expect(story(busy.offer([at(1, MINUTE)], START_MS + MINUTE))).toMatchObject([{ minute: 0, final: true }])
  })

  it('takes a record whose arrival time stepped back into the window that is open', () => {
    const mapping = windowed()

    const effects = runToEnd(
      mapping,
      mapping.offer([at(0, 0), at(1, 60_000), at(2, 59_000)], START_MS),
      counting,
    )

    expect(story(effects).at(-1)).toEqual({ minute: 1, records: [1, 2], state: {}, final: false })
  })

  it('is not opened again once it was closed: a record that comes late belongs to the next', () => {
    const mapping = windowed()
    runToEnd(mapping, mapping.offer([at(0, 0)], START_MS), counting)
    runToEnd(mapping, mapping.caughtUp(START_MS + MINUTE, START_MS + MINUTE), counting)

    const effects = mapping.offer([at(1, 59_000)], START_MS + MINUTE)

    expect(story(effects)).toEqual([{ minute: 1, records: [1], state: {}, final: false }])
  })

  it('keeps its state when an invocation made no progress, whatever that returned', () => {
    const mapping = windowed({ reportBatchItemFailures: true })
    const [invoke] = invocations(mapping.offer(records(2), START_MS))
    const payload = { state: { seen: 2 }, batchItemFailures: [{ itemIdentifier: '1000' }] }

    const effects = mapping.settle(invoke!.id, { ok: true, payload }, START_MS)

    expect(story(effects)).toEqual([{ minute: 0, records: [0, 1], state: {}, final: false }])
  })

  it('that ends early is closed once, also when its final invocation fails at first', () => {
    const mapping = windowed({ batchSize: 1 })
    const large = { held: 'x'.repeat(1024 * 1024) }
    let finals = 0

    const effects = runToEnd(mapping, mapping.offer(records(2), START_MS), (effect) => {
      if (effect.batch.window!.isFinalInvokeForWindow) return ++finals === 1 ? failure : counting(effect)
      return sequences(effect.batch.records)[0] === 0
        ? { ok: true, payload: { state: large } }
        : counting(effect)
    })

    expect(story(effects).map(({ records: inBatch, early }) => [inBatch, early])).toEqual([
      [[0], undefined],
      [[], true],
      [[], true],
      [[1], undefined],
    ])
  })

  it('that ended early is not followed by one before it', () => {
    const mapping = windowed({ batchSize: 1 })
    const large = { held: 'x'.repeat(1024 * 1024) }

    const effects = runToEnd(mapping, mapping.offer([at(0, 60_000), at(1, 59_000)], START_MS), (effect) =>
      sequences(effect.batch.records)[0] === 0 ? { ok: true, payload: { state: large } } : counting(effect),
    )

    expect(story(effects).at(-1)).toEqual({ minute: 1, records: [1], state: {}, final: false })
  })

  it('cuts what is left of a batch anew when its state has grown, which takes no retry', () => {
    const mapping = windowed({ reportBatchItemFailures: true, maximumRetryAttempts: 0 })
    // All fit beside no state: 5.9 MB. The state leaves room for three of the heavy ones.
    const offered = [aRecord(0), ...[1, 2, 3, 4].map((index) => aRecord(index, { payloadBytes: 1_475_000 }))]
    const report = (from: number) => [{ itemIdentifier: String(1_000 + from) }]

    const effects = runToEnd(mapping, mapping.offer(offered, START_MS), ({ batch }) => ({
      ok: true,
      payload: { state: NINE_TENTHS, batchItemFailures: batch.records.length > 4 ? report(1) : [] },
    }))

    expect(outline(effects)).toEqual([[0, 1, 2, 3, 4], [1, 2, 3], [4]])
  })

  it.each(['retry', 'discard'] as const)(
    'ends early for a record that has no room beside its state, where oversizedRecords says %s',
    (oversizedRecords) => {
      const mapping = windowed({ batchSize: 1, oversizedRecords, maximumRetryAttempts: 0 })
      const offered = [aRecord(0), aRecord(1, { payloadBytes: 5.5 * 1024 * 1024 }), aRecord(2)]

      const effects = runToEnd(mapping, mapping.offer(offered, START_MS), () => ({
        ok: true,
        payload: { state: NINE_TENTHS },
      }))

      expect(outline(effects)).toEqual([[0], 'early', [1], [2]])
      expect(invocations(effects)[2]!.batch.window).toMatchObject({ startMs: START_MS, state: {} })
      expect(mapping.unresolvedRecords).toBe(0)
    },
  )

  it('is not ended for a record that no invocation has room for', () => {
    const mapping = windowed({ maximumRetryAttempts: 0 })
    const offered = [aRecord(0), aRecord(1, { payloadBytes: 7 * 1024 * 1024 }), aRecord(2)]

    const effects = runToEnd(mapping, mapping.offer(offered, START_MS), (effect) =>
      sequences(effect.batch.records)[0] === 1 ? { ok: false, invoked: false } : counting(effect),
    )

    expect(story(effects)).toEqual([
      { minute: 0, records: [0], state: {}, final: false },
      { minute: 0, records: [1], state: { count: 1 }, final: false },
      { minute: 0, records: [2], state: { count: 1 }, final: false },
    ])
    expect(effects.filter((effect) => effect.kind === 'discard')).toHaveLength(1)
  })

  it('leaves room for its state in the payload', () => {
    const mapping = windowed()
    const half = { payloadBytes: 2.6 * 1024 * 1024 }
    const offered = [aRecord(0), aRecord(1, half), aRecord(2, half)]
    const first = invocations(mapping.offer([offered[0]!], START_MS))[0]!
    mapping.offer(offered.slice(1), START_MS)

    const state = { held: 'x'.repeat(1024 * 1024 - 100) }
    const effects = mapping.settle(first.id, { ok: true, payload: { state } }, START_MS)

    expect(story(effects)).toMatchObject([{ records: [1] }])
  })
})
