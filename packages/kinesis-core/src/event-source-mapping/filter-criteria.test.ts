import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type FilterPattern, recordFilter } from './filter-criteria.js'

/** Whether a record with this text passes filters with these patterns on `data`. */
function passes(text: string, ...patterns: object[]): boolean {
  const filters = patterns.map((data) => ({ data }) as FilterPattern)
  return recordFilter(filters, 5)!.accepts(Buffer.from(text))
}

/** Operator by operator, the examples of "Control which events Lambda sends to your function": pattern, what passes, what does not. */
const documented: [string, object, string[], string[]][] = [
  ['Null', { UserID: [null] }, ['{"UserID":null}'], ['{"UserID":""}', '{"UserID":"null"}', '{}']],
  ['Empty', { LastName: [''] }, ['{"LastName":""}'], ['{"LastName":" "}', '{"LastName":null}', '{}']],
  ['Equals', { Name: ['Alice'] }, ['{"Name":"Alice"}'], ['{"Name":"alice"}', '{"Name":"Alicia"}', '{}']],
  [
    'Equals (ignore case)',
    { Name: [{ 'equals-ignore-case': 'alice' }] },
    ['{"Name":"Alice"}', '{"Name":"ALICE"}'],
    ['{"Name":"Alic"}', '{"Name":1}', '{}'],
  ],
  [
    'And',
    { Location: ['New York'], Day: ['Monday'] },
    ['{"Location":"New York","Day":"Monday","Hour":7}'],
    ['{"Location":"New York"}', '{"Location":"New York","Day":"Tuesday"}'],
  ],
  [
    'Or',
    { PaymentType: ['Credit', 'Debit'] },
    ['{"PaymentType":"Credit"}', '{"PaymentType":"Debit"}'],
    ['{"PaymentType":"Cash"}'],
  ],
  [
    'Or (multiple fields)',
    { $or: [{ Location: ['New York'] }, { Day: ['Monday'] }] },
    ['{"Location":"New York"}', '{"Day":"Monday"}', '{"Location":"New York","Day":"Monday"}'],
    ['{"Location":"Boston","Day":"Tuesday"}', '{}'],
  ],
  [
    'Not',
    { Weather: [{ 'anything-but': ['Raining'] }] },
    ['{"Weather":"Sunny"}', '{"Weather":null}', '{"Weather":7}'],
    ['{"Weather":"Raining"}', '{}', '{"Weather":{"now":"Sunny"}}'],
  ],
  [
    'Numeric (equals)',
    { Price: [{ numeric: ['=', 100] }] },
    ['{"Price":100}', '{"Price":100.0}', '{"Price":1e2}'],
    ['{"Price":100.01}', '{"Price":"100"}', '{}'],
  ],
  [
    'Numeric (range)',
    { Price: [{ numeric: ['>', 10, '<=', 20] }] },
    ['{"Price":10.000001}', '{"Price":20}'],
    ['{"Price":10}', '{"Price":20.000001}', '{"Price":null}'],
  ],
  [
    'Exists',
    { ProductName: [{ exists: true }] },
    ['{"ProductName":"x"}', '{"ProductName":null}', '{"ProductName":[1]}'],
    ['{}', '{"ProductName":{"en":"x"}}', '{"ProductName":[]}'],
  ],
  [
    'Does not exist',
    { ProductName: [{ exists: false }] },
    ['{}', '{"ProductName":{"en":"x"}}'],
    ['{"ProductName":"x"}', '{"ProductName":null}'],
  ],
  ['Begins with', { Region: [{ prefix: 'us-' }] }, ['{"Region":"us-east-1"}'], ['{"Region":"eu-us-1"}']],
  ['Ends with', { FileName: [{ suffix: '.png' }] }, ['{"FileName":"a.png"}'], ['{"FileName":"a.png.gz"}']],
]

