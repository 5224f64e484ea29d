import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { InvalidOptionError } from '@org/kinesis-core'
import { type ColumnType, checkNames, fitRow, parseColumnType } from './column-type.js'
import { Misfit, readJsonDocuments } from './json-documents.js'
import { checkOptionalPeer } from './optional-peer.js'

export interface ParquetOptions {
  /**
   * Names and types of the columns, as of a Glue table: string, boolean, tinyint, smallint, int, bigint, float, double, decimal(p,s),
   * timestamp, date, array<…>, map<string,…>, struct<name:…>. Names are those of the JSON, in its case.
   */
  columns: Readonly<Record<string, string>>
  /** @default 'SNAPPY' */
  compression?: 'SNAPPY' | 'GZIP' | 'UNCOMPRESSED'
}

/** The documents of one record on lines of their own. */
interface Row {
  index: number
  lines: string
}

interface Conversion {
  /** Empty where no record was accepted. */
  bytes: Uint8Array
  /** Indexes of records. */
  accepted: number[]
  refused: { index: number; code: string; message: string }[]
}

/** Makes one Parquet file of records of JSON; what does not fit the columns is left out, with the reason. */
export interface ParquetConverter {
  convert(records: readonly Uint8Array[]): Promise<Conversion>
  close(): void
}

const COMPRESSIONS = ['SNAPPY', 'GZIP', 'UNCOMPRESSED']

export function parquetConverter(options: ParquetOptions): ParquetConverter {
  const { columns, compression = 'SNAPPY', ...others } = options
  const [unknown] = Object.entries(others)
  if (unknown !== undefined) {
    const [name, value] = unknown
    throw new InvalidOptionError(`parquet.${name}`, value, 'There is no such option: columns, compression.')
  }
  const types = readColumns(columns)
  if (!COMPRESSIONS.includes(compression)) {
    throw new InvalidOptionError(
      'parquet.compression',
      compression,
      `Give one of ${COMPRESSIONS.join(', ')}.`,
    )
  }
  checkOptionalPeer('@duckdb/node-api', 'parquet', columns)
  let connection: Promise<DuckDBConnection> | undefined
  let running = 0
  let isClosed = false
  const closeWhenIdle = () => {
    if (running > 0 || !isClosed) return
    void connection?.then((duckdb) => duckdb.closeSync())
    connection = undefined
  }
  return {
    async convert(records) {
      const { rows, refused } = fitRecords(types, records)
      connection ??= rows.length === 0 ? undefined : connect()
      running += 1
      try {
        const write = async (some: readonly Row[]) =>
          writeParquet((await connection)!, types, some, compression)
        const written = await writeReadable(rows, write)
        const accepted = written.rows.map(({ index }) => index)
        return { bytes: written.bytes, accepted, refused: [...refused, ...written.refused] }
      } finally {
        running -= 1
        closeWhenIdle()
      }
    },
    close() {
      isClosed = true
      closeWhenIdle()
    },
  }
}

function readColumns(columns: Readonly<Record<string, string>>): Map<string, ColumnType> {
  const types = new Map<string, ColumnType>()
  for (const [name, type] of Object.entries(columns ?? {})) {
    try {
      types.set(name, parseColumnType(type))
    } catch (error) {
      const reason = (error as Error).message
      throw new InvalidOptionError(`parquet.columns.${name}`, type, `Give a type of a Glue table: ${reason}.`)
    }
  }
  if (types.size === 0) throw new InvalidOptionError('parquet.columns', columns, 'Name at least one column.')
  try {
    checkNames([...types.keys()])
  } catch (error) {
    throw new InvalidOptionError(
      'parquet.columns',
      columns,
      `Name them otherwise: ${(error as Error).message}.`,
    )
  }
  return types
}

function fitRecords(types: ReadonlyMap<string, ColumnType>, records: readonly Uint8Array[]) {
  const rows: Row[] = []
  const refused: Conversion['refused'] = []
  const decoder = new TextDecoder('utf-8', { fatal: true })
  for (const [index, record] of records.entries()) {
    try {
      const documents = readJsonDocuments(decoder.decode(record))
      // Whole records only: one bad document of it refuses it.
      const fitted = documents.map((document) => `${JSON.stringify(fitRow(types, document))}\n`)
      rows.push({ index, lines: fitted.join('') })
    } catch (error) {
      refused.push({ index, ...reasonOf(error) })
    }
  }
  return { rows, refused }
}

/**
 * What fits its column may still be nothing that DuckDB reads, such as half of a surrogate pair. It is looked for by halves, and left
 * out: one such record must not keep all others from being delivered. Other errors, of the disk say, pass with time.
 */
async function writeReadable(
  rows: readonly Row[],
  write: (rows: readonly Row[]) => Promise<Uint8Array>,
): Promise<{ bytes: Uint8Array; rows: readonly Row[]; refused: Conversion['refused'] }> {
  if (rows.length === 0) return { bytes: new Uint8Array(), rows, refused: [] }
  try {
    return { bytes: await write(rows), rows, refused: [] }
  } catch (error) {
    const { message } = error as Error
    if (!/^(Invalid Input|Conversion) Error/.test(message)) throw error
    if (rows.length === 1) {
      const reason = new Error(message.split('\n')[0]!.replace(/ in file "[^"]*",/, ''))
      const refused = [{ index: rows[0]!.index, ...reasonOf(reason) }]
      return { bytes: new Uint8Array(), rows: [], refused }
    }
    const middle = rows.length >> 1
    const before = await writeReadable(rows.slice(0, middle), write)
    const after = await writeReadable(rows.slice(middle), write)
    const readable = [...before.rows, ...after.rows]
    const bytes = readable.length === 0 ? new Uint8Array() : await write(readable)
    return { bytes, rows: readable, refused: [...before.refused, ...after.refused] }
  }
}

function reasonOf(error: unknown): { code: string; message: string } {
  if (error instanceof Misfit) {
    const column = error.path.length === 0 ? 'The record' : `Column ${error.path.join('.')}`
    return { code: 'DataFormatConversion.MalformedData', message: `${column} ${error.message}.` }
  }
  return {
    code: 'DataFormatConversion.ParseError',
    message: `Encountered malformed JSON. ${(error as Error).message}`,
  }
}

async function connect(): Promise<DuckDBConnection> {
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const instance = await DuckDBInstance.create(':memory:', { threads: '1', memory_limit: '1GB' })
  return instance.connect()
}

/** DuckDB reads and writes files; they are gone when this returns. */
async function writeParquet(
  connection: DuckDBConnection,
  types: ReadonlyMap<string, ColumnType>,
  rows: readonly Row[],
  compression: string,
): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), 'kinesis-local-parquet-'))
  try {
    const source = join(folder, 'rows.ndjson')
    const target = join(folder, 'rows.parquet')
    await writeFile(
      source,
      rows.map(({ lines }) => lines),
    )
    const columns = [...types].map(([name, { sql }]) => `${quoted(name)}: ${quoted(sql)}`).join(', ')
    await connection.run(
      `COPY (SELECT * FROM read_json(${quoted(source)}, format = 'newline_delimited', columns = {${columns}}))
       TO ${quoted(target)} (FORMAT parquet, COMPRESSION ${quoted(compression.toLowerCase())})`,
    )
    return await readFile(target)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
