import { parse as csvParser } from 'csv-parse'
import { parseLogLine } from './clf.js'
import { type FieldMap, parseFieldMap } from './field-map.js'
import { MAX_LINE_LENGTH, readLines } from './lines.js'
import { BadLineError } from './replay-error.js'
import { type ReplayedEvent, toEvent } from './replayed-event.js'

export type ReplayFormat = 'ndjson' | 'csv' | 'clf'

export interface ReadEventsOptions {
  format: ReplayFormat
  map: string | undefined
  /** Base name of the file, or `stdin`. */
  source: string
  /** Told of every line that cannot be read; may throw to end the reading. */
  onBadLine: (error: BadLineError) => void
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
  const { format, source, onBadLine } = options
  const map = parseFieldMap(options.map, format === 'clf' ? logNames : sameNames)
  for await (const { number, record } of readRecords(input, format, onBadLine)) {
    try {
      yield toEvent(record, map, { source, number })
    } catch (error) {
      if (!(error instanceof BadLineError)) throw error
      onBadLine(error)
    }
  }
}

interface NumberedRecord {
  number: number
  record: Record<string, unknown>
}

async function* readRecords(
  input: AsyncIterable<Buffer>,
  format: ReplayFormat,
  onBadLine: (error: BadLineError) => void,
): AsyncGenerator<NumberedRecord> {
  if (format === 'csv') {
    yield* readCsv(input, onBadLine)
    return
  }
  const parse = format === 'clf' ? parseClf : parseNdjson
  for await (const { number, text } of readLines(input, onBadLine)) {
    const record = parse(text)
    if (typeof record === 'string') onBadLine(new BadLineError(number, record))
    else yield { number, record }
  }
}

/** The record, or why there is none. */
function parseNdjson(text: string): Record<string, unknown> | string {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>
    return 'it is JSON, but no object.'
  } catch {
    return 'it is no JSON.'
  }
}

function parseClf(text: string): Record<string, unknown> | string {
  const request = parseLogLine(text)
  if (request === undefined) return 'it is no request in common or combined log format.'
  const { method, ...rest } = request
  return { ...rest, method: method === '' ? 'unknown' : method.toLowerCase() }
}

async function* readCsv(
  input: AsyncIterable<Buffer>,
  onBadLine: (error: BadLineError) => void,
): AsyncGenerator<NumberedRecord> {
  const parser = csvParser({
    columns: true,
    bom: true,
    info: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    max_record_size: MAX_LINE_LENGTH,
  })
  let failure: unknown
  parser.on('skip', (error: { lines?: number; message: string }) => {
    try {
      onBadLine(new BadLineError(error.lines ?? 0, `${error.message}.`))
    } catch (thrown) {
      failure = thrown
      parser.destroy()
    }
  })
  const feeding = feed(input, parser)
  try {
    for await (const { info, record } of parser as AsyncIterable<{
      info: { lines: number }
      record: Record<string, unknown>
    }>) {
      yield { number: info.lines, record }
    }
  } catch (error) {
    throw failure ?? error
  }
  if (failure !== undefined) throw failure
  await feeding
}

/** Pipes by hand: `pipe` hides the errors of its source. */
async function feed(input: AsyncIterable<Buffer>, parser: ReturnType<typeof csvParser>): Promise<void> {
  try {
    for await (const chunk of input) {
      if (parser.destroyed) return
      if (!parser.write(chunk))
        await new Promise((resolve) => parser.once('drain', resolve).once('close', resolve))
    }
    parser.end()
  } catch (error) {
    parser.destroy(error as Error)
  }
}
