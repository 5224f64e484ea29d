import type { Random } from '@org/kinesis-core'
import type { RecordChecker } from '../record-input.js'
import { CsvReader } from './csv-reader.js'
import { fieldText } from './field-text.js'
import { type InputItem, recordOf, refused, tooLargeReason, unreadableReason } from './input-item.js'
import type { Line } from './line-splitter.js'

export const INPUT_FORMATS = ['lines', 'ndjson', 'csv'] as const
export type InputFormat = (typeof INPUT_FORMATS)[number]

export interface RecordReaderOptions {
  format: InputFormat
  /** Field whose text is the partition key. Undefined: random keys. */
  partitionKeyField: string | undefined
  /** With one capture group, which is the partition key. */
  partitionKeyRegex: RegExp | undefined
  explicitHashKeyField: string | undefined
  delimiter: string
  /** Of `lines`: pass over the empty ones. */
  skipEmpty: boolean
  maxRecordBytes: number
  /** Finds what the producer would refuse. */
  checker: RecordChecker
  random: Random
}

/** Makes records of lines. A line that can make none costs itself and no more. */
export interface RecordReader {
  read(lines: readonly Line[]): InputItem[]
  /** What the end of the input decides. */
  end(): InputItem[]
}

export function recordReader(options: RecordReaderOptions): RecordReader {
  switch (options.format) {
    case 'lines':
      return lineByLine((line) => readPlain(line, options))
    case 'ndjson':
      return lineByLine((line) => readJson(line, options))
    case 'csv':
      return new CsvReader(options)
  }
}

function lineByLine(readLine: (line: Line) => InputItem | undefined): RecordReader {
  return {
    read: (lines) => lines.map(readLine).filter((item) => item !== undefined),
    end: () => [],
  }
}

function readPlain(line: Line, options: RecordReaderOptions): InputItem | undefined {
  if (line.sizeBytes === 0 && options.skipEmpty) return undefined
  const tooLarge = tooLargeReason(line, options)
  if (tooLarge !== undefined) return refused(line, tooLarge)
  const { partitionKeyRegex } = options
  if (partitionKeyRegex === undefined) return recordOf(line, copyOf(line), undefined, undefined, options)
  const key = partitionKeyRegex.exec(line.bytes.toString())?.[1]
  if (key === undefined) return refused(line, 'it does not match --partition-key-regex.')
  if (key === '') return refused(line, 'what --partition-key-regex captures in it is empty.')
  return recordOf(line, copyOf(line), { text: key }, undefined, options)
}

function readJson(line: Line, options: RecordReaderOptions): InputItem | undefined {
  const unreadable = unreadableReason(line, options)
  if (unreadable !== undefined) return refused(line, unreadable)
  const text = line.bytes.toString()
  if (text.trim() === '') return undefined
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    return refused(line, 'it is no JSON.')
  }
  const { partitionKeyField, explicitHashKeyField } = options
  const textOf = (field: string | undefined) =>
    field === undefined ? undefined : fieldText(text, document, field)
  // The line goes as it is written: numbers that JavaScript cannot hold, and the order of fields, stay as they are.
  return recordOf(line, copyOf(line), textOf(partitionKeyField), textOf(explicitHashKeyField), options)
}

/** A view would keep the whole chunk in memory for one record that waits. */
function copyOf({ bytes }: Line): Buffer {
  return Buffer.from(bytes)
}
