import { describe, expect, it } from 'vitest'
import { InvalidRecordError, RecordTooLargeError } from './producer-errors.js'
import { type ProducerRecord, RecordChecker } from './record-input.js'

const checker = new RecordChecker(1_024)
const read = (record: Partial<ProducerRecord>) =>
  checker.check({ partitionKey: 'key', data: 'data', ...record })

describe('data', () => {
  it('is sent as bytes without a copy', () => {
    const data = new Uint8Array([1, 2, 3])

    expect(read({ data }).data).toBe(data)
  })

  it('is text where it is a string, and JSON where it is an object or an array', () => {
    expect(read({ data: 'Grüße' }).data).toBe('Grüße')
    expect(read({ data: { a: 1 } }).data).toBe('{"a":1}')
    expect(read({ data: [1, 2] }).data).toBe('[1,2]')
    expect(read({ data: '' }).data).toBe('')
  })

  it('is taken from other views and buffers, of which JSON would make {}', () => {
    const buffer = new Uint8Array([7, 8, 9]).buffer

    expect(read({ data: buffer }).data).toEqual(new Uint8Array([7, 8, 9]))
    expect(read({ data: new DataView(buffer, 1, 1) }).data).toEqual(new Uint8Array([8]))
  })

  it('counts with the key in bytes, and the limit is inclusive', () => {
    expect(read({ partitionKey: 'ü', data: 'x'.repeat(1_022) }).keyBytes).toBe(2)
    expect(() => read({ partitionKey: 'ü', data: 'x'.repeat(1_023) })).toThrow(RecordTooLargeError)
  })

  it('that is too large names both sizes and the remedy', () => {
    expect(() => read({ data: 'x'.repeat(2_000) })).toThrow(
      /data: 2003 bytes .* limit is 1024 bytes\. .*maxRecordBytes/,
    )
  })
})

describe('a record that cannot be sent', () => {
  const circular: { self?: object } = {}
  circular.self = circular

  it.each<[string, unknown, string, RegExp]>([
    ['no key', { data: 'x' }, 'partitionKey', /undefined is not a string/],
    ['a number for a key', { partitionKey: 7, data: 'x' }, 'partitionKey', /7 is not a string/],
    ['an empty key', { partitionKey: '', data: 'x' }, 'partitionKey', /empty.*1 to 256/],
    ['a long key', { partitionKey: 'k'.repeat(257), data: 'x' }, 'partitionKey', /257 characters.*256/],
    ['half a character', { partitionKey: '\ud83d', data: 'x' }, 'partitionKey', /surrogate/],
    ['no data', { partitionKey: 'k' }, 'data', /undefined cannot be sent/],
    ['null', { partitionKey: 'k', data: null }, 'data', /null cannot be sent/],
    ['a number', { partitionKey: 'k', data: 5 }, 'data', /5 cannot be sent/],
    ['a function', { partitionKey: 'k', data: () => 1 }, 'data', /a function cannot be sent/],
    ['a circle', { partitionKey: 'k', data: circular }, 'data', /cannot be written as JSON/],
    ['a bigint inside', { partitionKey: 'k', data: { n: 1n } }, 'data', /cannot be written as JSON/],
    ['toJSON without a value', { partitionKey: 'k', data: { toJSON() {} } }, 'data', /toJSON/],
    ['a hash key that is no number', hashKey('x'), 'explicitHashKey', /"x" is not a decimal integer/],
    ['a negative hash key', hashKey('-1'), 'explicitHashKey', /0 to 2\^128-1/],
    ['a hash key out of range', hashKey(String(1n << 128n)), 'explicitHashKey', /0 to 2\^128-1/],
    ['a hash key as a number', hashKey(5), 'explicitHashKey', /5 is not/],
    ['no record', undefined, 'record', /undefined is not a record/],
  ])('with %s is refused by name, value and remedy', (_, record, field, message) => {
    const attempt = () => checker.check(record as ProducerRecord)

    expect(attempt).toThrow(InvalidRecordError)
    expect(attempt).toThrow(message)
    expect(attempt).toThrow(expect.objectContaining({ field, code: 'INVALID_RECORD', retryable: false }))
  })

  it('is not one whose key has 256 characters outside the basic plane', () => {
    expect(read({ partitionKey: '😀'.repeat(256), data: '' }).keyBytes).toBe(1_024)
  })

  it('is not one with the greatest hash key', () => {
    expect(read({ explicitHashKey: String((1n << 128n) - 1n) }).explicitHashKey).toMatch(/^3402/)
  })
})

function hashKey(explicitHashKey: unknown) {
  return { partitionKey: 'k', data: 'x', explicitHashKey }
}
