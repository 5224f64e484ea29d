import { existsSync, globSync, statSync } from 'node:fs'
import { type DuckDBConnection, DuckDBInstance, StatementType } from '@duckdb/node-api'
import { StreamingError } from '@org/kinesis-core'
import type { RunFolders } from './data-dir.js'
import { views } from './views.js'
import { visible } from './visible-text.js'

export interface QueryResult {
  columns: string[]
  rows: unknown[][]
}

/** What only reads. CREATE is among them: it reaches no file, and PIVOT makes a type on its way. */
const readingStatements: readonly StatementType[] = [
  StatementType.SELECT,
  StatementType.EXPLAIN,
  StatementType.CREATE,
]

/** Runs SQL over what a run left, in a database that can read this run's folder and nothing else. */
export async function queryRun(folders: RunFolders, sql: string): Promise<QueryResult> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    for (const name of Object.keys(views) as (keyof typeof views)[])
      await connection.run(`create view ${name} as ${rowsOf(name, folders)}`)
    await lock(connection, folders.root)
    return await answer(connection, sql)
  } catch (error) {
    const [reason] = (error as Error).message.split('\n')
    throw new StreamingError(
      `The query failed: ${reason} (The views are ${Object.keys(views).join(', ')}; their columns are in demo query --help.)`,
      {
        code: 'QUERY_FAILED',
        retryable: false,
        cause: error,
      },
    )
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

function rowsOf(name: keyof typeof views, folders: RunFolders): string {
  if (name === 'lake') {
    const objects = 'year=*/month=*/day=*/hour=*/*.gz'
    if (globSync(objects, { cwd: folders.lake }).length === 0) return noRows(name)
    // union_by_name: events need not all have the same fields. The limit is the service's own for a record.
    return `select * from read_json(${quote(`${literally(folders.lake)}/${objects}`)}, format = 'newline_delimited',
      hive_partitioning = true, union_by_name = true, maximum_object_size = 16777216)`
  }
  const file = folders[name]
  if (!existsSync(file) || statSync(file).size === 0) return noRows(name)
  return `select * from read_json(${quote(literally(file))}, format = 'newline_delimited')`
}

/** Where there is no line, there is nothing to infer columns from. */
function noRows(name: keyof typeof views): string {
  const columns = Object.entries(views[name].columns).map(([column, type]) => `null::${type} as "${column}"`)
  return `select ${columns.join(', ')} where false`
}

/** Files of others and settings are out of reach from here on; the views still read theirs. */
async function lock(connection: DuckDBConnection, folder: string): Promise<void> {
  // As it is, and as the views' patterns write it.
  const folders = [`${folder}/`, `${literally(folder)}/`].map(quote)
  await connection.run(`set allowed_directories = [${folders.join(', ')}]`)
  await connection.run('set enable_external_access = false')
  await connection.run('set lock_configuration = true')
}

/** The rows of the last statement. One is prepared when those before it have run, because PIVOT is several that build on each other. */
async function answer(connection: DuckDBConnection, sql: string): Promise<QueryResult> {
  const statements = await connection.extractStatements(sql)
  for (let index = 0; index < statements.count; index++) {
    const statement = await statements.prepare(index)
    // Left to itself, COPY and ATTACH could still write into the folder that the views read.
    if (!readingStatements.includes(statement.statementType))
      throw new Error('Only queries are answered: SELECT, PIVOT, DESCRIBE, SUMMARIZE, EXPLAIN.')
    const reader = await statement.runAndReadAll()
    if (index === statements.count - 1)
      return { columns: reader.columnNames(), rows: reader.getRowsJson() as unknown[][] }
  }
  throw new Error('It is empty.')
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** A path whose characters stand for themselves where a pattern is expected. */
function literally(path: string): string {
  return path.replace(/[[*?]/g, '[$&]')
}

/**
 * A result as aligned columns; cells beyond `maxCellWidth` are cut, and say so with `…`. Control characters in values are shown, not obeyed:
 * events are anybody's text.
 */
export function formatTable(
  { columns, rows }: QueryResult,
  maxCellWidth: number = Number.POSITIVE_INFINITY,
): string {
  const cut = (text: string) => (text.length <= maxCellWidth ? text : `${text.slice(0, maxCellWidth - 1)}…`)
  const cells = [columns, ...rows.map((row) => row.map(cell))].map((row) =>
    row.map((text) => cut(visible(text))),
  )
  // Not `Math.max(...)`: a call takes some hundred thousand arguments, a result may have more rows.
  const widths = columns.map((_, column) =>
    cells.reduce((widest, row) => Math.max(widest, row[column]!.length), 0),
  )
  const numeric = columns.map((_, column) => rows.every((row) => typeof row[column] === 'number'))
  const lines = cells.map((row) =>
    row
      .map((text, column) =>
        numeric[column] ? text.padStart(widths[column]!) : text.padEnd(widths[column]!),
      )
      .join('  ')
      .trimEnd(),
  )
  return [lines[0], widths.map((width) => '─'.repeat(width)).join('  '), ...lines.slice(1)].join('\n')
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
