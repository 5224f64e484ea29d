import { describe, expect, it } from 'vitest'
import { backoffDelayMs } from './backoff.js'
import { seededRandom } from './random.js'

const policy = { baseMs: 50, maxMs: 1_000 }

describe('backoffDelayMs', () => {
  it.each([
    [1, 50],
    [2, 100],
    [4, 400],
    [6, 1_000],
    [5_000, 1_000],
  ])('draws the delay of attempt %i from 0 to %i ms', (attempt, ceiling) => {
    expect(backoffDelayMs(attempt, policy, () => 0)).toBe(0)
    expect(backoffDelayMs(attempt, policy, () => 0.999_999_9)).toBe(ceiling - 1)
  })

  it('repeats itself under the same seed and not under another', () => {
    const delays = (seed: number) => {
      const random = seededRandom(seed)
      return Array.from({ length: 8 }, () => backoffDelayMs(6, policy, random))
    }

    expect(delays(1)).toEqual(delays(1))
    expect(delays(1)).not.toEqual(delays(2))
  })
})
