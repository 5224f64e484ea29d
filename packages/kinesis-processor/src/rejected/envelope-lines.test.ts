import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { envelopeText } from '../rejected-record.js'
import { type EnvelopeLine, envelopeLines } from './envelope-lines.js'
import { aRejectedRecord } from './rejected-fixture.js'

async function read(chunks: Iterable<Buffer>): Promise<EnvelopeLine[]> {
  const lines: EnvelopeLine[] = []
  for await (const line of envelopeLines(chunks)) lines.push(line)
  return lines
}

describe('envelopes a line', () => {
  it('are the same however the bytes are cut, and each line says where it is', async () => {
    const lines = fc.array(
      fc.oneof(
        fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\n', '\u2028')),
        fc
          .nat()
          .map((n) =>
            envelopeText(aRejectedRecord({ sequenceNumber: `${n}`, partitionKey: 'ü\u2028\u0085\r' })),
          ),
      ),
    )
    await fc.assert(
      fc.asyncProperty(
        lines,
        fc.boolean(),
        fc.integer({ min: 1, max: 300 }),
        async (texts, isEnded, size) => {
          const bytes = Buffer.from(texts.join('\n') + (isEnded ? '\n' : ''))
          const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
            bytes.subarray(n * size, (n + 1) * size),
          )

          const found = await read(chunks)

          expect(found).toEqual(await read([bytes]))
          const expected = [...texts.entries()].filter(([, text]) => text.trim() !== '')
          expect(found.map(({ number }) => number)).toEqual(expected.map(([index]) => index + 1))
          for (const [place, { offset, length, record }] of found.entries()) {
            const [, text] = expected[place]!
            expect(bytes.subarray(offset, offset + length)).toEqual(Buffer.from(text))
            expect(record !== undefined).toBe(text.startsWith('{"version":1,'))
          }
        },
      ),
    )
  })

  it('pass over a line that is too long without keeping it, and go on', async () => {
    const record = aRejectedRecord()
    function* chunks() {
      const megabyte = Buffer.alloc(1024 * 1024, 'x')
      for (let n = 0; n < 200; n++) yield megabyte
      yield Buffer.from(`\n${envelopeText(record)}`)
    }

    const [long, whole] = await read(chunks())

    expect(long).toMatchObject({ number: 1, length: 200 * 1024 * 1024, record: undefined })
    expect(long?.error?.message).toMatch(/^The line has 209715200 bytes; an envelope has at most/)
    expect(whole).toMatchObject({ number: 2, offset: 200 * 1024 * 1024 + 1, record })
  })
})
