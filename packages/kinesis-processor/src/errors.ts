import { StreamingError } from '@org/kinesis-core'

/** Why a record was rejected; stable, for whoever sorts rejected records. */
export type ReasonCode =
  /** No UTF-8, no JSON, a number that no JSON reader can hold, or whatever else the decoder refuses. */
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
  override name = 'PermanentError'
  /** Where it is left out, the stage that failed says why: decoder, step or sink. */
  readonly reasonCode: ReasonCode | undefined

  constructor(message: string, options: { reasonCode?: ReasonCode; cause?: unknown } = {}) {
    super(message, { code: 'PERMANENT', retryable: false, cause: options.cause })
    this.reasonCode = options.reasonCode
  }
}

/** For decoders: no other bytes will come of it. */
export function undecodable(message: string, cause?: unknown): PermanentError {
  return new PermanentError(message, { reasonCode: 'undecodable', cause })
}

/** Trying again may help. Any other error of a step or sink is treated the same; this one says that it was foreseen. */
export class TransientError extends StreamingError {
  override name = 'TransientError'
  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, { code: 'TRANSIENT', retryable: true, cause: options.cause })
  }
}

/** The event is not one that this handler reads: a wiring fault, which no retry mends. */
export class UnexpectedEventError extends StreamingError {
  override name = 'UnexpectedEventError'
  constructor(message: string) {
    super(message, { code: 'UNEXPECTED_EVENT', retryable: false })
  }
}

/** For what a sink can never hold. */
export function unstorable(message: string, cause?: unknown): PermanentError {
  return new PermanentError(message, { reasonCode: 'unstorable', cause })
}

/** By code, not by class: a sink may come with a copy of this package of its own. */
export function isPermanent(error: unknown): error is PermanentError {
  return StreamingError.isInstance(error) && error.code === 'PERMANENT'
}

export function isTransient(error: unknown): error is TransientError {
  return StreamingError.isInstance(error) && error.code === 'TRANSIENT'
}
