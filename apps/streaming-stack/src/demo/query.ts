import { existsSync, globSync, statSync } from 'node:fs'
import { DuckDBInstance } from '@duckdb/node-api'
import { StreamingError } from '@org/kinesis-core'
import type { RunFolders } from './data-dir.js'
import { visible } from './visible-text.js'

export interface QueryResult {
  columns: string[]
  rows: unknown[][]
}

/**
 * Runs SQL over what a run left. The view `lake` has one row per delivered event, and the partition columns year, month, day, hour;
 * `processed`, `windows` and `rejected` are the items of the tables and the rejected records, where there are any.
 */
export async function queryLake(folders: RunFolders, sql: string): Promise<QueryResult> {
  const objects = `${folders.lake}/year=*/month=*/day=*/hour=*/*.gz`
  if (!existsSync(folders.lake) || globSync(objects).length === 0) {
    throw new StreamingError(`The lake in ${folders.lake} is empty: the run delivered nothing.`, {
      code: 'EMPTY_LAKE',
      retryable: false,
    })
  }
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    await connection.run(
      // union_by_name: events need not all have the same fields. The limit is the service's own for a record.
      `create view lake as select * from read_json(${quote(objects)}, format = 'newline_delimited',
         hive_partitioning = true, union_by_name = true, maximum_object_size = 16777216)`,
    )
    for (const name of ['processed', 'windows', 'rejected'] as const) {
      if (!existsSync(folders[name]) || statSync(folders[name]).size === 0) continue
      await connection.run(
        `create view ${name} as select * from read_json(${quote(folders[name])}, format = 'newline_delimited')`,
      )
    }
    const reader = await connection.runAndReadAll(sql)
    return { columns: reader.columnNames(), rows: reader.getRowsJson() }
  } catch (error) {
    const [reason] = (error as Error).message.split('\n')
    throw new StreamingError(
      `The query failed: ${reason} (The views are lake, processed, windows and rejected.)`,
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

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** A result as aligned columns. Control characters in values are shown, not obeyed: events are anybody's text. */
export function formatTable({ columns, rows }: QueryResult): string {
  const cells = [columns, ...rows.map((row) => row.map(cell))].map((row) => row.map(visible))
  const widths = columns.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)))
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
