import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { PermanentError, TransientError } from './errors.js'
import { json, parseJson } from './json-decoder.js'

const bytes = (text: string) => Buffer.from(text)

function faultOf(decode: () => unknown): { reasonCode?: string | undefined; message: string } {
  try {
    decode()
  } catch (error) {
    expect(error).toBeInstanceOf(PermanentError)
    return error as PermanentError
  }
  throw new Error('It was decoded.')
}

describe('parseJson', () => {
  it('reads any JSON document', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(parseJson(bytes(text))).toEqual(JSON.parse(text))
      }),
    )
  })

  it('refuses bytes that are no UTF-8, instead of replacing them', () => {
    expect(faultOf(() => parseJson(Uint8Array.of(0x22, 0xc3, 0x28, 0x22)))).toMatchObject({
      reasonCode: 'undecodable',
      message: 'The record is no UTF-8 text.',
    })
  })

  it.each(['', '{"a":', 'NaN', '{"a":Infinity}', "{'a':1}", '{"a":1} {"a":2}'])(
    'refuses what is no JSON: %s',
    (text) => {
      expect(faultOf(() => parseJson(bytes(text))).reasonCode).toBe('undecodable')
    },
  )

  it.each([
    '1e999',
    '{"a":[{"b":-1E+400}]}',
    '[1e0999]',
    `{"a":${'9'.repeat(400)}}`,
    `[${'9'.repeat(250)}e99]`,
  ])('refuses a number that became Infinity: %s', (text) => {
    expect(faultOf(() => parseJson(bytes(text))).reasonCode).toBe('undecodable')
  })

  it('never lets an Infinity through, whatever the number looks like', () => {
    const digits = fc.stringMatching(/^[1-9][0-9]{0,350}$/)
    const exponent = fc.option(fc.tuple(fc.constantFrom('e', 'E', 'e+', 'e-'), fc.nat(500)), {
      nil: undefined,
    })
    fc.assert(
      fc.property(digits, exponent, (mantissa, power) => {
        const text = `{"n":${mantissa}${power === undefined ? '' : power.join('')}}`
        const holds = Number.isFinite((JSON.parse(text) as { n: number }).n)
        if (holds) expect(parseJson(bytes(text))).toEqual(JSON.parse(text))
        else expect(faultOf(() => parseJson(bytes(text))).reasonCode).toBe('undecodable')
      }),
    )
  })

  it('takes text that only looks like such a number, and the largest number there is', () => {
    expect(parseJson(bytes('{"id":"1e999","n":1.7976931348623157e308}'))).toEqual({
      id: '1e999',
      n: Number.MAX_VALUE,
    })
  })

  it('never does anything but decode or refuse, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (data) => {
        try {
          parseJson(data)
        } catch (error) {
          expect(error).toBeInstanceOf(PermanentError)
        }
      }),
    )
  })

  it('reads or refuses a million nested lists, in bounded time', () => {
    const depth = 1_000_000
    // Of the processor, not of the clock: other tests run beside this one.
    const before = process.cpuUsage()

    try {
      parseJson(bytes(`${'['.repeat(depth)}1e999${']'.repeat(depth)}`))
    } catch (error) {
      expect(error).toBeInstanceOf(PermanentError)
    }

    const { user, system } = process.cpuUsage(before)
    expect((user + system) / 1_000).toBeLessThan(10_000)
  })
})

describe('json', () => {
  const decode = json(z.object({ user: z.string(), value: z.number().optional() }))

  it('gives what the schema gives: defaults, transformations, known fields', () => {
    const trimmed = json(z.object({ user: z.string().trim(), kind: z.string().default('none') }))

    expect(trimmed(bytes('{"user":" ann ","more":1}'))).toEqual({ user: 'ann', kind: 'none' })
  })

  it('says what is not valid, and where', () => {
    expect(faultOf(() => decode(bytes('{"value":"much"}')))).toMatchObject({
      reasonCode: 'invalid',
      message: expect.stringMatching(/^The record is not valid\. user: .*; value: /),
    })
  })

  it('names at most five issues', () => {
    const many = json(z.record(z.string(), z.number()))
    const text = JSON.stringify(Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`f${i}`, 'x'])))

    expect(faultOf(() => many(bytes(text))).message).toMatch(/\(and 35 more\)$/)
  })

  it('waits for a schema that is asynchronous', async () => {
    const slow = json(z.string().refine(async (text) => text === 'yes'))

    await expect(slow(bytes('"yes"'))).resolves.toBe('yes')
    await expect(slow(bytes('"no"'))).rejects.toMatchObject({ reasonCode: 'invalid' })
  })

  it('takes any Standard Schema', () => {
    const upper = json({
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value: unknown) =>
          typeof value === 'string'
            ? { value: value.toUpperCase() }
            : { issues: [{ message: 'no text', path: [{ key: 'a' }, 'b', 0] }] },
      },
    } as const)

    expect(upper(bytes('"ann"'))).toBe('ANN')
    expect(faultOf(() => upper(bytes('1'))).message).toContain('a.b.0: no text')
  })

  it('finds a record invalid on which the schema itself fails', async () => {
    const nested: z.ZodType = z.lazy(() => z.array(nested))
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`

    await expect(json(nested)(bytes(deep))).rejects.toMatchObject({
      reasonCode: 'invalid',
      cause: expect.any(RangeError),
    })
  })

  it('lets a schema say that it may succeed later', async () => {
    const lookup = json(
      z.string().refine(() => {
        throw new TransientError('the list is not loaded yet')
      }),
    )

    await expect(lookup(bytes('"x"'))).rejects.toThrow(TransientError)
  })

  it('is not fooled by prototype keys', () => {
    const text = '{"__proto__":{"user":"eve","admin":true},"constructor":{"prototype":{"admin":true}}}'

    expect(faultOf(() => decode(bytes(text))).reasonCode).toBe('invalid')
    expect(({} as { admin?: boolean }).admin).toBeUndefined()
  })
})
