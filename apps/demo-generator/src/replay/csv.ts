import { StreamingError } from '@org/kinesis-core'
import { CsvError } from 'csv-parse'
import { parse } from 'csv-parse/sync'
import { type Line, MAX_LINE_LENGTH } from './lines.js'
import { BadLineError } from './replay-error.js'

export interface NumberedRecord {
  /** Of the line in which it begins, from 1. */
  number: number
  record: Record<string, unknown>
}

/**
 * Records of CSV with a header, which `onHeader` may refuse. A record that cannot be read costs the line in which it begins, and no more: where a
 * quote never closes, reading goes on at the next line instead of taking the rest of the file for one field.
 */
export async function* readCsv(
  lines: AsyncIterable<Line>,
  onHeader: (columns: string[]) => void,
  onBadLine: (error: BadLineError) => void,
): AsyncGenerator<NumberedRecord> {
  const source = new LinesAhead(lines)
  let columns: string[] | undefined
  for (let line = await source.next(); line !== undefined; line = await source.next()) {
    if (line.text.trim() === '') continue
    const fields = await readFields(line, source)
    if (columns === undefined) {
      columns = headerOf(line, fields)
      onHeader(columns)
    } else if (typeof fields === 'string') {
      onBadLine(new BadLineError(line.number, fields))
    } else if (fields.length !== columns.length) {
      const reason = `it has ${fields.length} fields where the header has ${columns.length}.`
      onBadLine(new BadLineError(line.number, reason))
    } else {
      const record = Object.fromEntries(columns.map((column, index) => [column, fields[index]]))
      yield { number: line.number, record }
    }
  }
}

function headerOf(line: Line, fields: string[] | string): string[] {
  if (typeof fields !== 'string') return fields
  // Without a header no line can be read: there is nothing to skip to.
  throw new StreamingError(`Line ${line.number}: the header cannot be read: ${fields} Mend it.`, {
    code: 'BAD_HEADER',
    retryable: false,
  })
}

/** The fields of the record that begins in this line, or why there are none. */
async function readFields(line: Line, source: LinesAhead): Promise<string[] | string> {
  const first = parseFields(line.text)
  if (first !== QUOTE_OPEN) return first
  const more: Line[] = []
  let text = line.text
  // The quotes of a record come in pairs, so it cannot end where their number is odd.
  for (let quotes = countQuotes(text); quotes % 2 === 1; quotes += countQuotes(more.at(-1)!.text)) {
    const next = text.length > MAX_LINE_LENGTH ? undefined : await source.next()
    if (next === undefined) {
      source.unread(more)
      return QUOTE_OPEN
    }
    more.push(next)
    text += `\n${next.text}`
  }
  const fields = parseFields(text)
  if (typeof fields !== 'string') return fields
  // What closed it was the opening quote of another record.
  source.unread(more)
  return QUOTE_OPEN
}

const QUOTE_OPEN = 'a quote opens in it that never closes.'

function parseFields(text: string): string[] | string {
  try {
    return (parse(text) as string[][])[0] ?? []
  } catch (error) {
    switch (error instanceof CsvError ? error.code : undefined) {
      case 'CSV_QUOTE_NOT_CLOSED':
        return QUOTE_OPEN
      case 'INVALID_OPENING_QUOTE':
        return 'a quote stands inside a field that does not begin with one.'
      case 'CSV_INVALID_CLOSING_QUOTE':
        return 'more follows after the quote that closes a field.'
      default:
        throw error
    }
  }
}

function countQuotes(text: string): number {
  return text.split('"').length - 1
}

/** Lines that can be given back: a quote that never closes has made others be read for nothing. */
class LinesAhead {
  readonly #lines: AsyncIterator<Line>
  #unread: Line[] = []

  constructor(lines: AsyncIterable<Line>) {
    this.#lines = lines[Symbol.asyncIterator]()
  }

  async next(): Promise<Line | undefined> {
    if (this.#unread.length > 0) return this.#unread.shift()
    const { done, value } = await this.#lines.next()
    return done ? undefined : value
  }

  unread(lines: Line[]): void {
    this.#unread = [...lines, ...this.#unread]
  }
}