describe('the comparison operators', () => {
  it.each(documented)('match as documented: %s', (_operator, pattern, taken, refused) => {
    for (const text of taken) expect(passes(text, pattern), text).toBe(true)
    for (const text of refused) expect(passes(text, pattern), text).toBe(false)
  })

  it('take the order of the developer guide that asks for "buy"', () => {
    const filters = ['{ "data" : { "order" : { "type" : [ "buy" ] } } }']
    const order = { record: 12345, order: { type: 'buy', stock: 'ANYCO', quantity: 1000 } }

    const filter = recordFilter(filters, 5)!

    expect(filter.accepts(Buffer.from(JSON.stringify(order)))).toBe(true)
    expect(filter.accepts(Buffer.from(JSON.stringify({ ...order, order: { type: 'sell' } })))).toBe(false)
  })

  it('compare numbers in a list by their text: 300, 300.0 and 3.0e2 are not equal', () => {
    const filter = recordFilter(['{"data":{"n":[300.0]}}'], 5)!

    expect(filter.accepts(Buffer.from('{"n":300.0}'))).toBe(true)
    expect(filter.accepts(Buffer.from('{"n":300}'))).toBe(false)
    expect(filter.accepts(Buffer.from('{"n":3.0e2}'))).toBe(false)
    expect(passes('{"n":12345678901234567891}', { n: [{ 'anything-but': 5 }] })).toBe(true)
    expect(passes('{"n":5}', { n: [{ 'anything-but': [4, 5] }] })).toBe(false)
    expect(passes('{"n":"5"}', { n: [5] })).toBe(false)
    expect(passes('{"n":true}', { n: [true] })).toBe(true)
    expect(passes('{"n":"true"}', { n: [true] })).toBe(false)
  })

  it('compare numbers in ranges within five thousand millions, six digits after the point', () => {
    expect(passes('{"n":5000000000}', { n: [{ numeric: ['>', 0] }] })).toBe(true)
    expect(passes('{"n":5000000000.1}', { n: [{ numeric: ['>', 0] }] })).toBe(false)
    expect(passes('{"n":0.1000001}', { n: [{ numeric: ['=', 0.1] }] })).toBe(true)
    expect(passes('{"n":0.100001}', { n: [{ numeric: ['=', 0.1] }] })).toBe(false)
    expect(passes('{"n":-1}', { n: [{ numeric: ['>=', -1, '<', 0] }] })).toBe(true)
  })

  it('ignore case at the ends of texts too', () => {
    expect(passes('{"s":"EventBridge"}', { s: [{ prefix: { 'equals-ignore-case': 'eventb' } }] })).toBe(true)
    expect(passes('{"s":"EventBridge"}', { s: [{ suffix: { 'equals-ignore-case': 'tBridge' } }] })).toBe(true)
    expect(passes('{"s":"EventBridge"}', { s: [{ suffix: 'tbridge' }] })).toBe(false)
  })
})

describe('a pattern', () => {
  it('matches fields inside fields, and stands on nothing else', () => {
    const pattern = { order: { customer: { country: ['DE', 'AT'] } } }
    expect(passes('{"order":{"customer":{"country":"AT","city":"Graz"}},"n":1}', pattern)).toBe(true)
    expect(passes('{"order":{"country":"AT"}}', pattern)).toBe(false)
    expect(passes('{"order":"AT"}', pattern)).toBe(false)
  })

  it('finds a value in an array, and fields that belong together in one element of it', () => {
    const employees = '{"employees":[{"first":"Anna","last":"Smith"},[{"first":"Peter","last":"Jones"}]]}'
    expect(passes('{"tags":["a","b"]}', { tags: ['b', 'c'] })).toBe(true)
    expect(passes('{"tags":["a",["b"]]}', { tags: ['b'] })).toBe(true)
    expect(passes('{"tags":["a","b"]}', { tags: [{ 'anything-but': 'a' }] })).toBe(true)
    expect(passes('{"tags":["a","a"]}', { tags: [{ 'anything-but': 'a' }] })).toBe(false)
    expect(passes(employees, { employees: { first: ['Peter'], last: ['Jones'] } })).toBe(true)
    expect(passes(employees, { employees: { first: ['Anna'], last: ['Jones'] } })).toBe(false)
  })

  it('asks whether a field exists in the whole of the data, with its parents or without', () => {
    const pattern = { a: { b: [{ exists: false }], c: ['x'] } }
    expect(passes('{"a":{"c":"x"}}', pattern)).toBe(true)
    expect(passes('{"a":[{"c":"x"},{"b":1}]}', pattern)).toBe(false)
    expect(passes('{}', { a: { b: [{ exists: false }] } })).toBe(true)
    expect(passes('{"a":7}', { a: { b: [{ exists: false }] } })).toBe(true)
    expect(passes('{}', { a: { b: [{ exists: false }, 'x'] } })).toBe(true)
  })

  it('joins alternatives at any depth, and takes any other $or for a field', () => {
    const nested = {
      source: ['aws.cloudwatch'],
      $or: [{ metric: ['cpu'] }, { kind: ['k'], $or: [{ id: [1] }, { space: [2] }] }],
    }
    expect(passes('{"source":"aws.cloudwatch","metric":"cpu"}', nested)).toBe(true)
    expect(passes('{"source":"aws.cloudwatch","kind":"k","space":2}', nested)).toBe(true)
    expect(passes('{"source":"aws.cloudwatch","kind":"k"}', nested)).toBe(false)
    expect(passes('{"metric":"cpu"}', nested)).toBe(false)
    expect(passes('{"$or":"a"}', { $or: ['a', 'b'] })).toBe(true)
    expect(passes('{"$or":{"a":1}}', { $or: { a: [1] } })).toBe(true)
  })

  it('may have its alternatives around the data, too', () => {
    const filter = recordFilter([{ $or: [{ data: { a: [1] } }, { data: { b: { c: ['x'] } } }] }], 5)!
    const accepts = (text: string) => filter.accepts(Buffer.from(text))
    expect(['{"a":1}', '{"b":{"c":"x"}}', '{"a":2}', 'no JSON'].map(accepts)).toEqual([
      true,
      true,
      false,
      false,
    ])
  })

  it('lets a record pass where one of several does', () => {
    expect(passes('{"b":1}', { a: [1] }, { b: [1] })).toBe(true)
    expect(passes('{"c":1}', { a: [1] }, { b: [1] })).toBe(false)
  })

  it.each(['', 'plain', '{"a":1', '{"a":1}}', '\uFEFFa', '[1,]'])(
    'drops data that is no JSON: %j',
    (text) => {
      expect(passes(text, { a: [{ exists: false }] })).toBe(false)
    },
  )

  it('drops bytes that are no text, and survives JSON of any depth', () => {
    const filter = recordFilter([{ data: { a: [{ exists: true }, 1] } }], 5)!
    expect(filter.accepts(Uint8Array.of(0x22, 0xff, 0x22))).toBe(false)
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      const deep = `{"a":${open.repeat(200_000)}1${close.repeat(200_000)}}`
      expect([true, false]).toContain(filter.accepts(Buffer.from(deep)))
    }
  })

  it('looks for no fields that the data inherit', () => {
    expect(passes('{}', { constructor: { name: [{ exists: true }] } })).toBe(false)
    expect(passes('{"__proto__":{"a":"x"}}', { a: ['x'] })).toBe(false)
  })
})

