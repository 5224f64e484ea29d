import { streamMetrics } from '@org/kinesis-core'
import { describe, expect, it } from 'vitest'
import { summarize } from './metric-summary.js'
import type { SeriesReading } from './monitor-source.js'

function reading(values: Record<number, number>, state: SeriesReading['state'] = 'complete'): SeriesReading {
  const points = Object.entries(values).map(([time, value]) => ({ timestampMs: Number(time), value }))
  return { points, state }
}

describe('summarize', () => {
  it('puts sum, average and maximum of each period together, and weighs the whole by what was published', () => {
    const sums = reading({ 0: 100, 60000: 10 })
    const maxima = reading({ 0: 5, 60000: 10 })
    const counts = reading({ 0: 99, 60000: 1 })

    const summary = summarize(streamMetrics.incomingRecords, [sums, maxima, counts])

    expect(summary).toMatchObject({ state: 'reported', sum: 110, average: 1.1, maximum: 10 })
    expect(summary.datapoints[1]).toEqual({
      timestampMs: 60_000,
      sum: 10,
      average: 10,
      maximum: 10,
      sampleCount: 1,
    })
  })

  it('tells zero from missing', () => {
    const zero = [reading({ 0: 0 }), reading({ 0: 0 }), reading({ 0: 4 })]
    const nothing = [reading({}), reading({}), reading({})]

    expect(summarize(streamMetrics.incomingRecords, zero)).toMatchObject({ state: 'reported', sum: 0 })
    expect(summarize(streamMetrics.incomingRecords, nothing)).toMatchObject({
      state: 'missing',
      sum: undefined,
      average: undefined,
      maximum: undefined,
    })
  })

  it('tells what was not read from what was not published', () => {
    const unread = [reading({}, 'unread'), reading({}, 'unread'), reading({}, 'unread')]
    const partial = [reading({ 0: 1 }, 'partial'), reading({ 0: 1 }), reading({ 0: 1 })]

    expect(summarize(streamMetrics.incomingRecords, unread).state).toBe('unread')
    expect(summarize(streamMetrics.incomingRecords, partial).state).toBe('partial')
  })

  it('leaves out a period of which one series has no point', () => {
    const readings = [reading({ 0: 1, 60000: 1 }), reading({ 0: 1 }, 'partial'), reading({ 0: 1, 60000: 1 })]

    expect(summarize(streamMetrics.incomingRecords, readings).datapoints).toHaveLength(1)
  })
})
