import { StreamingError } from '@org/kinesis-core'
import { CsvError } from 'csv-parse'
import { parse } from 'csv-parse/sync'
import { keyText } from './field-text.js'
import { type InputItem, recordOf, refused, unreadableReason } from './input-item.js'
import type { Line } from './line-splitter.js'
import type { RecordReader, RecordReaderOptions } from './record-reader.js'

const QUOTE_OPEN = 'a quote opens in it that never closes.'

/** What the parser's errors mean to whoever wrote the line. */
const REASONS: Readonly<Record<string, string>> = {
  CSV_QUOTE_NOT_CLOSED: QUOTE_OPEN,
  INVALID_OPENING_QUOTE: 'a quote stands inside a field that does not begin with one.',
  CSV_INVALID_CLOSING_QUOTE: 'more follows after the quote that closes a field.',
}

/**
 * Rows of CSV with a header, each as a JSON object of texts. A row that cannot be read costs the line in which it begins, and no more: where
 * a quote never closes, reading goes on at the next line instead of taking the rest of the input for one field.
 */
export class CsvReader implements RecordReader {
  #header: Header | undefined
  /** The lines of a row whose quote is still open. */
  #open: CsvLine[] = []
  #openBytes = 0
  #openQuotes = 0

  constructor(private readonly options: RecordReaderOptions) {}

  read(lines: readonly Line[]): InputItem[] {
    const items: InputItem[] = []
    for (const line of lines) this.#take([line], items)
    return items
  }

  end(): InputItem[] {
    const items: InputItem[] = []
    while (this.#open.length > 0) this.#take(this.#giveUp(items), items)
    return items
  }

  /** Takes lines, the last of which comes first: those that are given back are next again. */
  #take(lines: Line[], items: InputItem[]): void {
    for (let line = lines.pop(); line !== undefined; line = lines.pop()) {
      const unreadable = unreadableReason(line, this.options)
      const isTooMuch = this.#openBytes + line.sizeBytes > this.options.maxRecordBytes
      if (this.#open.length > 0 && (unreadable !== undefined || isTooMuch)) {
        lines.push(line, ...this.#giveUp(items))
        continue
      }
      if (unreadable !== undefined) {
        this.#bad(line, unreadable, items)
        continue
      }
      const text = line.bytes.toString()
      if (this.#open.length === 0 && text.trim() === '') continue
      this.#open.push({ ...line, text })
      this.#openBytes += line.sizeBytes + 1
      this.#openQuotes += text.split('"').length - 1
      // The quotes of a row come in pairs, so it cannot end where their number is odd.
      if (this.#openQuotes % 2 === 0) lines.push(...this.#closeRow(items))
    }
  }

  /** Reads the row that is complete; gives back the lines that turned out not to belong to it. */
  #closeRow(items: InputItem[]): Line[] {
    const first = this.#open[0]!
    const fields = parseFields(this.#open.map(({ text }) => text).join('\n'), this.options.delimiter)
    const problem = typeof fields === 'string' ? fields : this.#header?.problemOf(fields)
    // What closed the quote was the opening quote of another row.
    if (problem !== undefined && this.#open.length > 1) return this.#giveUp(items)
    this.#clear()
    if (typeof fields === 'string') this.#bad(first, fields, items)
    else if (problem !== undefined) this.#bad(first, problem, items)
    else if (this.#header === undefined) this.#header = new Header(fields, first, this.options)
    else items.push(this.#header.itemOf(first, fields))
    return []
  }

  /** Refuses the first of the open lines, and gives back the others, the last first. */
  #giveUp(items: InputItem[]): Line[] {
    const [first, ...others] = this.#open
    this.#clear()
    this.#bad(first!, QUOTE_OPEN, items)
    return others.reverse()
  }

  #clear(): void {
    this.#open = []
    this.#openBytes = 0
    this.#openQuotes = 0
  }

  #bad(line: Line, reason: string, items: InputItem[]): void {
    if (this.#header === undefined) throw badHeader(line, reason)
    items.push(refused(line, reason))
  }
}

interface CsvLine extends Line {
  text: string
}

/** The columns, and which of them are keys. */
class Header {
  readonly #names: string[]
  readonly #partitionKey: number | undefined
  readonly #explicitHashKey: number | undefined

  constructor(
    private readonly columns: string[],
    line: Line,
    private readonly options: RecordReaderOptions,
  ) {
    const twice = columns.find((column, index) => columns.indexOf(column) !== index)
    if (twice !== undefined) throw badHeader(line, `it names ${JSON.stringify(twice)} twice.`)
    this.#names = columns.map((column) => JSON.stringify(column))
    this.#partitionKey = this.#indexOf(line, '--partition-key', options.partitionKeyField)
    this.#explicitHashKey = this.#indexOf(line, '--explicit-hash-key', options.explicitHashKeyField)
  }

  problemOf(fields: readonly string[]): string | undefined {
    if (fields.length === this.columns.length) return undefined
    return `it has ${fields.length} fields where the header has ${this.columns.length}.`
  }

  itemOf(line: Line, fields: readonly string[]): InputItem {
    const members = fields.map((field, index) => `${this.#names[index]}:${JSON.stringify(field)}`)
    const textOf = (index: number | undefined) =>
      index === undefined ? undefined : keyText(fields[index], this.columns[index]!)
    return recordOf(
      line,
      Buffer.from(`{${members.join(',')}}`),
      textOf(this.#partitionKey),
      textOf(this.#explicitHashKey),
      this.options,
    )
  }

  #indexOf(line: Line, flag: string, column: string | undefined): number | undefined {
    if (column === undefined) return undefined
    const index = this.columns.indexOf(column)
    if (index !== -1) return index
    throw badHeader(
      line,
      `it has no column ${column} for ${flag}. The columns are ${this.columns.join(', ')}.`,
    )
  }
}

function parseFields(text: string, delimiter: string): string[] | string {
  // Without quotes there is nothing to parse.
  if (!text.includes('"')) return text.split(delimiter)
  try {
    return (parse(text, { delimiter }) as string[][])[0]!
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    return REASONS[error.code] ?? `it is no CSV (${error.code}).`
  }
}

function badHeader(line: Line, reason: string): StreamingError {
  return new StreamingError(`The header, line ${line.number}: ${reason}`, {
    code: 'BAD_HEADER',
    retryable: false,
  })
}
