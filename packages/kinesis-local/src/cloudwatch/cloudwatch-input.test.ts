import { describe, expect, it } from 'vitest'
import { epochMs } from './cloudwatch-input.js'

describe('a timestamp', () => {
  it.each([
    [1.5, 1_500],
    [new Date(1_500), 1_500],
    ['1970-01-01T00:00:01.500Z', 1_500],
  ])('may be %s', (value, ms) => {
    expect(epochMs(value, 'Timestamp')).toBe(ms)
  })

  it.each([[1e300], [new Date(Number.NaN)], ['soon'], [Number.NaN], [null], [undefined], [{}], [true]])(
    'cannot be %s',
    (value) => {
      expect(() => epochMs(value, 'Timestamp')).toThrow(/Timestamp is required and must be a timestamp/)
    },
  )
})
