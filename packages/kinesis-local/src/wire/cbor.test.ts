import { cbor, tagSymbol } from '@smithy/core/cbor'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ServiceError } from '../service.js'
import { decodeCbor } from './cbor-decoder.js'
import { encodeCbor } from './cbor-encoder.js'

const key = fc.string().filter((name) => name !== '__proto__' && !/(Timestamps?|edAt)$/.test(name))

/** What bodies are made of: both codecs keep text, bytes, numbers and what holds them apart. */
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.string(),
    fc.string({ unit: 'grapheme' }),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true }),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array(),
    fc.array(tie('value')),
    fc.dictionary(key, tie('value'), { noNullPrototype: true }),
  ),
}))

/** Bytes as one kind, and no negative zero, which is an integer to some. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'bigint') return Number(value)
  if (typeof value === 'number') return value === 0 ? 0 : value
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]))
}

describe('CBOR', () => {
  it('is written so that the SDK reads it, and read as the SDK writes it', () => {
    fc.assert(
      fc.property(value, (given) => {
        expect(plain(cbor.deserialize(encodeCbor(given, 'seconds')))).toEqual(plain(given))
        expect(plain(decodeCbor(Buffer.from(cbor.serialize(given)), 'seconds'))).toEqual(plain(given))
        expect(plain(decodeCbor(encodeCbor(given, 'seconds'), 'seconds'))).toEqual(plain(given))
      }),
      { numRuns: 300 },
    )
  })

  it('has timestamps as tagged numbers, of milliseconds or of seconds', () => {
    const result = { StreamCreationTimestamp: 1_767_225_600.5, RetentionPeriodHours: 24, Timestamps: [1] }

    expect(cbor.deserialize(encodeCbor(result, 'milliseconds'))).toMatchObject({
      StreamCreationTimestamp: { tag: 1, value: 1_767_225_600_500, [tagSymbol]: true },
      RetentionPeriodHours: 24,
      Timestamps: [{ tag: 1, value: 1_000 }],
    })
    for (const unit of ['milliseconds', 'seconds'] as const) {
      expect(decodeCbor(encodeCbor(result, unit), unit)).toEqual({
        StreamCreationTimestamp: new Date(1_767_225_600_500),
        RetentionPeriodHours: 24,
        Timestamps: [new Date(1_000)],
      })
    }
  })

  it.each([
    // Examples of RFC 8949, appendix A.
    ['9fff', []],
    ['bf61610161629f0203ffff', { a: 1, b: [2, 3] }],
    ['5f42010243030405ff', Buffer.from([1, 2, 3, 4, 5])],
    ['7f657374726561646d696e67ff', 'streaming'],
    ['1bffffffffffffffff', 2 ** 64],
    ['3903e7', -1_000],
    ['f93c00', 1],
    ['f90001', 2 ** -24],
    ['f9c400', -4],
    ['f97c00', Number.POSITIVE_INFINITY],
    ['fa47c35000', 100_000],
    ['f7', null],
    ['d74401020304', Buffer.from([1, 2, 3, 4])],
  ])('is read with and without lengths: %s', (hex, expected) => {
    expect(decodeCbor(Buffer.from(hex, 'hex'), 'seconds')).toEqual(expected)
  })

  it('keeps a name out of the prototype', () => {
    const bytes = Buffer.from('a1695f5f70726f746f5f5fa16178f5', 'hex')
    const read = decodeCbor(bytes, 'seconds') as object

    expect(Object.getOwnPropertyNames(read)).toEqual(['__proto__'])
    expect('x' in read).toBe(false)
  })

  it.each([
    ['an end too early', 'a1'],
    ['more than was sent', '9bffffffffffffffff'],
    ['bytes that are not there', '5a7fffffff'],
    ['a key that is no text', 'a10101'],
    ['chunks of another type', '5f6161ff'],
    ['a timestamp that is text', 'c16161'],
    ['something after its end', '0101'],
    ['a break that ends nothing', 'ff'],
    ['nesting without end', '81'.repeat(100_000)],
    ['tags without end', 'c1'.repeat(100_000)],
  ])('that is malformed is refused: %s', (_what, hex) => {
    expect(() => decodeCbor(Buffer.from(hex, 'hex'), 'seconds')).toThrow(
      expect.objectContaining({ code: 'SerializationException' }),
    )
  })

  it('of any bytes is read or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          decodeCbor(Buffer.from(bytes), 'milliseconds')
        } catch (error) {
          expect(error).toBeInstanceOf(ServiceError)
        }
      }),
      { numRuns: 2_000 },
    )
  })
})
