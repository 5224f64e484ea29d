import { seededRandom } from '@org/kinesis-core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RecordChecker } from '../record-input.js'
import { LineSplitter } from './line-splitter.js'
import { type RecordReaderOptions, recordReader } from './record-reader.js'

/** Records as `key:data`, bad lines as `!line reason`. */
function read(input: string | Buffer, options: Partial<RecordReaderOptions> = {}): string[] {
  const resolved: RecordReaderOptions = {
    format: 'lines',
    partitionKeyField: undefined,
    partitionKeyRegex: undefined,
    explicitHashKeyField: undefined,
    delimiter: ',',
    skipEmpty: true,
    maxRecordBytes: 1_000,
    checker: new RecordChecker(options.maxRecordBytes ?? 1_000),
    random: seededRandom(1),
    ...options,
  }
  const splitter = new LineSplitter(resolved.maxRecordBytes)
  const reader = recordReader(resolved)
  const lines = [...splitter.push(Buffer.from(input)), ...splitter.end()]
  return [...reader.read(lines), ...reader.end()].map((item) =>
    'record' in item
      ? `${item.record.partitionKey}:${Buffer.from(item.record.data)}`
      : `!${item.lineNumber} ${item.reason}`,
  )
}

const csv = (input: string | Buffer, options: Partial<RecordReaderOptions> = {}) =>
  read(input, { format: 'csv', partitionKeyField: 'id', ...options })

describe('records of CSV', () => {
  it('are JSON objects of texts, in the order of the columns', () => {
    expect(csv('id,2,1\n7,"a ""b"",\nc",\n')).toEqual(['7:{"id":"7","2":"a \\"b\\",\\nc","1":""}'])
  })

  it('read back what was written, whatever is in the fields', () => {
    const field = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', ' ', 'ü'), maxLength: 6 })
    const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`
    fc.assert(
      fc.property(fc.array(fc.tuple(field, field), { minLength: 1 }), (rows) => {
        const input = rows.map(([a, b], index) => `${index},${quoted(a)},${quoted(b)}`).join('\n')

        const records = csv(`id,a,b\n${input}`).map((record) =>
          JSON.parse(record.slice(record.indexOf(':') + 1)),
        )

        expect(records).toEqual(rows.map(([a, b], index) => ({ id: String(index), a, b })))
      }),
    )
  })

  it('lose one line to a quote that never closes, and none behind it', () => {
    expect(csv('id,a\n1,"open\n2,b\n3,c\n')).toEqual([
      '!2 a quote opens in it that never closes.',
      '2:{"id":"2","a":"b"}',
      '3:{"id":"3","a":"c"}',
    ])
  })

  it('lose one line where another row closes its quote', () => {
    expect(csv('id,a\n1,"open\n2,b\n3,"c\nd"\n')).toEqual([
      '!2 a quote opens in it that never closes.',
      '2:{"id":"2","a":"b"}',
      '3:{"id":"3","a":"c\\nd"}',
    ])
  })

  it('do not look for the end of a quote further than a record is long', () => {
    const rows = Array.from({ length: 100 }, (_, index) => `${index},some text`)

    const items = csv(`id,a\nx,"open\n${rows.join('\n')}\n`, { maxRecordBytes: 200 })

    expect(items).toHaveLength(101)
    expect(items.filter((item) => item.startsWith('!'))).toEqual([
      '!2 a quote opens in it that never closes.',
    ])
  })

  it.each([
    ['too few fields', '1', 'it has 1 fields where the header has 2.'],
    ['a quote amid a field', '1,a"b"', 'a quote stands inside a field that does not begin with one.'],
    ['text behind a quote', '1,"a"b', 'more follows after the quote that closes a field.'],
    ['an empty key', ',a', 'its field id is empty.'],
  ])('are refused for %s', (_, line, reason) => {
    expect(csv(`id,a\n${line}\n2,b\n`)).toEqual([`!2 ${reason}`, '2:{"id":"2","a":"b"}'])
  })

  it('are refused where they are no UTF-8', () => {
    expect(csv(Buffer.from('id,a\n1,\xfc\n', 'latin1'))).toEqual([
      expect.stringMatching(/^!2 it is not UTF-8/),
    ])
  })

  it('need a header that has the key, and no name twice', () => {
    expect(() => csv('a,b\n1,2\n')).toThrow(/line 1: it has no column id for --partition-key\. .* a, b/)
    expect(() => csv('id,a,a\n')).toThrow(/it names "a" twice/)
    expect(() => csv('id,"a\n1,2\n')).toThrow(/a quote opens/)
  })
})

describe('records of NDJSON', () => {
  const ndjson = (line: string, partitionKeyField: string) =>
    read(line, { format: 'ndjson', partitionKeyField })[0]!.split(':')[0]

  it.each([
    ['a text', '{"a":"x"}', 'x'],
    ['a number', '{"a":1.50}', '1.5'],
    ['a truth value', '{"a":false}', 'false'],
    ['a number of many digits', '{"a":-18446744073709551615}', '-18446744073709551615'],
  ])('take %s for a key', (_, line, key) => {
    expect(ndjson(line, 'a')).toBe(key)
  })

  it('find a field by its path, through arrays too, and by a name that has dots', () => {
    expect(ndjson('{"a":{"b":[{"c":"deep"}]}}', 'a.b.0.c')).toBe('deep')
    expect(ndjson('{"a.b":"flat","a":{"b":"deep"}}', 'a.b')).toBe('flat')
  })

  it.each([
    ['a missing field', '{"b":1}'],
    ['what every object inherits', '{"b":1}', 'constructor'],
    ['a document that is no object', '42'],
    ['a path through a text', '{"a":"x"}', 'a.length'],
  ])('are refused for %s', (_, line, field = 'a') => {
    expect(ndjson(line, field)).toBe(`!1 it has no field ${field}.`)
  })

  it('are refused where data and key together are too large', () => {
    const [item] = read(`{"a":"${'x'.repeat(500)}"}`, {
      format: 'ndjson',
      partitionKeyField: 'a',
      maxRecordBytes: 600,
    })

    expect(item).toMatch(/^!1 partitionKey: 500 characters/)
    expect(read('x'.repeat(600), { maxRecordBytes: 600 })[0]).toMatch(
      /^!1 it makes a record of 61\d bytes with its key, and a record with its key holds 600/,
    )
  })

  it('are refused for an explicit hash key that is none', () => {
    const [item] = read('{"h":"-1"}', { format: 'ndjson', explicitHashKeyField: 'h' })

    expect(item).toMatch(/^!1 explicitHashKey: "-1" is not a decimal integer/)
  })
})
