import { ProducerError } from '../producer-errors.js'

interface SpoolErrorOptions {
  code: 'SPOOL_FULL' | 'SPOOL_FAILED' | 'SPOOL_IN_USE' | 'SPOOL_STARTING'
  directory: string
  retryable: boolean
  maybeDelivered?: boolean
  cause?: unknown
}

/**
 * The spool did not take a record, or could not be opened. `SPOOL_FULL`: there is no room. `SPOOL_FAILED`: the disk refused; where
 * `retryable` is false the spool takes nothing any more. `SPOOL_IN_USE`: another process has the directory. `SPOOL_STARTING`: an `enqueue` that
 * did not await `ready()`. The record was not queued; `maybeDelivered` is true where its bytes may be on the disk all the same, so that the next process would send it.
 */
export class SpoolError extends ProducerError {
  override name = 'SpoolError'
  readonly directory: string

  constructor(message: string, { directory, ...options }: SpoolErrorOptions) {
    super(message, options)
    this.directory = directory
  }
}

export function spoolIsFull(directory: string, bytes: number, maxBytes: number): SpoolError {
  return new SpoolError(
    `The spool in ${directory} holds ${bytes} bytes of records that have not settled, or share a segment with such; maxBytes is ` +
      `${maxBytes}. Put the record again later, raise spool.maxBytes, or give the stream more shards.`,
    { code: 'SPOOL_FULL', directory, retryable: true },
  )
}

export function recordIsTooLarge(directory: string, bytes: number, maxBytes: number): SpoolError {
  return new SpoolError(
    `The record takes ${bytes} bytes in the spool in ${directory}, whose maxBytes is ${maxBytes}. Send less, or raise spool.maxBytes.`,
    { code: 'SPOOL_FULL', directory, retryable: false },
  )
}

/** The disk refused a write, and nothing of it is left: the next may succeed. */
export function writeFailed(directory: string, cause: unknown): SpoolError {
  const isFull = ['ENOSPC', 'EDQUOT', 'EFBIG'].includes((cause as NodeJS.ErrnoException).code ?? '')
  return new SpoolError(
    `The spool in ${directory} cannot be written: ${(cause as Error).message}. ` +
      (isFull
        ? 'Make room on the disk, and put the record again.'
        : 'Put the record again, or check the disk.'),
    { code: isFull ? 'SPOOL_FULL' : 'SPOOL_FAILED', directory, retryable: true, cause },
  )
}

/** The end of a spool, because what the disk holds is not known any more. */
export function stateIsUnknown(
  directory: string,
  { what, cause, maybeDelivered = false }: { what: string; cause: unknown; maybeDelivered?: boolean },
): SpoolError {
  return new SpoolError(
    `The spool in ${directory} takes no more records: ${what} failed (${(cause as Error).message}). Whether the disk keeps what was ` +
      'written last is not known, and trying again would not tell. What was admitted is still being sent; check the disk, then start again.',
    { code: 'SPOOL_FAILED', directory, retryable: false, maybeDelivered, cause },
  )
}

export function cannotOpen(directory: string, remedy: string, cause?: unknown): SpoolError {
  const reason = cause instanceof Error ? ` (${cause.message})` : ''
  return new SpoolError(`The spool in ${directory} cannot be opened${reason}. ${remedy}`, {
    code: 'SPOOL_FAILED',
    directory,
    retryable: false,
    cause,
  })
}

export function spoolIsStarting(directory: string): SpoolError {
  return new SpoolError(
    `The spool in ${directory} is being opened, and what the process before left in it goes first. Await ready() before enqueue().`,
    { code: 'SPOOL_STARTING', directory, retryable: true },
  )
}

export function isInUse(directory: string, pid: string): SpoolError {
  return new SpoolError(
    `The spool in ${directory} belongs to a running process (its number is ${pid}). End that one, or give each producer a directory of its own.`,
    { code: 'SPOOL_IN_USE', directory, retryable: true },
  )
}
