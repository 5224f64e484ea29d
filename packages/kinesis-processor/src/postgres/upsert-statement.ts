import type { ResolvedPostgresSinkOptions } from './postgres-options.js'

type StatementOptions = Pick<
  ResolvedPostgresSinkOptions<never>,
  'tableName' | 'schemaName' | 'key' | 'onConflict' | 'positionColumn'
> & { columns: Readonly<Record<string, unknown>> }

/** Gives the text of an INSERT of so many rows. Values are parameters, row after row; names are the only thing that is written out. */
export function upsertStatement(options: StatementOptions): (rows: number) => string {
  const { schemaName, tableName, key, onConflict, positionColumn } = options
  const columns = Object.keys(options.columns)
  if (positionColumn !== undefined) columns.push(positionColumn)
  const table = (schemaName === undefined ? [tableName] : [schemaName, tableName]).map(quoted).join('.')
  const head = `INSERT INTO ${table} AS stored (${columns.map(quoted).join(', ')}) VALUES `
  const updated = columns.filter((name) => !key.includes(name)).map(quoted)
  const action =
    onConflict === 'nothing'
      ? 'NOTHING'
      : `UPDATE SET ${updated.map((name) => `${name} = EXCLUDED.${name}`).join(', ')}${guard(positionColumn)}`
  const tail = ` ON CONFLICT (${key.map(quoted).join(', ')}) DO ${action}`
  return (rows) => {
    const tuples: string[] = []
    for (let row = 0; row < rows; row++) {
      const parameters = columns.map((_, place) => `$${row * columns.length + place + 1}`)
      tuples.push(`(${parameters.join(', ')})`)
    }
    return head + tuples.join(', ') + tail
  }
}

/** A row that has no position yet gives way to any record. */
function guard(positionColumn: string | undefined): string {
  if (positionColumn === undefined) return ''
  const name = quoted(positionColumn)
  return ` WHERE stored.${name} IS NULL OR stored.${name} < EXCLUDED.${name}`
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
