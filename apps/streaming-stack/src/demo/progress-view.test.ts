import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from 'vitest'
import { type ProgressSnapshot, progressBlock, progressLine } from './progress-view.js'

const snapshot: ProgressSnapshot = {
  elapsedMs: 5_000,
  totalMs: 20_000,
  readShare: undefined,
  phase: 'running',
  isStopped: false,
  produced: 1_234,
  producedPerSecond: 99.96,
  behind: 0,
  left: 34,
  putFailures: 0,
  stored: 1_200,
  storedPerSecond: 98,
  rejected: 7,
  delivered: 900,
  windowed: 1_100,
  lagMs: 1_250,
  invocationErrors: 0,
}

const block = (more: Partial<ProgressSnapshot> = {}, columns = 80) =>
  stripVTControlCharacters(progressBlock({ ...snapshot, ...more }, columns))

describe('progress', () => {
  it('is one plain line for pipes', () => {
    expect(progressLine(snapshot)).toBe(
      '5.0 s/20.0 s  produced 1,234 (100.0 ev/s)  stored 1,200 (98.0 ev/s)  rejected 7  delivered 900  lag 1.3 s  errors 0',
    )
  })

  it('draws a bar where the run has an end', () => {
    expect(block()).toContain('██████████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░  5.0 s of 20.0 s')
    expect(block({ elapsedMs: 99_000 })).toContain('█'.repeat(40))
  })

  it('says how to end a run that has none', () => {
    expect(block({ totalMs: undefined })).toContain('Ctrl-C drains')
  })

  it('shows how much of a file is read', () => {
    const replay = { totalMs: undefined, elapsedMs: 12_300, readShare: 0.4321 }

    expect(block(replay)).toContain(`${'█'.repeat(17)}${'░'.repeat(23)}  12.3 s, 43% of the file`)
    expect(progressLine({ ...snapshot, ...replay })).toContain('read 43%')
  })

  it('fits the bar into a narrow terminal', () => {
    const [bar] = block({}, 40).split('\n')

    expect(bar!.length).toBeLessThanOrEqual(40)
  })

  it('names what is behind, and errors', () => {
    expect(block({ behind: 12 })).toContain('12 behind')
    expect(block({ invocationErrors: 2, putFailures: 1 })).toMatch(/errors\s+3/)
    expect(progressLine({ ...snapshot, behind: 12 })).toContain('behind 12')
  })

  it('says that it drains, how much is left, and how not to wait for it', () => {
    const text = 'draining, 34 left; Ctrl-C again ends at once'

    expect(block({ phase: 'draining', isStopped: true })).toContain(text)
    expect(progressLine({ ...snapshot, phase: 'draining', isStopped: true })).toContain(text)
    expect(block({ phase: 'draining' })).toContain('Ctrl-C twice ends at once')
  })
})
