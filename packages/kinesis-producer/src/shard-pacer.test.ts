import { describe, expect, it } from 'vitest'
import { ShardPacer } from './shard-pacer.js'

const MiB = 1024 * 1024

/** How many records of a size leave at one time. */
function takeAll(pacer: ShardPacer, sizeBytes: number, nowMs: number): number {
  pacer.refill(nowMs)
  let taken = 0
  while (pacer.tryTake(sizeBytes)) taken++
  return taken
}

describe('a pacer', () => {
  it('grants a burst of one second and then 1,000 records a second', () => {
    const pacer = new ShardPacer(0)

    expect(takeAll(pacer, 1, 0)).toBe(1_000)
    expect(takeAll(pacer, 1, 100)).toBe(100)
    expect(takeAll(pacer, 1, 60_000)).toBe(1_000)
  })

  it('grants 1 MiB a second where records are large', () => {
    const pacer = new ShardPacer(0)

    expect(takeAll(pacer, MiB / 4, 0)).toBe(4)
    expect(takeAll(pacer, MiB / 4, 500)).toBe(2)
  })

  it('lets a record through that is larger than the bucket, and pays for it afterwards', () => {
    const pacer = new ShardPacer(0)

    expect(takeAll(pacer, 4 * MiB, 0)).toBe(1)
    expect(takeAll(pacer, 1, 2_900)).toBe(0)
    expect(pacer.waitMs(1)).toBeCloseTo(100, 0)
    expect(takeAll(pacer, MiB / 200, 3_100)).toBeGreaterThanOrEqual(19)
  })

  it('says how long to wait for the next record', () => {
    const pacer = new ShardPacer(0)
    takeAll(pacer, 1, 0)

    expect(pacer.waitMs(1)).toBeCloseTo(1)
    pacer.refill(1)
    expect(pacer.waitMs(1)).toBe(0)
  })

  it('has no tokens after a throttle, slows down once a second, and recovers', () => {
    const pacer = new ShardPacer(0)

    pacer.throttled(0, 10)
    expect(takeAll(pacer, 1, 10)).toBe(0)
    pacer.throttled(900, 1_000)
    expect(pacer.share).toBeCloseTo(0.9, 2)
    pacer.throttled(1_020, 1_030)
    expect(pacer.share).toBeCloseTo(0.9 * 0.85, 2)

    pacer.refill(5_030)
    expect(pacer.share).toBeCloseTo(0.9 * 0.85 + 0.2, 2)
    pacer.refill(9_030)
    expect(pacer.share).toBe(1)
  })

  it('does not take the echo of requests that were under way for news', () => {
    const pacer = new ShardPacer(0)

    pacer.throttled(0, 5_000)
    pacer.throttled(4_999, 9_000)

    expect(pacer.share).toBe(1)
    pacer.throttled(6_000, 9_000)
    expect(pacer.share).toBeCloseTo(0.85)
  })

  it('never stops altogether', () => {
    const pacer = new ShardPacer(0)
    for (let at = 0; at < 100; at++) pacer.throttled(at * 1_000, at * 1_000)

    expect(pacer.share).toBeGreaterThanOrEqual(0.01)
    expect(pacer.waitMs(1)).toBeLessThanOrEqual(100)
  })

  it('is not confused by a clock that goes back', () => {
    const pacer = new ShardPacer(1_000)
    takeAll(pacer, 1, 1_000)

    expect(takeAll(pacer, 1, 0)).toBe(0)
    expect(takeAll(pacer, 1, 50)).toBe(50)
  })
})
