import { describe, expect, it } from 'vitest'
import { cliSuffix, count, duration, percent } from './wording.js'

describe('wording', () => {
  it.each([
    [300, '300 ms'],
    [90_000, '90 s'],
    [600_000, '10 min'],
    [86_400_000, '24 h'],
    [604_800_000, '7 days'],
  ])('says %i ms as %s', (ms, text) => {
    expect(duration(ms)).toBe(text)
  })

  it('says shares and counts', () => {
    expect([0, 0.0012, 0.034, 0.5, 0.9499, 0.99999, 1].map(percent)).toEqual([
      '0%',
      '0.12%',
      '3.4%',
      '50%',
      '94.9%',
      '99.9%',
      '100%',
    ])
    expect([count(1, 'record'), count(12_345, 'record')]).toEqual(['1 record', '12,345 records'])
  })

  it('puts region and endpoint at the end of a command, safe for a shell', () => {
    expect(cliSuffix('eu-west-1', 'http://127.0.0.1:4567')).toBe(
      ' --region eu-west-1 --endpoint-url http://127.0.0.1:4567',
    )
    expect(cliSuffix(undefined, "http://h/'$(x)'")).toBe(` --endpoint-url 'http://h/'\\''$(x)'\\'''`)
    expect(cliSuffix(undefined, undefined)).toBe('')
  })
})
