import { stripVTControlCharacters } from 'node:util'
import type { StreamHealth } from '@org/kinesis-monitor'
import { describe, expect, it } from 'vitest'
import { settleAccount } from './account.js'
import { accountText } from './account-view.js'
import type { RunReport } from './run-demo.js'

const nothingPut: RunReport = {
  ...settleAccount({
    ledger: [],
    stored: new Map(),
    firstWrites: new Map(),
    rejected: [],
    deadLettered: new Set(),
    lake: new Map(),
    windowed: 0,
  }),
  durationMs: 1_000,
  firstStoredAfterMs: null,
  peakRssBytes: 0,
  crashes: 0,
  skippedLines: 0,
  failure: null,
  health: { overallStatus: 'HEALTHY', findings: [] } as unknown as StreamHealth,
}

const text = (more: Partial<RunReport>) => stripVTControlCharacters(accountText({ ...nothingPut, ...more }))

describe('accountText', () => {
  it('says that everything was skipped where nothing was put', () => {
    expect(text({ skippedLines: 3 })).toMatch(
      /^✔ The account balances, but nothing was put: every line was skipped\n {2}skipped lines\s+3 /,
    )
  })

  it('has a row for skipped lines where there are some', () => {
    expect(text({ produced: 5, skippedLines: 1 })).toMatch(/^✔ The account balances\n {2}skipped lines\s+1 /)
    expect(text({ produced: 5 })).not.toContain('skipped')
  })
})
