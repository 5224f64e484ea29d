import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dueEvents, totalEvents } from './pacing.js'

describe('pacing', () => {
  it('has the asked number due at any time, however long nobody looked', () => {
    expect(dueEvents(0, 0, 100)).toBe(1)
    expect(dueEvents(0, 9, 100)).toBe(1)
    expect(dueEvents(0, 10, 100)).toBe(2)
    expect(dueEvents(0, 60_000, 100)).toBe(6_001)
  })

  it('never goes back, and never beyond its limit', () => {
    fc.assert(
      fc.property(
        fc.nat(100_000),
        fc.nat(1_000),
        fc.double({ min: 0.1, max: 50_000, noNaN: true }),
        (at, later, rate) => {
          const limit = totalEvents(rate, 10)
          expect(dueEvents(0, at + later, rate, limit)).toBeGreaterThanOrEqual(dueEvents(0, at, rate, limit))
          expect(dueEvents(0, at + later, rate, limit)).toBeLessThanOrEqual(limit)
        },
      ),
    )
  })

  it('has all events due before the run is over', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20_000 }), fc.integer({ min: 1, max: 600 }), (rate, seconds) => {
        const total = totalEvents(rate, seconds)
        expect(total).toBe(rate * seconds)
        expect(dueEvents(0, seconds * 1000, rate, total)).toBe(total)
      }),
    )
  })
})
