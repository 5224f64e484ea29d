import { isUtf8 } from 'node:buffer'
import { InvalidRejectedRecordError, MAX_ENVELOPE_LENGTH } from './parse-rejected-record.js'
import { type RejectedEntry, readEnvelope } from './rejected-source.js'

export interface EnvelopeLine extends Pick<RejectedEntry, 'record' | 'error'> {
  /** From 1. */
  number: number
  /** Of its first byte. */
  offset: number
  /** Without the line feed. */
  length: number
}

const LINE_FEED = 0x0a

/**
 * The envelopes of newline-delimited JSON, one after the other; blank lines are passed over. Lines end with a line feed and nothing else:
 * text in JSON may hold the other ends of lines that Unicode knows. Of a line that is too long for an envelope nothing is kept.
 */
export async function* envelopeLines(
  chunks: AsyncIterable<Buffer> | Iterable<Buffer>,
): AsyncGenerator<EnvelopeLine> {
  let line = { number: 1, offset: 0, length: 0, parts: [] as Buffer[] }
  const add = (part: Buffer) => {
    line.length += part.length
    if (line.length <= MAX_ENVELOPE_LENGTH) line.parts.push(part)
    else line.parts = []
  }
  for await (const chunk of chunks) {
    let begin = 0
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, begin)) {
      add(chunk.subarray(begin, end))
      const envelope = envelopeOf(line)
      if (envelope !== undefined) yield envelope
      line = { number: line.number + 1, offset: line.offset + line.length + 1, length: 0, parts: [] }
      begin = end + 1
    }
    add(chunk.subarray(begin))
  }
  const last = envelopeOf(line)
  if (last !== undefined) yield last
}

function envelopeOf(line: {
  number: number
  offset: number
  length: number
  parts: Buffer[]
}): EnvelopeLine | undefined {
  const { number, offset, length } = line
  if (length > MAX_ENVELOPE_LENGTH) {
    return {
      number,
      offset,
      length,
      ...invalid(`The line has ${length} bytes; an envelope has at most ${MAX_ENVELOPE_LENGTH}.`),
    }
  }
  const bytes = Buffer.concat(line.parts)
  if (!isUtf8(bytes)) return { number, offset, length, ...invalid('The line is no UTF-8 text.') }
  const text = bytes.toString()
  return text.trim() === '' ? undefined : { number, offset, length, ...readEnvelope(text) }
}

function invalid(message: string): Pick<RejectedEntry, 'record' | 'error'> {
  return { record: undefined, error: new InvalidRejectedRecordError(message) }
}
