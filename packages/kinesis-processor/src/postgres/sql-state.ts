import type { ResolvedPostgresSinkOptions } from './postgres-options.js'

/** An error of the database, as `pg` gives it (PostgreSQL manual, "PostgreSQL Error Codes"). */
type DatabaseError = Error & { code: string; column?: string }

const NOT_NULL_VIOLATION = '23502'
/** Two rows of a statement have a key that the database takes for the same, such as 1 and '01'. */
const ROW_TWICE = '21000'
/** A value is too long for an index, or a row for a page. */
const LIMIT_EXCEEDED = '54000'

/** Whether fewer rows may succeed. Anything else, such as a missing table or a lost connection, may be mended while records wait. */
export function mayBeOneRow(
  error: unknown,
  { columns }: Pick<ResolvedPostgresSinkOptions<never>, 'columns'>,
): error is DatabaseError {
  if (!isDatabaseError(error)) return false
  // A column that the sink never fills: every row would fail, and none is to be rejected for it.
  if (error.code === NOT_NULL_VIOLATION && !Object.hasOwn(columns, error.column ?? '')) return false
  return error.code === ROW_TWICE || isRowFault(error)
}

/** Data exceptions (class 22) and violated constraints (class 23): a row that stands alone meets them every time. */
export function isRowFault(error: DatabaseError): boolean {
  return /^2[23]/.test(error.code) || error.code === LIMIT_EXCEEDED
}

function isDatabaseError(error: unknown): error is DatabaseError {
  return error instanceof Error && /^[\dA-Z]{5}$/.test((error as Partial<DatabaseError>).code ?? '')
}
