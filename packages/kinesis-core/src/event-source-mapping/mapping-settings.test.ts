import { describe, expect, it } from 'vitest'
import { resolveMappingSettings } from './mapping-settings.js'

describe('the settings of a mapping', () => {
  it('default to those of the service', () => {
    expect(resolveMappingSettings({})).toMatchObject({
      batchSize: 100,
      maximumBatchingWindowMs: 0,
      parallelizationFactor: 1,
      maximumRetryAttempts: -1,
      maximumRecordAgeMs: -1,
      bisectBatchOnFunctionError: false,
      reportBatchItemFailures: false,
      tumblingWindowMs: undefined,
      maximumPayloadBytes: 6_291_456,
      filter: undefined,
      partialProgressResetsRetries: true,
      bisectWithoutProgress: true,
      windowStateAfterPartialFailure: 'returned',
      idleWindowDelayMs: 0,
      oversizedRecords: 'retry',
      expiredRecords: 'drop',
    })
  })

  it.each([
    ['batchSize', 0],
    ['batchSize', 10_001],
    ['batchSize', 1.5],
    ['maximumBatchingWindowMs', 300_001],
    ['parallelizationFactor', 11],
    ['maximumRetryAttempts', -2],
    ['maximumRetryAttempts', 10_001],
    ['maximumRecordAgeMs', 604_800_001],
    ['tumblingWindowMs', 900_001],
    ['maximumPayloadBytes', 7 * 1024 * 1024],
    ['maximumFilters', 11],
    ['idleWindowDelayMs', 120_001],
  ])('refuse %s = %d', (option, value) => {
    expect(() => resolveMappingSettings({ [option]: value })).toThrow(new RegExp(`^${option}: `))
  })

  it.each([
    ['bisectBatchOnFunctionError', 'false'],
    ['reportBatchItemFailures', 0],
    ['partialProgressResetsRetries', 'no'],
    ['bisectWithoutProgress', 1],
  ])('refuse %s = %j, which is neither true nor false', (option, value) => {
    expect(() => resolveMappingSettings({ [option]: value })).toThrow(
      `${option}: ${JSON.stringify(value)} cannot be used. Give true or false.`,
    )
  })

  it.each([
    ['retryBackoff', 100],
    ['retryBackoff.baseMs', {}],
    ['retryBackoff.baseMs', { baseMs: Number.NaN, maxMs: 1_000 }],
    ['retryBackoff.baseMs', { baseMs: -1, maxMs: 1_000 }],
    ['retryBackoff.maxMs', { baseMs: 100, maxMs: Number.POSITIVE_INFINITY }],
    ['retryBackoff.maxMs', { baseMs: 100 }],
  ])('refuse a wait between attempts by the name %s: %j', (option, retryBackoff) => {
    expect(() => resolveMappingSettings({ retryBackoff: retryBackoff as never })).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', option }),
    )
  })

  it('take up to five filters, or as many as maximumFilters says', () => {
    const filters = Array(6).fill({ data: { a: ['b'] } })
    expect(() => resolveMappingSettings({ filters })).toThrow(/^filters\.length: 6 cannot be used/)
    expect(resolveMappingSettings({ filters, maximumFilters: 6 }).filter).toBeDefined()
  })

  it('refuse switches that there are not', () => {
    expect(() => resolveMappingSettings({ oversizedRecords: 'split' as 'hold' })).toThrow(
      /^oversizedRecords: "split" cannot be used\. Give retry or hold or discard/,
    )
    expect(() => resolveMappingSettings({ windowStateAfterPartialFailure: 'none' as 'before' })).toThrow(
      /^windowStateAfterPartialFailure: /,
    )
  })

  it('refuse windows beside parallel batches', () => {
    expect(() => resolveMappingSettings({ tumblingWindowMs: 60_000, parallelizationFactor: 2 })).toThrow(
      /^parallelizationFactor: 2 cannot be used/,
    )
  })
})
