import { StreamingError } from '@org/kinesis-core'

/** Why a record was rejected; stable, for whoever sorts rejected records. */
export type ReasonCode =
  /** No aggregate, no UTF-8, no JSON, or a number that no JSON reader can hold. */
  | 'undecodable'
  /** Decoded, and not what the schema asks for. */
  | 'invalid'
  /** An aggregated record whose content is broken. */
  | 'corrupt-aggregate'
  /** A step threw a PermanentError. */
  | 'rejected-by-step'
  /** The sink can never take it: too large, a key that is none, a number out of range. */
  | 'unstorable'

/** Trying again cannot help: the record goes to the rejected sink and counts as resolved. */
export class PermanentError extends StreamingError {
  readonly reasonCode: ReasonCode

  constructor(message: string, options: { reasonCode?: ReasonCode; cause?: unknown } = {}) {
    super(message, { code: 'PERMANENT', retryable: false, cause: options.cause })
    this.reasonCode = options.reasonCode ?? 'rejected-by-step'
  }
}

/** Trying again may help. Any other error is treated the same; this one says that it was foreseen. */
export class TransientError extends StreamingError {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, { code: 'TRANSIENT', retryable: true, cause: options.cause })
  }
}

/** The event is not one that this handler reads: a wiring fault, which no retry mends. */
export class UnexpectedEventError extends StreamingError {
  constructor(message: string) {
    super(message, { code: 'UNEXPECTED_EVENT', retryable: false })
  }
}

export function isPermanent(error: unknown): error is PermanentError {
  return error instanceof PermanentError
}
