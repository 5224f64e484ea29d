import { LOGGED_FIELDS, parseLogLine } from './clf.js'
import { type NumberedRecord, readCsv } from './csv.js'
import { formatByLine, formatByName, peekLine, type ReplayFormat } from './detect-format.js'
import { type AskedFields, checkColumns, type FieldMap, FieldWatch } from './field-map.js'
import { type Line, readLines } from './lines.js'
import { BadLineError } from './replay-error.js'
import { type ReplayedEvent, toEvent } from './replayed-event.js'

export interface ReadEventsOptions {
  /** Undefined: what the name, else the first line, shows. */
  format: ReplayFormat | undefined
  map: AskedFields
  /** Base name of the file, or `stdin`. */
  source: string
  /** Told of every line that cannot be read; may throw to end the reading. */
  onBadLine: (error: BadLineError) => void
  /** Told at the end of what was asked for and never found. */
  onWarning: (message: string) => void
}

const sameNames: FieldMap = {
  user_id: 'user_id',
  event_type: 'event_type',
  timestamp: 'timestamp',
  value: 'value',
}
const logNames: FieldMap = { user_id: 'host', event_type: 'method', timestamp: 'time', value: 'bytes' }

/** Events of a file, one after the other as they are asked for: memory does not grow with the file. */
export async function* readEvents(
  input: AsyncIterable<Buffer>,
  options: ReadEventsOptions,
): AsyncGenerator<ReplayedEvent> {
  const { map: asked, source, onBadLine, onWarning } = options
  const { format, lines } = await formatOf(readLines(input, onBadLine), options)
  const map = { ...(format === 'clf' ? logNames : sameNames), ...asked }
  const watch = new FieldWatch(asked)
  try {
    for await (const { number, record } of readRecords(lines, format, map, options)) {
      watch.see(record)
      try {
        yield toEvent(record, map, { source, number })
      } catch (error) {
        if (!(error instanceof BadLineError)) throw error
        onBadLine(error)
      }
    }
  } finally {
    watch.warnings().forEach(onWarning)
  }
}

async function formatOf(
  lines: AsyncIterable<Line>,
  { format, source, map }: ReadEventsOptions,
): Promise<{ format: ReplayFormat; lines: AsyncIterable<Line> }> {
  const known = format ?? formatByName(source)
  if (known !== undefined) return { format: known, lines }
  const { first, all } = await peekLine(lines)
  const { user_id, event_type } = { ...sameNames, ...map }
  return { format: formatByLine(first, [user_id, event_type]), lines: all }
}

async function* readRecords(
  lines: AsyncIterable<Line>,
  format: ReplayFormat,
  map: FieldMap,
  { map: asked, onBadLine }: ReadEventsOptions,
): AsyncGenerator<NumberedRecord> {
  if (format === 'csv') {
    yield* readCsv(lines, (columns) => checkColumns(columns, map, asked), onBadLine)
    return
  }
  if (format === 'clf') checkColumns(LOGGED_FIELDS, map, asked)
  const parse = format === 'clf' ? parseClf : parseNdjson
  for await (const { number, text } of lines) {
    if (text.trim() === '') continue
    const record = parse(text, number)
    if (typeof record === 'string') onBadLine(new BadLineError(number, record))
    else yield { number, record }
  }
}

/** The record, or why there is none. */
function parseNdjson(text: string, number: number): Record<string, unknown> | string {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>
    return 'it is JSON, but no object.'
  } catch {
    if (parseLogLine(text) !== undefined) return 'it is no JSON, but a logged request: pass --format clf.'
    return number === 1 ? 'it is no JSON. For other formats pass --format csv or clf.' : 'it is no JSON.'
  }
}

function parseClf(text: string): Record<string, unknown> | string {
  const request = parseLogLine(text)
  if (request === undefined) return 'it is no request in common or combined log format.'
  const { method, ...rest } = request
  return { ...rest, method: method === '' ? 'unknown' : method.toLowerCase() }
}
