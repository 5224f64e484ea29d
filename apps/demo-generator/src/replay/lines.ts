import { StringDecoder } from 'node:string_decoder'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { BadLineError } from './replay-error.js'

export interface Line {
  /** From 1. */
  number: number
  text: string
}

/** A Kinesis record holds no more by default, so a longer line is none, and a file without line ends must not fill the memory. */
export const MAX_LINE_LENGTH = 1024 * 1024

/** A fast pipe always has a next chunk: without a turn of the event loop no timer and no Ctrl-C would come through. */
const LONGEST_TURN_MS = 20

/**
 * Lines of a stream of bytes, one after the other as they are asked for: LF or CRLF, with or without one at the end, and a BOM cut off.
 * A line beyond the bound is told to `onBadLine` and passed over.
 */
export async function* readLines(
  input: AsyncIterable<Buffer>,
  onBadLine: (error: BadLineError) => void,
): AsyncGenerator<Line> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  let number = 0
  let isSkipping = false
  let turnedAtMs = performance.now()
  const take = function* (text: string): Generator<Line> {
    number += 1
    const wasSkipping = isSkipping
    isSkipping = false
    if (wasSkipping) return
    const line = text.endsWith('\r') ? text.slice(0, -1) : text
    const clean = number === 1 && line.startsWith('\ufeff') ? line.slice(1) : line
    yield { number, text: clean }
  }
  for await (const chunk of input) {
    if (performance.now() - turnedAtMs > LONGEST_TURN_MS) {
      await nextTurn()
      turnedAtMs = performance.now()
    }
    rest += decoder.write(chunk)
    let start = 0
    for (let end = rest.indexOf('\n'); end !== -1; end = rest.indexOf('\n', start)) {
      yield* take(rest.slice(start, end))
      start = end + 1
    }
    rest = rest.slice(start)
    if (rest.length <= MAX_LINE_LENGTH) continue
    if (!isSkipping)
      onBadLine(new BadLineError(number + 1, `it is longer than ${MAX_LINE_LENGTH} characters.`))
    isSkipping = true
    rest = ''
  }
  rest += decoder.end()
  if (rest !== '') yield* take(rest)
}
