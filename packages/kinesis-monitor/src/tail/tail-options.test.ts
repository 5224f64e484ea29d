import { InvalidOptionError } from '@org/kinesis-core'
import { describe, expect, it } from 'vitest'
import { resolveTailOptions } from './tail-options.js'

const NOW = Date.UTC(2026, 0, 1)

describe('resolveTailOptions', () => {
  it('reads from the tip once a second where nothing else is asked for', () => {
    expect(resolveTailOptions({}, NOW)).toMatchObject({
      from: { type: 'LATEST' },
      readIntervalMs: 1_000,
      deaggregate: true,
    })
  })

  it('takes a time', () => {
    expect(resolveTailOptions({ from: new Date(NOW - 1) }, NOW).from).toEqual({
      type: 'AT_TIMESTAMP',
      timestampMs: NOW - 1,
    })
  })

  it.each([
    { from: new Date(NOW + 1) },
    { from: new Date('no date') },
    { from: 'YESTERDAY' as 'LATEST' },
    { readIntervalMs: 199 },
    { maxRecordsPerRead: 10_001 },
    { maxBufferedBytes: 0 },
    { maxConcurrentReads: 0 },
    { maxOutageMs: -1 },
  ])('refuses %o', (options) => {
    expect(() => resolveTailOptions(options, NOW)).toThrow(InvalidOptionError)
  })
})
