import { InvalidOptionError } from '@org/kinesis-core'
import { describe, expect, it } from 'vitest'
import { type AmountWindow, aWindow } from './merged-window-fixture.js'
import { type RobustZScoreOptions, robustZScore } from './robust-z-score.js'

type Options = Partial<RobustZScoreOptions<{ amount: { initial: () => number } }>>

/** Judges the last of these amounts by those before. */
function judge(amounts: readonly number[], options: Options = {}) {
  const windows = amounts.map((amount, minute) => aWindow(minute, amount))
  const detector = robustZScore({ value: ({ aggregates }: AmountWindow) => aggregates.amount, ...options })
  return detector.observe(windows.at(-1)!, windows.slice(0, -1))
}

const usual = [98, 101, 100, 103, 97, 100, 99, 102, 100, 101]

describe('the robust z-score', () => {
  it('takes a value far above or below the median for unusual, and says how far it is', () => {
    // Deviations from the median of 100: 0 0 0 1 1 1 2 2 3 3, so their median is 1.
    expect(judge([...usual, 120], { minimumDeviation: 0.1 })).toEqual({
      value: 120,
      median: 100,
      deviation: 1.4826,
      score: 20 / 1.4826,
    })
    expect(judge([...usual, 20])?.score).toBe(-8)
    expect(judge([...usual, 104])).toBeUndefined()
  })

  it('says nothing until it knows enough windows', () => {
    expect(judge([...usual.slice(1), 1_000])).toBeUndefined()
    expect(judge([...usual.slice(1), 1_000], { minimumHistory: 9 })).toBeDefined()
  })

  it('does not take the first small change of a value that never moved for unusual', () => {
    const steady = Array<number>(10).fill(200)
    const silent = Array<number>(10).fill(0)

    expect(judge([...steady, 270])).toBeUndefined()
    expect(judge([...steady, 271])).toMatchObject({ deviation: 20 })
    expect(judge([...silent, 3])).toBeUndefined()
    expect(judge([...silent, 4])).toMatchObject({ deviation: 1, score: 4 })
    expect(judge([...steady, 201], { minimumDeviation: 0.1 })).toBeDefined()
  })

  it('is not blinded by unusual windows in its history', () => {
    const spiky = [...usual, 5_000, 6_000, 7_000, 8_000]

    expect(judge([...spiky, 5_000])).toBeDefined()
    expect(judge([...spiky, 101])).toBeUndefined()
  })

  it('is as wide as its threshold', () => {
    expect(judge([...usual, 140], { threshold: 4 })).toBeUndefined()
    expect(judge([...usual, 141], { threshold: 4 })).toBeDefined()
  })

  it('leaves windows out whose value is none', () => {
    const value = ({ aggregates: { amount } }: AmountWindow) => (amount < 0 ? null : amount)

    expect(judge([...usual, -1], { value })).toBeUndefined()
    expect(judge([...usual.slice(1), -1, 1_000], { value })).toBeUndefined()
    expect(judge([...usual, -1, 1_000], { value })).toMatchObject({ median: 100 })
    expect(judge([...usual, Number.NaN])).toBeUndefined()
  })

  it.each([
    { threshold: 0 },
    { threshold: Number.NaN },
    { minimumHistory: 0 },
    { minimumDeviation: 0 },
    { value: 'amount' },
    { treshold: 3 },
  ])('refuses %j', (options) => {
    expect(() => judge([1], options as Options)).toThrow(InvalidOptionError)
  })
})
