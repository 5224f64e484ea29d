import { randomBytes } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { InvalidOptionError } from '@org/kinesis-core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isPermanent } from './errors.js'
import { gunzip } from './gunzip.js'
import { parseJson } from './json-decoder.js'
import { bytes, text } from './plain-decoders.js'

const MiB = 1024 * 1024

const errorOf = (run: () => unknown) => {
  try {
    run()
  } catch (error) {
    return error as Error
  }
  throw new Error('It went well.')
}

describe('gunzip', () => {
  it('hands what was packed to the decoder, also where several members follow one another', () => {
    const decode = gunzip(text())

    expect(decode(gzipSync('one'))).toBe('one')
    expect(decode(Buffer.concat([gzipSync('one'), gzipSync('two')]))).toBe('onetwo')
  })

  it('gives back any bytes that were packed, of a view into a larger buffer as well', () => {
    const decode = gunzip(bytes())
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5_000 }), fc.nat(40), (data, before) => {
        const packed = Buffer.concat([randomBytes(before), gzipSync(data), randomBytes(7)])

        const view = packed.subarray(before, packed.length - 7)
        expect(Buffer.from(decode(view) as Uint8Array)).toEqual(Buffer.from(data))
      }),
    )
  })

  it('passes on what is not packed, or refuses it where told to', () => {
    const plain = Buffer.from('{"n":1}')

    expect(gunzip(parseJson)(plain)).toEqual({ n: 1 })
    expect(errorOf(() => gunzip(parseJson, { plain: 'reject' })(plain))).toMatchObject({
      reasonCode: 'undecodable',
      message: 'The record is not packed with gzip.',
    })
  })

  it('takes exactly maxBytes, and refuses one byte more', () => {
    const decode = gunzip(bytes(), { maxBytes: 1_000 })

    expect((decode(gzipSync(Buffer.alloc(1_000))) as Uint8Array).byteLength).toBe(1_000)
    expect(errorOf(() => decode(gzipSync(Buffer.alloc(1_001))))).toMatchObject({
      reasonCode: 'undecodable',
      message: 'The record unpacks to more than 1000 bytes.',
    })
  })

  it('stops a bomb at maxBytes, whatever it says of its size', () => {
    const bomb = gzipSync(Buffer.alloc(256 * MiB))
    const liar = Buffer.from(bomb)
    liar.writeUInt32LE(100, liar.length - 4)
    const decode = gunzip(bytes(), { maxBytes: 4 * MiB })
    // Out of the way of what the test itself has made.
    const before = process.memoryUsage().rss
    const startedAtMs = performance.now()

    for (const data of [bomb, liar]) expect(isPermanent(errorOf(() => decode(data)))).toBe(true)

    expect(performance.now() - startedAtMs).toBeLessThan(2_000)
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * MiB)
  })

  it('rejects any broken gzip, and never fails otherwise', () => {
    const decode = gunzip(bytes(), { maxBytes: 10_000 })
    const mutated = fc
      .tuple(
        fc.uint8Array({ maxLength: 500 }),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 5 }),
        fc.nat(),
      )
      .map(([data, changes, cut]) => {
        const packed = gzipSync(data)
        for (const [place, value] of changes) packed[place % packed.length] = value
        return cut % 3 === 0 ? packed.subarray(0, cut % packed.length) : packed
      })
    fc.assert(
      fc.property(
        fc.oneof(
          mutated,
          fc.uint8Array().map((tail) => Buffer.from([0x1f, 0x8b, 8, ...tail])),
        ),
        (data) => {
          try {
            expect(decode(data)).toBeInstanceOf(Uint8Array)
          } catch (error) {
            expect(error).toMatchObject({ code: 'PERMANENT', reasonCode: 'undecodable' })
          }
        },
      ),
      { numRuns: 500 },
    )
  })

  it('refuses options that cannot work', () => {
    expect(() => gunzip(text(), { maxBytes: 0 })).toThrow(InvalidOptionError)
    expect(() => gunzip(text(), { plain: 'drop' as never })).toThrow(/'pass' or 'reject'/)
    expect(() => gunzip(undefined as never)).toThrow(/decode/)
    expect(() => gunzip(text(), { maxSize: 1 } as never)).toThrow(/maxSize/)
  })
})
