import { marshall } from '@aws-sdk/util-dynamodb'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PermanentError } from '../errors.js'
import { itemBytes, marshallItem } from './marshall.js'

describe('marshallItem', () => {
  it("writes what the SDK's own marshaller writes, for any JSON", () => {
    const attribute = fc.string().filter((name) => name !== '__proto__')
    const safe = fc.oneof(
      fc.string(),
      fc.boolean(),
      fc.constant(null),
      fc.integer(),
      fc.double({ noNaN: true, min: -1e15, max: 1e15 }).filter((n) => n === 0 || Math.abs(n) > 1e-130),
    )
    const value = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        safe,
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(attribute, tie('value'), { maxKeys: 4, noNullPrototype: true }),
      ),
    })).value
    fc.assert(
      fc.property(fc.dictionary(attribute, value, { noNullPrototype: true }), (item) => {
        // Zero has no sign in DynamoDB; the SDK's marshaller writes -0 as '0' too.
        expect(marshallItem(item)).toEqual(marshall(item))
      }),
    )
  })

  it('writes numbers as they were sent, digit by digit', () => {
    const numbers = {
      a: 0.1,
      b: 19.99,
      c: -0,
      d: 1e21,
      e: 123456789.125,
      f: 12345678901234567890123n,
      g: 1e-7,
    }

    expect(marshallItem(numbers)).toEqual({
      a: { N: '0.1' },
      b: { N: '19.99' },
      c: { N: '0' },
      d: { N: '1e+21' },
      e: { N: '123456789.125' },
      f: { N: '12345678901234567890123' },
      g: { N: '1e-7' },
    })
  })

  it('leaves out what is undefined, and keeps empty text, lists, maps and bytes', () => {
    const bytes = Uint8Array.of(1, 2)

    expect(marshallItem({ a: undefined, b: '', c: [undefined, []], d: { e: undefined }, f: bytes })).toEqual({
      b: { S: '' },
      c: { L: [{ NULL: true }, { L: [] }] },
      d: { M: {} },
      f: { B: bytes },
    })
  })

  const nested = (levels: number): unknown => (levels === 0 ? 'leaf' : { in: nested(levels - 1) })

  it.each([
    ['no number', { n: Number.NaN }, /item\.n: NaN is out of the range/],
    ['infinity', { n: [1, Number.POSITIVE_INFINITY] }, /item\.n\[1\]: Infinity/],
    ['a number too large', { n: 1e126 }, /1e\+126/],
    ['a number too small', { n: 1e-131 }, /1e-131/],
    ['an integer of too many digits', { n: BigInt('1'.repeat(39)) }, /38 significant digits/],
    ['an integer too long', { n: 10n ** 126n }, /126 in all/],
    ['nesting too deep', { n: nested(40) }, /32 levels/],
    ['a date, which would be stored empty', { at: new Date() }, /item\.at: a Date cannot be stored/],
    ['a map', { m: new Map() }, /a Map cannot be stored/],
    ['a function', { f: () => 1 }, /a function cannot be stored/],
    ['a symbol', { s: Symbol('s') }, /a symbol cannot be stored/],
    ['a name that the SDK would lose', JSON.parse('{"m":{"__proto__":{"a":1}}}'), /__proto__/],
    ['no object at all', undefined as never, /no object/],
  ])('refuses for good: %s', (_, item, message) => {
    const attempt = () => marshallItem(item as Record<string, unknown>)

    expect(attempt).toThrow(PermanentError)
    expect(attempt).toThrow(message)
    expect(attempt).toThrow(expect.objectContaining({ reasonCode: 'unstorable' }))
  })

  it('stays short in its message however long a name is', () => {
    expect(() => marshallItem({ ['n'.repeat(100_000)]: Number.NaN })).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/^.{0,400}$/) }),
    )
  })
})

describe('itemBytes', () => {
  it('counts names and values in UTF-8, and what lists and maps cost', () => {
    const item = marshallItem({
      id: 'ä',
      flag: true,
      list: ['ab', null],
      map: { k: 'v' },
      raw: new Uint8Array(7),
    })

    // id 2+2, flag 4+1, list 4+3+(2+1)+(1+1), map 3+3+(1+1+1), raw 3+7
    expect(itemBytes(item)).toBe(4 + 5 + 12 + 9 + 10)
  })

  it.each([
    [0, 1],
    [7, 2],
    [-7, 3],
    [12.5, 3],
    [1e100, 2],
    [100, 2],
    [0.1 + 0.2, 10],
  ])('counts %d as %d bytes', (number, bytes) => {
    expect(itemBytes(marshallItem({ n: number }))).toBe(1 + bytes)
  })
})
