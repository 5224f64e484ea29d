import { describe, expect, it } from 'vitest'
import { RateLimit } from './rate-limit.js'

/** Records taken between two instants by one who looks every `everyMs`. */
function takeFor(limit: RateLimit, fromMs: number, toMs: number, everyMs: number): number {
  let taken = 0
  for (let nowMs = fromMs; nowMs < toMs; nowMs += everyMs) while (limit.take(nowMs) === 0) taken += 1
  return taken
}

describe('RateLimit', () => {
  it.each([0.5, 7, 300, 12_345])('lets %d records a second through, exactly, on average', (perSecond) => {
    const taken = takeFor(new RateLimit(perSecond), 5_000, 65_000, 15)

    // The first is due at once; the last look is up to 15 ms before the end.
    expect(taken).toBeGreaterThanOrEqual(Math.floor(59.985 * perSecond))
    expect(taken).toBeLessThanOrEqual(60 * perSecond + 1)
  })

  it('says when the next one is due', () => {
    const limit = new RateLimit(10)

    expect(limit.take(0)).toBe(0)
    expect(limit.take(30)).toBe(70)
    expect(limit.take(100)).toBe(0)
  })

  it('catches up with a short standstill, and with no more than a second of a long one', () => {
    const limit = new RateLimit(100)
    takeFor(limit, 0, 1_000, 10)

    expect(takeFor(limit, 1_500, 1_501, 10)).toBeLessThanOrEqual(51)
    expect(takeFor(limit, 60_000, 60_001, 10)).toBe(101)
  })
})
