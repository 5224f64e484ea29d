import { extname } from 'node:path'
import { parseLogLine } from './clf.js'

export const REPLAY_FORMATS = ['ndjson', 'csv', 'clf'] as const
export type ReplayFormat = (typeof REPLAY_FORMATS)[number]

const formatsByEnding: Readonly<Record<string, ReplayFormat>> = {
  '.csv': 'csv',
  '.ndjson': 'ndjson',
  '.jsonl': 'ndjson',
}

/** The format that the file's name says; undefined where it says none. */
export function formatByName(file: string): ReplayFormat | undefined {
  return formatsByEnding[extname(file).toLowerCase()]
}

/**
 * The format that a first line shows beyond doubt: a request as web servers log it, or a header that names one of the columns that become the
 * user and the type. Everything else is taken for NDJSON.
 */
export function formatByLine(line: string, columns: readonly string[]): ReplayFormat {
  if (parseLogLine(line) !== undefined) return 'clf'
  const cells = line.split(',').map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'))
  return cells.length > 1 && cells.some((cell) => columns.includes(cell)) ? 'csv' : 'ndjson'
}

/** The first line that is not empty, and all lines from it on. */
export async function peekLine<T extends { text: string }>(
  lines: AsyncIterable<T>,
): Promise<{ first: string; all: AsyncIterable<T> }> {
  const rest = lines[Symbol.asyncIterator]()
  let head = await rest.next()
  while (!head.done && head.value.text.trim() === '') head = await rest.next()
  const all = (async function* () {
    if (head.done) return
    yield head.value
    yield* { [Symbol.asyncIterator]: () => rest }
  })()
  return { first: head.done ? '' : head.value.text, all }
}
