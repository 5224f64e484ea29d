import { unstorable } from '../errors.js'
import { withinTime } from '../requests/request-timeout.js'
import { heldBack, type SinkContext, type SinkResult } from '../sink.js'
import type { PlannedRow } from './planned-row.js'
import type { ResolvedPostgresSinkOptions } from './postgres-options.js'
import { isRowFault, mayBeOneRow } from './sql-state.js'
import { upsertStatement } from './upsert-statement.js'

/** The statements to one table, and what their outcomes mean for each row. */
export class RowWriter<T> {
  readonly #statement: (rows: number) => string

  constructor(private readonly options: ResolvedPostgresSinkOptions<T>) {
    this.#statement = upsertStatement(options)
  }

  /** All rows, in one statement where the database takes them. It stores a statement whole or not at all. */
  async write(rows: readonly PlannedRow[], context: SinkContext): Promise<SinkResult[]> {
    const outcomes = new Map<PlannedRow, SinkResult>()
    const refused = new Map<string, PlannedRow>()
    try {
      for (let open = rows; open.length > 0; open = open.filter((row) => !outcomes.has(row))) {
        const replaced = this.#replacedRows(open)
        const written = open.filter((row) => !replaced.has(row))
        try {
          await this.#divide(written, context, outcomes, refused)
        } finally {
          // What was replaced by a row that is stored now is past, also where another row failed: written later, it would overwrite that
          // row. What was replaced by one that was refused is still to be written.
          for (const [row, by] of replaced) if (outcomes.get(by)?.stored) outcomes.set(row, { stored: true })
        }
      }
    } catch (error) {
      for (const row of rows) if (!outcomes.has(row)) outcomes.set(row, { stored: false, error })
    }
    return rows.map((row) => outcomes.get(row)!)
  }

  /** A statement cannot update a row twice: of those with one key the last in stream order is written. */
  #replacedRows(rows: readonly PlannedRow[]): Map<PlannedRow, PlannedRow> {
    if (this.options.onConflict === 'nothing') return new Map()
    const last = new Map(rows.map((row) => [row.rowKey, row]))
    return new Map(
      rows.filter((row) => last.get(row.rowKey) !== row).map((row) => [row, last.get(row.rowKey)!]),
    )
  }

  /** Halves what fails for a row of it, until that row stands alone. Throws what is no row's fault. */
  async #divide(
    rows: readonly PlannedRow[],
    context: SinkContext,
    outcomes: Map<PlannedRow, SinkResult>,
    refused: Map<string, PlannedRow>,
  ): Promise<void> {
    const allowed: PlannedRow[] = []
    for (const row of rows) {
      const before = refused.get(row.partitionKey)
      // One that was replaced may stand before the row that was refused: it must not wait for it.
      if (before === undefined || row.index < before.index) allowed.push(row)
      else outcomes.set(row, heldBack(errorOf(outcomes.get(before))))
    }
    if (allowed.length === 0) return
    try {
      await this.#insert(allowed, context)
      for (const row of allowed) outcomes.set(row, { stored: true })
    } catch (error) {
      if (!mayBeOneRow(error, this.options)) throw error
      if (allowed.length > 1) {
        const middle = Math.ceil(allowed.length / 2)
        await this.#divide(allowed.slice(0, middle), context, outcomes, refused)
        await this.#divide(allowed.slice(middle), context, outcomes, refused)
        return
      }
      if (!isRowFault(error)) throw error
      const [row] = allowed as [PlannedRow]
      const reason = unstorable(`${this.options.tableName} refuses the row: ${error.message}`, error)
      outcomes.set(row, { stored: false, error: reason })
      refused.set(row.partitionKey, row)
    }
  }

  async #insert(rows: readonly PlannedRow[], context: SinkContext): Promise<void> {
    const { client, clock, requestTimeoutMs, tableName } = this.options
    if (context.remainingMs() <= 0) throw new Error('The invocation has no time left to write the rows.')
    const text = this.#statement(rows.length)
    const values = rows.flatMap((row) => row.values)
    await withinTime({ clock, requestTimeoutMs, what: tableName }, context, (signal) =>
      untilAborted(client.query(text, values), signal),
    )
  }
}

function errorOf(result: SinkResult | undefined): unknown {
  return result?.stored === false ? result.error : undefined
}

/** A query cannot be aborted, but left. */
function untilAborted(query: Promise<unknown>, signal: AbortSignal): Promise<unknown> {
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
  return Promise.race([query, aborted])
}
