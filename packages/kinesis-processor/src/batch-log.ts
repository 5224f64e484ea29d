import type { BatchReport } from './batch-report.js'
import type { UnresolvedRecords } from './handler-options.js'

/** The part of Powertools' `Logger` that is used. */
export interface LoggerPort {
  debug(message: string, more: Record<string, unknown>): unknown
  warn(message: string, more: Record<string, unknown>): unknown
}

/** One line for the batch: a warning where somebody may want to look at it. */
export function logBatch(
  logger: LoggerPort,
  { storedByEventType, ...report }: BatchReport,
  unresolved: UnresolvedRecords | undefined,
): void {
  const more: Record<string, unknown> = { batch: report }
  if (unresolved !== undefined) {
    more.stoppedAt = unresolved.position
    // Under this name Powertools writes an error with its stack and causes.
    if (unresolved.error !== undefined) more.error = unresolved.error
    logger.warn('A batch of records was left unfinished.', more)
  } else if (report.rejected > 0) logger.warn('Records of a batch were rejected.', more)
  else logger.debug('A batch of records was processed.', more)
}

/** A batch that cannot go on must say why, or nobody can help it. */
export function warnOfUnresolved({ position, count, error }: UnresolvedRecords): void {
  const why =
    error === undefined
      ? 'no time was left'
      : error instanceof Error
        ? `${error.name}: ${error.message}`
        : error
  console.warn(
    `kinesis-processor: ${count} records unresolved, from ${position.shardId} ${position.sequenceNumber} on: ${why}`,
  )
}
