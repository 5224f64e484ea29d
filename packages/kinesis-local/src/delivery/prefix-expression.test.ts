import { describe, expect, it } from 'vitest'
import { parseErrorPrefix, parsePrefix } from './prefix-expression.js'
import { timestampPattern } from './timestamp-pattern.js'

const context = {
  atMs: Date.UTC(2026, 0, 2, 3, 4, 5, 67),
  errorOutputType: 'processing-failed',
  partitionKeys: { customer: 'c-1', kind: 'order' },
  randomString: () => 'Xy7-random_',
}

describe('a prefix', () => {
  it.each([
    ['year=!{timestamp:yyyy}/month=!{timestamp:MM}/', 'year=2026/month=01/'],
    ["!{timestamp:'year='yyyy'/month='MM}/", 'year=2026/month=01/'],
    ['!{timestamp:yyyy-MM-dd HH:mm:ss}', '2026-01-02 03:04:05'],
    ["!{timestamp:yyyy'o''clock'H}", "2026o'clock3"],
    ['!{timestamp:yyyy}/!{firehose:random-string}/', '2026/Xy7-random_/'],
    ['raw/', 'raw/2026/01/02/03/'],
    ['', '2026/01/02/03/'],
  ])('%s is %s', (text, expanded) => {
    expect(parsePrefix('prefix', text).expand(context)).toBe(expanded)
  })

  it('holds the keys of a partition where records are partitioned', () => {
    const text = '!{partitionKeyFromLambda:customer}/!{partitionKeyFromLambda:kind}/!{timestamp:yyyy}/'

    const prefix = parsePrefix('prefix', text, { isPartitioned: true })

    expect(prefix.expand(context)).toBe('c-1/order/2026/')
    expect(prefix.partitionKeys).toEqual(['customer', 'kind'])
  })

  it('shows the time of a zone, at its offset of that moment', () => {
    const tokyo = { timeZone: 'Asia/Tokyo' }
    const newYork = { timeZone: 'America/New_York' }
    const expand = (month: number, rules: object) =>
      parsePrefix('prefix', '!{timestamp:yyyy-MM-dd HH}', rules).expand({
        ...context,
        atMs: Date.UTC(2026, month, 1, 15),
      })

    expect(expand(0, tokyo)).toBe('2026-01-02 00')
    expect(expand(0, newYork)).toBe('2026-01-01 10')
    expect(expand(6, newYork)).toBe('2026-07-01 11')
  })

  it.each([
    ['!{timestamp:yyyy', /Close the expression/],
    ['!{timestamp:}', /no expression/],
    ['!{timestamp:jjjj}', /jjjj is no part/],
    ['!{timestamp:zzzz}', /zzzz is no part/],
    ['!{timestamp:MMMMMM}', /MMMMMM is no part/],
    ["!{timestamp:yyyy'}", /' is no part/],
    ['!{firehose:error-output-type}/!{timestamp:yyyy}', /no expression !{firehose:error-output-type}/],
    ['!{region:name}', /no expression/],
    ['!{yyyy}', /no expression/],
    ['!{partitionKeyFromLambda:user}', /Set dynamicPartitioning/],
    ['!{partitionKeyFromQuery:user}', /Queries are not run here/],
    ['../outside/', /stays inside/],
    ['x'.repeat(513), /512 characters/],
  ])('%s is refused, with the reason', (text, reason) => {
    expect(() => parsePrefix('prefix', text)).toThrow(reason)
  })

  it('says by what records are partitioned, if they are', () => {
    expect(() => parsePrefix('prefix', 'raw/', { isPartitioned: true })).toThrow(
      /partitionKeyFromLambda:NAME/,
    )
  })
})

describe('an error prefix', () => {
  it('says what kind of error it holds', () => {
    const expand = (text: string) => parseErrorPrefix('errorPrefix', text).expand(context)

    expect(expand('errors/!{firehose:error-output-type}/')).toBe('errors/processing-failed/')
    expect(expand('!{timestamp:yyyy}/!{firehose:error-output-type}-')).toBe('2026/processing-failed-')
    expect(expand('errors/')).toBe('errors/processing-failed/')
  })

  it('must say it where it says any expression, and knows no partitions', () => {
    expect(() => parseErrorPrefix('errorPrefix', 'errors/!{timestamp:yyyy}/')).toThrow(/error-output-type/)
    expect(() =>
      parseErrorPrefix('errorPrefix', '!{firehose:error-output-type}/!{partitionKeyFromLambda:a}/'),
    ).toThrow(/no expression !{partitionKeyFromLambda:a}/)
  })
})

// What java.time.format.DateTimeFormatter.ofPattern(pattern, Locale.US) makes of these.
describe('a pattern of a timestamp', () => {
  const at = Date.UTC(2026, 11, 28, 0, 5, 9, 42)

  it.each([
    ['G yy u', 'AD 26 2026'],
    ['D DDD', '362 362'],
    ['M MMM MMMM MMMMM L', '12 Dec December D 12'],
    ['Q QQ QQQ QQQQ', '4 04 Q4 4th quarter'],
    ['E EEEE EEEEE e eee', 'Mon Monday M 2 Mon'],
    ['a h hh K k kk H', 'AM 12 12 0 24 24 0'],
    ['m mm s ss S SSS SSSSSS', '5 05 9 09 0 042 042000'],
    ['A n N', '309042 42000000 309042000000'],
    ['VV O OOOO X XXX xx xxx Z ZZZZ ZZZZZ', 'UTC GMT GMT Z Z +0000 +00:00 +0000 GMT Z'],
    ['[yyyy][-MM]', '2026-12'],
    // 2026-12-28 is in the week of the first of January.
    ['YYYY w ww', '2027 1 01'],
    ['W F', '5 7'],
  ])('%s is %s', (pattern, expected) => {
    expect(timestampPattern('prefix', pattern)(at)).toBe(expected)
  })

  it('knows the offset of its zone', () => {
    expect(timestampPattern('p', 'VV O OOOO X XX XXX Z ZZZZZ', 'Asia/Kolkata')(at)).toBe(
      'Asia/Kolkata GMT+5:30 GMT+05:30 +0530 +0530 +05:30 +0530 +05:30',
    )
    expect(timestampPattern('p', 'O X XXX', 'America/Sao_Paulo')(at)).toBe('GMT-3 -03 -03:00')
  })
})
