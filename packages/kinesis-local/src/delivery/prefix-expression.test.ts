import { describe, expect, it } from 'vitest'
import { parseErrorPrefix, parsePrefix } from './prefix-expression.js'

const context = {
  atMs: Date.UTC(2026, 0, 2, 3, 4, 5),
  errorOutputType: 'processing-failed',
  randomString: () => 'Xy7-random',
}

describe('a prefix', () => {
  it.each([
    ['year=!{timestamp:yyyy}/month=!{timestamp:MM}/', 'year=2026/month=01/'],
    ["!{timestamp:'year='yyyy'/month='MM}/", 'year=2026/month=01/'],
    ['!{timestamp:yyyy-MM-dd HH:mm:ss}', '2026-01-02 03:04:05'],
    ["!{timestamp:yyyy'o''clock'H}", "2026o'clock3"],
    ['!{timestamp:yyyy}/!{firehose:random-string}/', '2026/Xy7-random/'],
    ['raw/', 'raw/2026/01/02/03/'],
    ['', '2026/01/02/03/'],
  ])('%s is %s', (text, expanded) => {
    expect(parsePrefix('prefix', text)(context)).toBe(expanded)
  })

  it.each([
    ['!{timestamp:yyyy', /Close the expression/],
    ['!{timestamp:}', /no expression/],
    ['!{timestamp:YYYY}', /YYYY is no part/],
    ["!{timestamp:yyyy'}", /' is no part/],
    ['!{firehose:error-output-type}/!{timestamp:yyyy}', /no expression !{firehose:error-output-type}/],
    ['!{region:name}', /no expression/],
    ['!{yyyy}', /no expression/],
    ['!{partitionKeyFromLambda:user}', /Dynamic partitioning/],
    ['../outside/', /stays inside/],
  ])('%s is refused, with the reason', (text, reason) => {
    expect(() => parsePrefix('prefix', text)).toThrow(reason)
  })
})

describe('an error prefix', () => {
  it('says what kind of error it holds', () => {
    const expand = (text: string) => parseErrorPrefix('errorPrefix', text)(context)

    expect(expand('errors/!{firehose:error-output-type}/')).toBe('errors/processing-failed/')
    expect(expand('!{timestamp:yyyy}/!{firehose:error-output-type}-')).toBe('2026/processing-failed-')
    expect(expand('errors/')).toBe('errors/processing-failed/')
  })

  it('must say it where it says any expression', () => {
    expect(() => parseErrorPrefix('errorPrefix', 'errors/!{timestamp:yyyy}/')).toThrow(/error-output-type/)
  })
})