describe('a filter that cannot be', () => {
  const refused: [string, FilterPattern, string][] = [
    ['no JSON', '{ "data" : ', 'filters[0]'],
    ['no object', '[1]', 'filters[0]'],
    ['a metadata key', '{"partitionKey":["1"],"data":{"a":["b"]}}', 'filters[0].partitionKey'],
    ['no data', '{}', 'filters[0].data'],
    [
      'a metadata key in an alternative',
      '{"$or":[{"data":{"a":["b"]}},{"eventID":["c"]}]}',
      'filters[0].$or[1].eventID',
    ],
    ['one alternative', '{"$or":[{"data":{"a":["b"]}}]}', 'filters[0].$or'],
    [
      'a text for the data beside alternatives',
      '{"data":"x","$or":[{"data":{"a":["b"]}},{"data":{"c":["d"]}}]}',
      'filters[0].data',
    ],
    ['a plain text for the data', '{"data":["text"]}', 'filters[0].data'],
    ['no field', '{"data":{}}', 'filters[0].data'],
    ['no field further in', '{"data":{"a":{}}}', 'filters[0].data.a'],
    ['a bare value', '{"data":{"a":"b"}}', 'filters[0].data.a'],
    ['a bare number', '{"data":{"a":5}}', 'filters[0].data.a'],
    ['an empty list', '{"data":{"a":[]}}', 'filters[0].data.a'],
    ['a list in a list', '{"data":{"a":[["b"]]}}', 'filters[0].data.a[0]'],
    ['an unknown operator', '{"data":{"a":["x",{"matches":"b"}]}}', 'filters[0].data.a[1].matches'],
    ['an operator of event buses', '{"data":{"a":[{"wildcard":"b*"}]}}', 'filters[0].data.a[0].wildcard'],
    ['two operators', '{"data":{"a":[{"prefix":"b","suffix":"c"}]}}', 'filters[0].data.a[0]'],
    ['a prefix of a number', '{"data":{"a":[{"prefix":1}]}}', 'filters[0].data.a[0].prefix'],
    ['a question that is no yes or no', '{"data":{"a":[{"exists":"yes"}]}}', 'filters[0].data.a[0].exists'],
    [
      'exceptions of two kinds',
      '{"data":{"a":[{"anything-but":["b",1]}]}}',
      'filters[0].data.a[0].anything-but',
    ],
    [
      'a rule among exceptions',
      '{"data":{"a":[{"anything-but":{"prefix":"b"}}]}}',
      'filters[0].data.a[0].anything-but',
    ],
    ['a block of addresses', '{"data":{"a":[{"cidr":"10.0.0.0/8"}]}}', 'filters[0].data.a[0].cidr'],
    ['no exceptions', '{"data":{"a":[{"anything-but":[]}]}}', 'filters[0].data.a[0].anything-but'],
    ['an unknown comparison', '{"data":{"a":[{"numeric":["~",1]}]}}', 'filters[0].data.a[0].numeric[0]'],
    ['a comparison with a text', '{"data":{"a":[{"numeric":["=","1"]}]}}', 'filters[0].data.a[0].numeric[1]'],
    ['a number out of range', '{"data":{"a":[{"numeric":[">",5.1e9]}]}}', 'filters[0].data.a[0].numeric[1]'],
    ['a range upside down', '{"data":{"a":[{"numeric":[">",2,"<",1]}]}}', 'filters[0].data.a[0].numeric'],
    ['an upper bound first', '{"data":{"a":[{"numeric":["<",2,">",1]}]}}', 'filters[0].data.a[0].numeric'],
    ['a bound too many', '{"data":{"a":[{"numeric":["=",2,"<",3]}]}}', 'filters[0].data.a[0].numeric'],
    ['half a comparison', '{"data":{"a":[{"numeric":["="]}]}}', 'filters[0].data.a[0].numeric'],
    ['a fault in an alternative', '{"data":{"$or":[{"a":["b"]},{"c":"d"}]}}', 'filters[0].data.$or[1].c'],
    ['4,097 characters', `{"data":{"a":["${'x'.repeat(4_097 - 19)}"]}}`, 'filters[0].length'],
  ]

  it.each(refused)('is refused by its place in the pattern: %s', (_what, pattern, option) => {
    expect(() => recordFilter([pattern], 5)).toThrow(
      expect.objectContaining({
        code: 'INVALID_OPTION',
        option,
        message: expect.stringMatching(/cannot be used\. ./),
      }),
    )
  })

  it('is not yet one of 4,096 characters', () => {
    const pattern = `{"data":{"a":["${'x'.repeat(4_096 - 19)}"]}}`
    expect(pattern).toHaveLength(4_096)
    expect(recordFilter([pattern], 5)).toBeDefined()
  })

  it('is a sixth one, or an eleventh where the quota was raised', () => {
    const pattern = { data: { a: ['b'] } }
    expect(recordFilter([], 5)).toBeUndefined()
    expect(() => recordFilter(Array(6).fill(pattern), 5)).toThrow(/^filters\.length: 6/)
    expect(recordFilter(Array(10).fill(pattern), 10)).toBeDefined()
    expect(() => recordFilter(Array(11).fill(pattern), 10)).toThrow(/^filters\.length: 11/)
  })
})

