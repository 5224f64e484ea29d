import { InvalidOptionError } from '@org/kinesis-core'
import { describe, expect, it } from 'vitest'
import { metricWindow } from './metric-window.js'

const NOW = Date.UTC(2026, 0, 1, 12, 0, 30)

describe('metricWindow', () => {
  it('looks back as far as asked, on whole periods, and includes the one under way', () => {
    expect(metricWindow({}, 5, NOW)).toEqual({
      startMs: Date.UTC(2026, 0, 1, 11, 55),
      endMs: Date.UTC(2026, 0, 1, 12, 1),
      periodSeconds: 60,
    })
  })

  it('takes the periods that the caller asks for', () => {
    expect(metricWindow({ periodMinutes: 60, periodSeconds: 300 }, 5, NOW)).toEqual({
      startMs: Date.UTC(2026, 0, 1, 11),
      endMs: Date.UTC(2026, 0, 1, 12, 5),
      periodSeconds: 300,
    })
    expect(metricWindow({ periodMinutes: 1, periodSeconds: 10 }, 5, NOW).endMs).toBe(NOW + 10_000)
  })

  it.each([
    { periodMinutes: 0 },
    { periodMinutes: Number.NaN },
    { periodMinutes: 700_000 },
    { periodSeconds: 7 },
    { periodSeconds: 90 },
    { periodSeconds: 0 },
  ])('refuses $periodMinutes minutes and $periodSeconds seconds', (options) => {
    expect(() => metricWindow(options, 5, NOW)).toThrow(InvalidOptionError)
  })
})
