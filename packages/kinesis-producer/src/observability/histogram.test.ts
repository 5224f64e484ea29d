import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bucketsSince, Histogram, percentile } from './histogram.js'

function histogramOf(values: readonly number[]): Histogram {
  const histogram = new Histogram()
  for (const value of values) histogram.add(value)
  return histogram
}

describe('a histogram', () => {
  it('is empty at first', () => {
    const empty = { count: 0, sum: 0, max: 0, p50: 0, p90: 0, p99: 0, buckets: [] }
    expect(new Histogram().distribution()).toEqual(empty)
  })

  it('is exact for small whole numbers', () => {
    const counts = [...Array(90).fill(0), ...Array(8).fill(1), 3, 5]
    expect(histogramOf(counts).distribution()).toMatchObject({ p50: 0, p90: 0, p99: 3, max: 5, sum: 16 })
  })

  it('says percentiles within a quarter of the value, and never above the maximum', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 1, max: 5e8, noNaN: true }), { minLength: 1, maxLength: 200 }),
        (values) => {
          const { p50, p90, p99, max } = histogramOf(values).distribution()
          const sorted = values.toSorted((a, b) => a - b)
          for (const [share, said] of [
            [0.5, p50],
            [0.9, p90],
            [0.99, p99],
          ] as const) {
            const value = sorted[Math.ceil(share * sorted.length) - 1]!
            expect(said).toBeGreaterThanOrEqual(value / 1.25)
            expect(said).toBeLessThanOrEqual(Math.min(value * 1.25, max))
          }
        },
      ),
    )
  })

  it('counts a value with a weight as often as it says', () => {
    const weighted = new Histogram()
    weighted.add(12, 3)
    expect(weighted.distribution()).toEqual(histogramOf([12, 12, 12]).distribution())
  })

  it('holds after a merge what both held', () => {
    const values = [0.3, 1, 7.5, 90, 4_000]
    const merged = histogramOf(values.slice(0, 2))
    merged.merge(histogramOf(values.slice(2)))
    expect(merged.distribution()).toEqual(histogramOf(values).distribution())
  })

  it('takes what no timer counts, and nonsense, without growing', () => {
    const { buckets, count } = histogramOf([-1, Number.NaN, 1e300]).distribution()
    expect(count).toBe(3)
    expect(buckets.map((bucket) => bucket.count)).toEqual([2, 1])
  })

  it('tells what came between two snapshots', () => {
    const histogram = histogramOf([1, 1, 400])
    const before = histogram.distribution()
    histogram.add(3, 10)
    const between = bucketsSince(histogram.distribution().buckets, before.buckets)
    expect(between).toEqual([{ from: 3, below: 3.5, count: 10 }])
    expect(percentile(between, 0.99)).toBe(3)
  })
})
