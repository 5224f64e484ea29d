import { describe, expect, it } from 'vitest'
import { forecastLag } from './lag-forecast.js'

const HOUR = 3_600_000
const points = (...ages: number[]) =>
  ages.map((maximum, index) => ({
    timestampMs: index * 60_000,
    sum: maximum,
    average: maximum,
    maximum,
    sampleCount: 1,
  }))

describe('forecastLag', () => {
  it('says when growing lag meets the retention', () => {
    expect(forecastLag(points(0, 30_000, 60_000), HOUR)).toEqual({
      ageMs: 60_000,
      growthMsPerSecond: 500,
      // 59 minutes are left, and half a minute goes every minute.
      timeToLossMs: 2 * 59 * 60_000,
      catchUpMs: undefined,
    })
  })

  it('says when shrinking lag is gone', () => {
    expect(forecastLag(points(120_000, 90_000, 60_000), HOUR)).toMatchObject({
      timeToLossMs: undefined,
      catchUpMs: 120_000,
    })
  })

  it('foresees nothing of lag that stays as it is, nor from one point', () => {
    const nothing = { growthMsPerSecond: 0, timeToLossMs: undefined, catchUpMs: undefined }

    expect(forecastLag(points(5_000, 5_000), HOUR)).toMatchObject(nothing)
    expect(forecastLag(points(5_000), HOUR)).toMatchObject(nothing)
  })

  it('sees the loss that is there, whichever way the lag goes', () => {
    expect(forecastLag(points(HOUR, HOUR), HOUR)?.timeToLossMs).toBe(0)
    expect(forecastLag(points(2 * HOUR, HOUR), HOUR)?.timeToLossMs).toBe(0)
  })

  it('is not led astray by one bad minute', () => {
    const forecast = forecastLag(points(1_000, 1_000, 60_000, 1_000, 1_000), HOUR)

    expect(forecast?.growthMsPerSecond).toBe(0)
  })

  it('has nothing to say without data points', () => {
    expect(forecastLag([], HOUR)).toBeUndefined()
  })
})
