import { type Clock, InvalidOptionError, refuseUnknownOptions, systemClock } from '@org/kinesis-core'
import { requireClock, requireFunction, requireText, whole } from '../option-checks.js'
import type { RecordPosition } from '../stream-record.js'

/** What the sink needs of a connection; `Pool` and `Client` of `pg` have it. */
export interface PostgresClient {
  query(text: string, values: unknown[]): Promise<unknown>
}

export interface PostgresSinkOptions<T> {
  client: PostgresClient
  tableName: string
  /** @default what the connection's search path finds */
  schemaName?: string
  /** The columns, and what each holds of a record; undefined is stored as null. The values go to the driver as they are. */
  columns: Readonly<Record<string, (value: T, position: RecordPosition) => unknown>>
  /** The columns of a primary key or unique constraint. The same record must give the same key each time, which makes a retry harmless. */
  key: readonly string[]
  /** What happens to a row whose key is there already. @default 'update' */
  onConflict?: 'update' | 'nothing'
  /**
   * A column of type `numeric` for a record's place in its stream: a row is then updated only by a record that stands behind the one that it
   * holds. With `onConflict: 'update'`. @default none: the last that comes wins
   */
  positionColumn?: string
  /** Rows of one statement; fewer where the columns would need more than 65,535 parameters. @default 1_000 */
  maxRows?: number
  /** A statement without an answer for so long has failed, in milliseconds. It may run on: give the connection a `statement_timeout` as well. @default 10_000 */
  requestTimeoutMs?: number
  /** @default the system's clock */
  clock?: Clock
}

export type ResolvedPostgresSinkOptions<T> = Required<
  Omit<PostgresSinkOptions<T>, 'schemaName' | 'positionColumn'>
> & { schemaName: string | undefined; positionColumn: string | undefined }

/** The protocol counts the parameters of a statement in 16 bits (PostgreSQL manual, "Message Formats", Bind). */
const MAX_PARAMETERS = 65_535
/** Longer names are cut without a word (PostgreSQL manual, "Identifiers and Key Words"). */
const MAX_IDENTIFIER_BYTES = 63

const KNOWN = [
  'client',
  'tableName',
  'schemaName',
  'columns',
  'key',
  'onConflict',
  'positionColumn',
  'maxRows',
  'requestTimeoutMs',
  'clock',
] as const satisfies (keyof PostgresSinkOptions<unknown>)[]

export function resolvePostgresSinkOptions<T>(
  options: PostgresSinkOptions<T>,
): ResolvedPostgresSinkOptions<T> {
  refuseUnknownOptions(options, KNOWN)
  const { client, tableName, schemaName, columns, key, positionColumn, clock = systemClock } = options
  const { onConflict = 'update' } = options
  requireFunction('client', client?.query, 'Pass a Pool or a Client of pg.')
  requireIdentifier('tableName', tableName)
  if (schemaName !== undefined) requireIdentifier('schemaName', schemaName)
  const names = requireColumns(columns)
  requireKey(key, names)
  if (onConflict !== 'update' && onConflict !== 'nothing')
    throw new InvalidOptionError('onConflict', onConflict, "Give 'update' or 'nothing'.")
  if (positionColumn !== undefined) requirePositionColumn(positionColumn, names, onConflict)
  if (onConflict === 'update' && positionColumn === undefined && names.every((name) => key.includes(name)))
    throw new InvalidOptionError(
      'onConflict',
      onConflict,
      "There is no column to update besides the key: set it to 'nothing'.",
    )
  requireClock(clock)
  const parametersOfRow = names.length + (positionColumn === undefined ? 0 : 1)
  const maxRows = whole('maxRows', options.maxRows ?? 1_000, 1)
  return {
    client,
    tableName,
    schemaName,
    columns: { ...columns },
    key: [...key],
    onConflict,
    positionColumn,
    maxRows: Math.min(maxRows, Math.floor(MAX_PARAMETERS / parametersOfRow)),
    requestTimeoutMs: whole('requestTimeoutMs', options.requestTimeoutMs ?? 10_000, 1),
    clock,
  }
}

function requireColumns(columns: unknown): string[] {
  if (typeof columns !== 'object' || columns === null || Object.keys(columns).length === 0)
    throw new InvalidOptionError('columns', columns, 'Give each column and a function for what it holds.')
  for (const [name, held] of Object.entries(columns)) {
    requireIdentifier('columns', name)
    requireFunction(`columns.${name}`, held, 'Pass a function from a value to what the column holds.')
  }
  return Object.keys(columns)
}

function requireKey(key: unknown, names: readonly string[]): void {
  const isKey = Array.isArray(key) && key.length > 0 && new Set(key).size === key.length
  if (!isKey || key.some((name) => !names.includes(name)))
    throw new InvalidOptionError('key', key, `Name columns of a unique constraint, of: ${names.join(', ')}.`)
}

function requirePositionColumn(name: string, names: readonly string[], onConflict: string): void {
  requireIdentifier('positionColumn', name)
  if (names.includes(name))
    throw new InvalidOptionError('positionColumn', name, 'The sink fills it: leave it out of columns.')
  if (onConflict === 'nothing')
    throw new InvalidOptionError('positionColumn', name, "It is compared with onConflict: 'update' only.")
}

function requireIdentifier(option: string, name: unknown): asserts name is string {
  requireText(option, name, 'Give a name.')
  const text = name as string
  if (text.includes('\0') || Buffer.byteLength(text) > MAX_IDENTIFIER_BYTES)
    throw new InvalidOptionError(
      option,
      text,
      `A name has at most ${MAX_IDENTIFIER_BYTES} bytes, none of them 0.`,
    )
}