describe('whatever the data', () => {
  const record = fc.record(
    { key: fc.constantFrom('a', 'b', 'c'), n: fc.integer({ min: -5, max: 5 }), more: fc.jsonValue() },
    { requiredKeys: [] },
  )

  it('a pattern of values agrees with looking at the fields', () => {
    fc.assert(
      fc.property(record, fc.constantFrom('a', 'b'), fc.integer({ min: -5, max: 5 }), (data, key, low) => {
        const text = JSON.stringify(data)
        expect(passes(text, { key: [key] })).toBe(data.key === key)
        expect(passes(text, { n: [low] })).toBe(data.n === low)
        expect(passes(text, { n: [{ numeric: ['>', low] }] })).toBe(data.n !== undefined && data.n > low)
        expect(passes(text, { n: [{ exists: true }] })).toBe(data.n !== undefined)
        expect(passes(text, { key: [{ 'anything-but': key }] })).toBe(
          data.key !== undefined && data.key !== key,
        )
      }),
      { numRuns: 300 },
    )
  })

  it('exists, and does not exist, are opposites', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom('a', 'b', ''), (data, name) => {
        const text = JSON.stringify({ at: data, [name]: data })
        for (const field of ['at', name, 'no']) {
          const there = passes(text, { at: { [field]: [{ exists: true }] } })
          expect(passes(text, { at: { [field]: [{ exists: false }] } })).toBe(!there)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('no bytes make it throw', () => {
    const filter = recordFilter([{ data: { a: [1, { prefix: 'x' }], b: { c: [{ exists: false }] } } }], 5)!
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((json) => Buffer.from(json)),
        ),
        (data) => {
          expect([true, false]).toContain(filter.accepts(data))
        },
      ),
    )
  })
})
