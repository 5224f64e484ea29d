import { InvalidOptionError } from '@org/kinesis-core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { PermanentError, TransientError } from './errors.js'
import { type Decoder, json, parseJson } from './json-decoder.js'
import { bytes, text } from './plain-decoders.js'
import { validated } from './validated.js'

const csv: Decoder<unknown> = (data) => {
  const [id, amount] = Buffer.from(data).toString().split(',')
  return { id, amount: Number(amount) }
}
const order = z.object({ id: z.string().min(1), amount: z.number() })

describe('validated', () => {
  it('gives what the schema makes of what the decoder gives, typed', () => {
    const decode = validated(
      csv,
      order.transform(({ id, amount }) => ({ id, cents: amount * 100 })),
    )

    const decoded: { id: string; cents: number } | Promise<unknown> = decode(Buffer.from('o-1,12.5'))

    expect(decoded).toEqual({ id: 'o-1', cents: 1_250 })
  })

  it('rejects what the schema refuses as invalid, and what the decoder throws as it comes', () => {
    const decode = validated(csv, order)
    const broken = validated(() => {
      throw new TransientError('no dictionary yet')
    }, order)

    expect(() => decode(Buffer.from('o-1,many'))).toThrow(/The record is not valid. amount:/)
    expect(() => broken(Buffer.from(''))).toThrow(TransientError)
  })

  it('waits for a decoder that takes time, and for a schema that does', async () => {
    const slow = order.refine(async ({ id }) => id !== 'gone', 'it is gone')
    const decode = validated(async (data) => csv(data), slow)

    await expect(decode(Buffer.from('o-1,1'))).resolves.toEqual({ id: 'o-1', amount: 1 })
    await expect(decode(Buffer.from('gone,1'))).rejects.toMatchObject({ reasonCode: 'invalid' })
  })

  it('does not ask the schema for what the decoder drops', () => {
    expect(validated(() => undefined, order)(Buffer.from(''))).toBeUndefined()
  })

  it('refuses a decoder or a schema that is none', () => {
    expect(() => validated('csv' as never, order)).toThrow(InvalidOptionError)
    expect(() => validated(csv, {} as never)).toThrow(/Standard Schema/)
  })
})

describe('text and bytes', () => {
  it('give the record as it is', () => {
    expect(text()(Buffer.from('Grüße'))).toBe('Grüße')
    const data = Uint8Array.of(0xff, 0)
    expect(bytes()(data)).toBe(data)
  })

  it('text refuses what is no UTF-8', () => {
    expect(() => text()(Uint8Array.of(0xff))).toThrow(/no UTF-8/)
  })
})

describe('what a sender may think of', () => {
  const anything = z.record(z.string(), z.unknown())

  it('leaves prototypes alone', () => {
    const data = Buffer.from('{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"isAdmin":true}}}')

    const value = json(anything)(data) as Record<string, unknown>

    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined()
    expect(value.isAdmin).toBeUndefined()
    expect(Object.hasOwn(parseJson(data) as object, '__proto__')).toBe(true)
  })

  it.each([['['], ['{"a":'], ['[{"a":']])('is decoded or rejected at any depth of %s', async (open) => {
    const close = [...open]
      .reverse()
      .map((part) => (part === '[' ? ']' : part === '{' ? '}' : ''))
      .join('')
    const deep = Buffer.from(`${open.repeat(200_000)}1${close.repeat(200_000)}`)
    const recursive: z.ZodType = z.lazy(() =>
      z.union([z.number(), z.array(recursive), z.record(z.string(), recursive)]),
    )
    const startedAtMs = performance.now()

    for (const decode of [parseJson, json(z.unknown()), json(recursive)]) {
      try {
        // Zod answers what is too deep for it with a promise.
        await decode(deep)
      } catch (error) {
        expect(error).toBeInstanceOf(PermanentError)
      }
    }

    expect(performance.now() - startedAtMs).toBeLessThan(5_000)
  })

  it('is decoded or rejected in time, whatever its digits', () => {
    const startedAtMs = performance.now()

    for (const json of [
      `[${'9'.repeat(1_000_000)}]`,
      `[${'1e99,'.repeat(200_000)}1]`,
      `"${'e999'.repeat(250_000)}"`,
    ])
      try {
        parseJson(Buffer.from(json))
      } catch (error) {
        expect(error).toBeInstanceOf(PermanentError)
      }

    expect(performance.now() - startedAtMs).toBeLessThan(2_000)
  })

  it('is decoded or rejected, whatever its bytes', () => {
    const decoders = [text(), parseJson, json(anything)]
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((json) => Buffer.from(json)),
        ),
        (data) => {
          for (const decode of decoders) {
            try {
              decode(data)
            } catch (error) {
              expect(error).toBeInstanceOf(PermanentError)
            }
          }
        },
      ),
    )
  })
})
