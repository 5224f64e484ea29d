import { StreamingError, type StreamingErrorOptions } from '@org/kinesis-core'

export type ProducerErrorCode =
  | 'INVALID_RECORD'
  | 'RECORD_TOO_LARGE'
  | 'QUEUE_FULL'
  | 'RECORD_EXPIRED'
  | 'ATTEMPTS_EXHAUSTED'
  | 'KEY_HALTED'
  | 'REQUEST_REJECTED'
  | 'PRODUCER_CLOSED'
  | 'SPOOL_FULL'
  | 'SPOOL_FAILED'
  | 'SPOOL_IN_USE'
  | 'SPOOL_STARTING'

interface ProducerErrorOptions extends StreamingErrorOptions {
  code: ProducerErrorCode
  maybeDelivered?: boolean
}

/**
 * Why a record has no receipt. `retryable`: the same `put` may succeed later. `maybeDelivered`: an attempt ended without
 * an answer, so the record may be in the stream all the same; false means that it certainly is not.
 */
export abstract class ProducerError extends StreamingError {
  declare readonly code: ProducerErrorCode
  readonly maybeDelivered: boolean

  constructor(message: string, options: ProducerErrorOptions) {
    super(message, options)
    this.maybeDelivered = options.maybeDelivered ?? false
  }
}

/** A field of the record cannot be sent as it is. Nothing was queued. */
export class InvalidRecordError extends ProducerError {
  override name = 'InvalidRecordError'
  readonly field: string

  constructor(field: string, problem: string, remedy: string, cause?: unknown) {
    super(`${field}: ${problem}. ${remedy}`, { code: 'INVALID_RECORD', retryable: false, cause })
    this.field = field
  }
}

/** Data and partition key together weigh more than a record may. Nothing was queued. */
export class RecordTooLargeError extends ProducerError {
  override name = 'RecordTooLargeError'
  readonly sizeBytes: number
  readonly limitBytes: number

  constructor(sizeBytes: number, limitBytes: number) {
    super(
      `data: ${sizeBytes} bytes with the partition key, the limit is ${limitBytes} bytes. ` +
        'Send less, keep the payload elsewhere and send its address, or raise the limit of the stream (UpdateMaxRecordSize) and maxRecordBytes.',
      { code: 'RECORD_TOO_LARGE', retryable: false },
    )
    this.sizeBytes = sizeBytes
    this.limitBytes = limitBytes
  }
}

/** The buffer has no room and `whenFull` is `'reject'`. Nothing was queued. */
export class QueueFullError extends ProducerError {
  override name = 'QueueFullError'
  readonly bufferedBytes: number
  readonly limitBytes: number

  constructor(bufferedBytes: number, limitBytes: number) {
    super(
      `The buffer holds ${bufferedBytes} bytes, maxBufferedBytes is ${limitBytes}. ` +
        "Await ready() before the next put, use whenFull: 'wait', or raise maxBufferedBytes.",
      { code: 'QUEUE_FULL', retryable: true },
    )
    this.bufferedBytes = bufferedBytes
    this.limitBytes = limitBytes
  }
}

/** `recordTtlMs` went by before the record was delivered. */
export class RecordExpiredError extends ProducerError {
  override name = 'RecordExpiredError'
  readonly attempts: number
  readonly recordTtlMs: number

  constructor(options: { attempts: number; recordTtlMs: number; maybeDelivered: boolean; cause?: unknown }) {
    super(
      `The record was not delivered within recordTtlMs (${options.recordTtlMs} ms, ${attemptsText(options.attempts)}). ` +
        lastFailureText(options.cause) +
        'Put it again, raise recordTtlMs, or give the stream more shards.',
      {
        code: 'RECORD_EXPIRED',
        retryable: true,
        maybeDelivered: options.maybeDelivered,
        cause: options.cause,
      },
    )
    this.attempts = options.attempts
    this.recordTtlMs = options.recordTtlMs
  }
}

/** `maxAttempts` attempts failed. */
export class AttemptsExhaustedError extends ProducerError {
  override name = 'AttemptsExhaustedError'
  readonly attempts: number

  constructor(options: { attempts: number; maybeDelivered: boolean; cause?: unknown }) {
    super(
      `The record was not delivered in ${attemptsText(options.attempts)}, which is maxAttempts. ` +
        lastFailureText(options.cause) +
        'Put it again, or raise maxAttempts.',
      {
        code: 'ATTEMPTS_EXHAUSTED',
        retryable: true,
        maybeDelivered: options.maybeDelivered,
        cause: options.cause,
      },
    )
    this.attempts = options.attempts
  }
}

/** An earlier record of the key failed and `onExpired` is `'halt-key'`: this one was held back so that the key shows no gap. */
export class KeyHaltedError extends ProducerError {
  override name = 'KeyHaltedError'
  readonly partitionKey: string

  constructor(partitionKey: string) {
    super(
      `partitionKey ${JSON.stringify(partitionKey)} is halted, because an earlier record of it was not delivered. ` +
        'Settle what failed, then call resumeKey() and put again.',
      { code: 'KEY_HALTED', retryable: false },
    )
    this.partitionKey = partitionKey
  }
}

/** The service, or the way to it, refused the whole request for a reason that another attempt does not change. */
export class RequestRejectedError extends ProducerError {
  override name = 'RequestRejectedError'
  /** The service's own name of the fault, `ResourceNotFoundException` say. */
  readonly reason: string

  constructor(options: { reason: string; message: string; maybeDelivered: boolean; cause?: unknown }) {
    super(options.message, {
      code: 'REQUEST_REJECTED',
      retryable: false,
      maybeDelivered: options.maybeDelivered,
      cause: options.cause,
    })
    this.reason = options.reason
  }
}

/** The producer was closed: before the put, or by `close({ deadlineMs })` while the record still waited. */
export class ProducerClosedError extends ProducerError {
  override name = 'ProducerClosedError'
  constructor(message: string, options: { maybeDelivered?: boolean; cause?: unknown } = {}) {
    super(message, { code: 'PRODUCER_CLOSED', retryable: false, ...options })
  }
}

/** What a put gets after `close()`. */
export function producerIsClosed(): ProducerClosedError {
  return new ProducerClosedError('The producer is closed. Create another one to put records.')
}

/** What a record gets that `close({ deadlineMs })` gives up. */
export function givenUpByClose(
  deadlineMs: number | undefined,
  entry: { place: string; maybeDelivered: boolean; lastFault: Error | undefined },
): ProducerClosedError {
  return new ProducerClosedError(
    `close() gave the record up after deadlineMs (${deadlineMs} ms). Put it with another producer, or allow more time.`,
    { maybeDelivered: entry.maybeDelivered || entry.place === 'in-flight', cause: entry.lastFault },
  )
}

function attemptsText(attempts: number): string {
  return attempts === 1 ? '1 attempt' : `${attempts} attempts`
}

function lastFailureText(cause: unknown): string {
  return cause instanceof Error ? `Last failure: ${cause.message.replace(/\.$/, '')}. ` : ''
}
