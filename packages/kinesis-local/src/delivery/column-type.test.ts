import { describe, expect, it } from 'vitest'
import { fitRow, parseColumnType } from './column-type.js'
import { readJsonDocuments } from './json-documents.js'

/** What a JSON value becomes in a column. */
function fit(type: string, json: string): unknown {
  const [value] = readJsonDocuments(json)
  const row = fitRow(new Map([['column', parseColumnType(type)]]), { column: value })
  return JSON.parse(JSON.stringify(row)).column
}

describe('a column', () => {
  it.each([
    ['string', '"a"', 'a'],
    ['string', '1.50', '1.50'],
    ['string', '{"a":1.0}', '{"a":1.0}'],
    ['int', '17', '17'],
    ['int', '"-17"', '-17'],
    ['bigint', '9223372036854775807', '9223372036854775807'],
    ['tinyint', '-128', '-128'],
    ['double', '1e3', 1000],
    ['boolean', '"false"', false],
    ['decimal(10,2)', '12.345', '12.35'],
    ['decimal(38,18)', '12345678901234567890.123456789012345678', '12345678901234567890.123456789012345678'],
    ['decimal(4,0)', '-7.5', '-8'],
    ['decimal(3,2)', '0.005', '0.01'],
    ['timestamp', '"2026-01-02T03:04:05.123456789+01:00"', '2026-01-02 02:04:05.123456'],
    ['timestamp', '"2026-01-02 03:04:05"', '2026-01-02 03:04:05.000000'],
    ['timestamp', '1767225600', '2026-01-01 00:00:00.000'],
    ['timestamp', '1767225600123', '2026-01-01 00:00:00.123'],
    ['date', '"2028-02-29"', '2028-02-29'],
    ['array<int>', '[1,null,"2"]', ['1', null, '2']],
    ['map<string,boolean>', '{"a":true}', { a: true }],
    ['struct<a:string, b:array<double>>', '{"a":"x","b":[1],"c":9}', { a: 'x', b: [1] }],
  ])('of type %s takes %s', (type, json, stored) => {
    expect(fit(type, json)).toEqual(stored)
  })

  it.each([
    ['int', '"x"', /is no whole number/],
    ['int', '1.5', /is no whole number/],
    ['int', '2147483648', /does not fit into 32 bits/],
    ['double', '"abc"', /is no number/],
    ['float', '1e39', /is no number of this size/],
    ['boolean', '1', /is no boolean/],
    ['decimal(4,2)', '99.999', /more than 4 digits/],
    ['timestamp', '"2026-02-30 00:00:00"', /calendar/],
    ['timestamp', '"yesterday"', /is no timestamp/],
    ['date', '"2027-02-29"', /calendar/],
    ['array<int>', '{}', /is no list/],
    ['struct<a:int>', '[]', /is no object/],
  ])('of type %s refuses %s', (type, json, reason) => {
    expect(() => fit(type, json)).toThrow(reason)
  })

  it('names the way to what does not fit', () => {
    const columns = new Map([['order', parseColumnType('struct<lines:array<struct<count:int>>>')]])
    const [row] = readJsonDocuments('{"order":{"lines":[{"count":1},{"count":"many"}]}}')

    expect(() => fitRow(columns, row)).toThrow(
      expect.objectContaining({ path: ['order', 'lines', '1', 'count'] }),
    )
  })

  it.each([
    '',
    'text',
    'array<int',
    'array<>',
    'map<int,int>',
    'struct<a>',
    'decimal(39,2)',
    'decimal(2,3)',
    'int int',
    'struct<a:int,a:int>',
    'struct<a:int,A:int>',
    'array<struct<a:int,b:struct<c:int,C:int>>>',
    'struct<a\0b:int>',
  ])('has no type %j', (type) => {
    expect(() => parseColumnType(type)).toThrow()
  })

  it('is not nested without end', () => {
    expect(() => parseColumnType(`${'array<'.repeat(5_000)}int`)).toThrow('nested too deep')
  })
})

describe('the documents of a record', () => {
  it.each([
    ['{"a":1}', 1],
    ['{"a":1}\n', 1],
    ['{"a":1}{"b":"}{\\""}', 2],
    ['{"a":1}\n{"b":2}\n{"c":{"d":3}}\n', 3],
  ])('in %j are %d', (text, count) => {
    expect(readJsonDocuments(text)).toHaveLength(count)
  })

  it.each(['', 'a', '{"a":1}{"b":', '{"a":1}x', '[{"a":1}', '}{'])('%j holds none', (text) => {
    expect(() => readJsonDocuments(text)).toThrow(SyntaxError)
  })
})
