import { InvalidOptionError } from '@org/kinesis-core'
import { describe, expect, it } from 'vitest'
import { type RejectedChoice, rejectedFilter } from './rejected-choice.js'
import { aRejectedRecord } from './rejected-fixture.js'

const record = aRejectedRecord({
  partitionKey: 'ann',
  arrivalMs: 1_000,
  rejectedMs: 5_000,
  reasonCode: 'undecodable',
})

describe('a choice of rejected records', () => {
  it.each<[boolean, RejectedChoice | undefined]>([
    [true, undefined],
    [true, {}],
    [true, { reasonCodes: ['invalid', 'undecodable'] }],
    [false, { reasonCodes: ['invalid'] }],
    [true, { partitionKeys: ['ann'] }],
    [false, { partitionKeys: ['an', 'ann '] }],
    [true, { streamNames: ['orders'] }],
    [false, { streamNames: ['clicks'] }],
    [true, { arrivedFromMs: 1_000, arrivedBeforeMs: 1_001 }],
    [false, { arrivedBeforeMs: 1_000 }],
    [false, { arrivedFromMs: 1_001 }],
    [true, { rejectedFromMs: 5_000, rejectedBeforeMs: 5_001 }],
    [false, { rejectedBeforeMs: 5_000 }],
    [false, { rejectedFromMs: 5_001 }],
    [true, { where: ({ errors }) => errors[0]?.message === 'bad' }],
    [false, { where: () => false }],
    [false, { partitionKeys: ['ann'], reasonCodes: ['invalid'] }],
  ])('is %s for a record of ann that arrived at 1,000 and was rejected at 5,000: %j', (chosen, choice) => {
    expect(rejectedFilter(choice)(record)).toBe(chosen)
  })

  it('reaches a record whose time of rejection no calendar holds', () => {
    const odd = aRejectedRecord({ rejectedMs: 1e300 })

    expect(rejectedFilter({ rejectedBeforeMs: 5_000 })(odd)).toBe(true)
  })

  it.each<[string, object]>([
    ['reasonCodes', { reasonCodes: [] }],
    ['partitionKeys', { partitionKeys: 'ann' }],
    ['streamNames', { streamNames: [7] }],
    ['arrivedFromMs', { arrivedFromMs: new Date() }],
    ['rejectedBeforeMs', { rejectedBeforeMs: Number.NaN }],
    ['arrivedFromMs', { arrivedFromMs: 2, arrivedBeforeMs: 2 }],
    ['where', { where: 'ann' }],
    ['reason', { reason: 'invalid' }],
  ])('that cannot be meant is refused: %s', (option, choice) => {
    expect(() => rejectedFilter(choice as never)).toThrow(InvalidOptionError)
    expect(() => rejectedFilter(choice as never)).toThrow(expect.objectContaining({ option }))
  })
})
