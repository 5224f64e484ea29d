import { planWrites } from '../requests/planned-write.js'
import { sendRequests } from '../requests/send-requests.js'
import type { Sink, SinkResult } from '../sink.js'
import { type PlannedRow, planRow } from './planned-row.js'
import { type PostgresSinkOptions, resolvePostgresSinkOptions } from './postgres-options.js'
import { RowWriter } from './row-writer.js'

/**
 * Stores records as rows of a PostgreSQL table, up to `maxRows` in one `INSERT … ON CONFLICT`, in stream order. A row that the table can
 * never hold is rejected alone.
 *
 * @throws InvalidOptionError for options that cannot work
 */
export function postgresSink<T>(options: PostgresSinkOptions<T>): Sink<T> {
  const resolved = resolvePostgresSinkOptions(options)
  const { tableName, maxRows } = resolved
  const writer = new RowWriter(resolved)
  return {
    async write(records, context) {
      const results: SinkResult[] = new Array(records.length)
      const rows = planWrites(records, (record, index) => planRow(record, index, resolved), results)
      const send = (chunk: readonly PlannedRow[]) => writer.write(chunk, context)
      // One after the other: rows of one key may come from many partition keys, and the last in stream order is to win.
      await sendRequests([chunks(rows, maxRows)], { what: tableName, send }, context, results)
      return results
    },
  }
}

function chunks(rows: readonly PlannedRow[], maxRows: number): PlannedRow[][] {
  const count = Math.ceil(rows.length / maxRows)
  return Array.from({ length: count }, (_, n) => rows.slice(n * maxRows, (n + 1) * maxRows))
}
