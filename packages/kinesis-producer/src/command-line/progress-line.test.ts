import { describe, expect, it } from 'vitest'
import { type ProgressSnapshot, progressLine } from './progress-line.js'

const snapshot: ProgressSnapshot = {
  phase: 'reading',
  doneShare: undefined,
  isInterrupted: false,
  seconds: 12.3,
  delivered: 12_345,
  deliveredPerSecond: 987.6,
  bytes: 3_500_000,
  unsettled: 234,
  failed: 0,
  refused: 0,
}

const line = (more: Partial<ProgressSnapshot> = {}, columns = 120) =>
  progressLine({ ...snapshot, ...more }, columns)

describe('the progress', () => {
  it('counts what is delivered and on its way', () => {
    expect(line()).toBe('12 s  12,345 delivered  988/s  3.3 MiB  234 in flight')
  })

  it('has a bar, a share and the time left where the input has an end', () => {
    expect(line({ doneShare: 0.25, seconds: 30 })).toMatch(/^█████░{15} 25% {2}90 s left {2}12,345 delivered/)
    expect(line({ doneShare: 0.5, seconds: 6_000 })).toContain('50%  2 h left')
  })

  it('does not guess the time left from the first moments', () => {
    expect(line({ doneShare: 0.01, seconds: 0.2 })).toMatch(/^░{20} 1% {2}12,345 delivered/)
  })

  it('names failures and bad input', () => {
    expect(line({ failed: 2, refused: 3_000 })).toMatch(/2 failed {2}3,000 refused$/)
  })

  it('says that it drains, and after Ctrl-C how to give up', () => {
    expect(line({ phase: 'draining' })).toMatch(/^draining {2}12,345 delivered/)
    expect(line({ phase: 'draining', doneShare: 0.9 })).toContain('90%')
    expect(line({ isInterrupted: true, doneShare: 0.9 })).toMatch(/^draining, Ctrl-C again gives up {2}/)
  })

  it('fits into a narrow terminal', () => {
    expect(line({}, 20)).toHaveLength(19)
  })
})
