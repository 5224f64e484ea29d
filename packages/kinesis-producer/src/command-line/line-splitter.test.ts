import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LineSplitter } from './line-splitter.js'

function split(chunks: readonly Buffer[], maxLineBytes = 1_000): { text: string; sizeBytes: number }[] {
  const splitter = new LineSplitter(maxLineBytes)
  const lines = [...chunks.flatMap((chunk) => splitter.push(chunk)), ...splitter.end()]
  expect(lines.map(({ number }) => number)).toEqual(lines.map((_, index) => index + 1))
  return lines.map(({ bytes, sizeBytes }) => ({ text: bytes.toString('latin1'), sizeBytes }))
}

const text = (content: string) => Buffer.from(content, 'latin1')

describe('LineSplitter', () => {
  it('gives the same lines however the input is cut into chunks', () => {
    const pieces = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '\n', '\r\n'), maxLength: 12 }))
    fc.assert(
      fc.property(pieces, (chunks) => {
        const expected = chunks.join('').split('\n')
        if (expected.at(-1) === '') expected.pop()

        const lines = split(chunks.map(text)).map((line) => line.text)

        expect(lines).toEqual(expected.map((line) => line.replace(/\r$/, '')))
      }),
    )
  })

  it('counts a line beyond the bound, and holds no more than its beginning', () => {
    const lines = split(
      [text('ok\n'), ...Array.from({ length: 100 }, () => text('x'.repeat(50))), text('\nok')],
      10,
    )

    expect(lines).toEqual([
      { text: 'ok', sizeBytes: 2 },
      { text: 'x'.repeat(10), sizeBytes: 5_000 },
      { text: 'ok', sizeBytes: 2 },
    ])
  })

  it.each([[['1234567890\r', '\n']], [['1234567890\r\n']], [['12345', '67890\r\n']]])(
    'takes a line of just the bound, its CR not counted: %j',
    (chunks) => {
      expect(split(chunks.map(text), 10)).toEqual([{ text: '1234567890', sizeBytes: 10 }])
    },
  )

  it('cuts a BOM off, and only at the beginning', () => {
    const bom = '\u00ef\u00bb\u00bf'

    expect(split([text(`${bom}a\n${bom}b`)]).map((line) => line.text)).toEqual(['a', `${bom}b`])
  })

  it('does not overwrite a line with what comes behind it', () => {
    const splitter = new LineSplitter(100)
    splitter.push(text('aaa'))

    const [first] = splitter.push(text('a\nbbb'))

    expect(first!.bytes.toString()).toBe('aaaa')
  })
})
