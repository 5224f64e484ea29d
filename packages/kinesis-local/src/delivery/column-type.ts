import { fitDate, fitDecimal, fitFloating, fitInteger, fitTimestamp } from './fit-scalar.js'
import { JsonNumber, Misfit } from './json-documents.js'

/** A type of a Glue or Hive table: what it is in SQL, and how a JSON value becomes one of it. */
export interface ColumnType {
  sql: string
  /** @throws Misfit for a value that is none of the type */
  fit(value: unknown): unknown
}

/**
 * DuckDB, as what reads its files, tells names apart without their case, and takes none that is empty or ends in the middle.
 *
 * @throws Error that says which name cannot be
 */
export function checkNames(names: readonly string[]): void {
  const known = new Map<string, string>()
  for (const name of names) {
    if (name === '' || name.includes('\0')) throw new Error('a name is empty, or has a NUL in it')
    const other = known.get(name.toLowerCase())
    if (other === name) throw new Error(`${name} is there twice`)
    if (other !== undefined) throw new Error(`${other} and ${name} differ by their case alone`)
    known.set(name.toLowerCase(), name)
  }
}

/**
 * Reads a type such as `bigint`, `decimal(10,2)` or `array<struct<a:string,b:int>>`.
 *
 * @throws Error that says what is no type
 */
export function parseColumnType(text: string): ColumnType {
  if (typeof text !== 'string') throw new Error('a type is text')
  const reader = { text: text.replaceAll(/\s+/g, ''), at: 0 }
  const type = readType(reader, 0)
  if (reader.at < reader.text.length) throw new Error(`${reader.text.slice(reader.at)} is left over`)
  return type
}

/** @throws Misfit that names the column */
export function fitRow(columns: ReadonlyMap<string, ColumnType>, row: unknown): Record<string, unknown> {
  const object = objectOf(row)
  const fitted: [string, unknown][] = []
  for (const [name, type] of columns) {
    const value = Object.hasOwn(object, name) ? object[name] : undefined
    if (value !== undefined && value !== null) fitted.push([name, within(name, () => type.fit(value))])
  }
  return Object.fromEntries(fitted)
}

interface Reader {
  text: string
  at: number
}

const INTEGERS: Readonly<Record<string, { sql: string; bits: bigint }>> = {
  tinyint: { sql: 'TINYINT', bits: 8n },
  smallint: { sql: 'SMALLINT', bits: 16n },
  int: { sql: 'INTEGER', bits: 32n },
  integer: { sql: 'INTEGER', bits: 32n },
  bigint: { sql: 'BIGINT', bits: 64n },
}

const SCALARS: Readonly<Record<string, ColumnType>> = {
  string: { sql: 'VARCHAR', fit: fitString },
  boolean: { sql: 'BOOLEAN', fit: fitBoolean },
  float: { sql: 'FLOAT', fit: (value) => fitFloating(value, 3.4028234663852886e38) },
  double: { sql: 'DOUBLE', fit: (value) => fitFloating(value, Number.MAX_VALUE) },
  timestamp: { sql: 'TIMESTAMP', fit: fitTimestamp },
  date: { sql: 'DATE', fit: fitDate },
}

const MAX_DEPTH = 32

function readType(reader: Reader, depth: number): ColumnType {
  if (depth > MAX_DEPTH) throw new Error('it is nested too deep')
  const name = /^[a-z]*/i.exec(reader.text.slice(reader.at))![0].toLowerCase()
  reader.at += name.length
  if (Object.hasOwn(SCALARS, name)) return SCALARS[name]!
  if (Object.hasOwn(INTEGERS, name)) {
    const { sql, bits } = INTEGERS[name]!
    return { sql, fit: (value) => fitInteger(value, bits) }
  }
  if (name === 'decimal') return readDecimal(reader)
  if (name === 'array') return readArray(reader, depth)
  if (name === 'map') return readMap(reader, depth)
  if (name === 'struct') return readStruct(reader, depth)
  throw new Error(
    `there is no type ${name === '' ? reader.text.slice(reader.at, reader.at + 20) : name} here`,
  )
}

function readDecimal(reader: Reader): ColumnType {
  const [whole, digits, , scaleText] = /^\((\d+)(,(\d+))?\)/.exec(reader.text.slice(reader.at)) ?? ['', '10']
  const precision = Number(digits)
  const scale = Number(scaleText ?? 0)
  if (precision < 1 || precision > 38 || scale > precision) throw new Error('a decimal has 1 to 38 digits')
  reader.at += whole.length
  return { sql: `DECIMAL(${precision},${scale})`, fit: (value) => fitDecimal(value, precision, scale) }
}

function readArray(reader: Reader, depth: number): ColumnType {
  expect(reader, '<')
  const member = readType(reader, depth + 1)
  expect(reader, '>')
  return {
    sql: `${member.sql}[]`,
    fit(value) {
      if (!Array.isArray(value)) throw new Misfit('is no list')
      return value.map((one, index) => (one === null ? null : within(String(index), () => member.fit(one))))
    },
  }
}

function readMap(reader: Reader, depth: number): ColumnType {
  expect(reader, '<')
  // Keys of JSON are text.
  expect(reader, 'string,')
  const member = readType(reader, depth + 1)
  expect(reader, '>')
  return {
    sql: `MAP(VARCHAR, ${member.sql})`,
    fit: (value) =>
      Object.fromEntries(
        Object.entries(objectOf(value)).map(([key, one]) => [
          key,
          one === null ? null : within(key, () => member.fit(one)),
        ]),
      ),
  }
}

function readStruct(reader: Reader, depth: number): ColumnType {
  expect(reader, '<')
  const fields: [string, ColumnType][] = []
  do {
    const name = /^[^:<>,]+/.exec(reader.text.slice(reader.at))?.[0]
    if (name === undefined) throw new Error('a field of a struct has no name')
    reader.at += name.length
    expect(reader, ':')
    fields.push([name, readType(reader, depth + 1)])
  } while (skip(reader, ','))
  expect(reader, '>')
  checkNames(fields.map(([name]) => name))
  const members = fields.map(([name, type]) => `"${name.replaceAll('"', '""')}" ${type.sql}`)
  const byName = new Map(fields)
  return { sql: `STRUCT(${members.join(', ')})`, fit: (value) => fitRow(byName, value) }
}

function skip(reader: Reader, text: string): boolean {
  if (!reader.text.startsWith(text, reader.at)) return false
  reader.at += text.length
  return true
}

function expect(reader: Reader, text: string): void {
  if (!skip(reader, text)) throw new Error(`${text} is expected after ${reader.text.slice(0, reader.at)}`)
}

function fitString(value: unknown): string {
  if (typeof value === 'string') return value
  if (value instanceof JsonNumber) return value.source
  return JSON.stringify(value)
}

function fitBoolean(value: unknown): boolean {
  if (typeof value === 'boolean') return value
  if (value === 'true' || value === 'false') return value === 'true'
  throw new Misfit('is no boolean')
}

function objectOf(value: unknown): Record<string, unknown> {
  if (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof JsonNumber)
  ) {
    return value as Record<string, unknown>
  }
  throw new Misfit('is no object')
}

function within<T>(name: string, fit: () => T): T {
  try {
    return fit()
  } catch (error) {
    if (error instanceof Misfit) throw new Misfit(error.message, [name, ...error.path])
    throw error
  }
}
