import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MetricStore } from './metric-store.js'

const datum = (stream: string, atSecond: number, value = 1) => ({
  namespace: 'AWS/Kinesis',
  name: 'IncomingRecords',
  dimensions: { StreamName: stream },
  unit: 'Count' as const,
  value,
  timestampMs: atSecond * 1000,
})
const keptSeconds = (store: MetricStore) => [...store.all].reduce((sum, { seconds }) => sum + seconds.size, 0)

describe('the metric store', () => {
  it('keeps sum, count and bounds of each second, whatever the order of arrival', () => {
    const store = new MetricStore()
    for (const [atSecond, value] of [
      [61, 5],
      [0, 2],
      [0, -3],
      [59, 7],
    ] as const) {
      store.put(datum('a', atSecond, value))
    }

    const series = store.series('AWS/Kinesis', 'IncomingRecords', { StreamName: 'a' })!
    expect(store.query(series, 0, 120_000, 60)).toEqual([
      { atMs: 0, values: { sum: 6, count: 3, minimum: -3, maximum: 7 } },
      { atMs: 60_000, values: { sum: 5, count: 1, minimum: 5, maximum: 5 } },
    ])
    expect(store.query(series, 0, 59_000, 1).map(({ atMs }) => atMs)).toEqual([0])
  })

  it('keeps about three hours of a series', () => {
    const store = new MetricStore()
    for (let second = 0; second < 20_000; second++) store.put(datum('a', second))

    expect(keptSeconds(store)).toBeGreaterThanOrEqual(10_800)
    expect(keptSeconds(store)).toBeLessThan(12_000)
  })

  it('is bounded whatever the number of series, and forgets the oldest', () => {
    const store = new MetricStore()
    for (let second = 0; second < 600; second++) {
      for (let stream = 0; stream < 1_000; stream++) store.put(datum(`stream-${stream}`, second))
    }
    expect(keptSeconds(store)).toBeLessThanOrEqual(500_000)

    const series = store.series('AWS/Kinesis', 'IncomingRecords', { StreamName: 'stream-7' })!
    expect(store.query(series, 0, 600_000, 1).at(-1)?.atMs).toBe(599_000)
    expect(series.seconds.has(0)).toBe(false)
  })

  it('takes any line for metrics or for none, and never fails', () => {
    const store = new MetricStore()
    const directive = fc.record({
      Namespace: fc.jsonValue(),
      Dimensions: fc.jsonValue(),
      Metrics: fc.jsonValue(),
    })
    const line = fc.oneof(
      fc.string(),
      fc.jsonValue().map((value) => JSON.stringify({ _aws: value })),
      fc
        .array(fc.oneof(directive, fc.jsonValue()))
        .map((CloudWatchMetrics) => JSON.stringify({ _aws: { CloudWatchMetrics }, a: 1 })),
    )

    fc.assert(
      fc.property(line, (text) => {
        expect(typeof store.ingestEmf(text, 0)).toBe('boolean')
      }),
    )
  })

  it('takes what has a time that no date has as of now', () => {
    const store = new MetricStore()
    const _aws = { Timestamp: 1e300, CloudWatchMetrics: [{ Namespace: 'N', Metrics: [{ Name: 'a' }] }] }

    store.ingestEmf(JSON.stringify({ _aws, a: 1 }), 5_000)

    expect([...store.series('N', 'a', {})!.seconds.keys()]).toEqual([5])
  })
})
