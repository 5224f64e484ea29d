/** What every error of the toolkit carries: a stable code, and whether trying again can help. */
export interface StreamingErrorOptions {
  /** Stable, upper snake case; callers branch on it, never on the message. */
  code: string
  /** True where the same call may succeed later without a change by the caller. */
  retryable: boolean
  cause?: unknown
}

const marker = Symbol.for('@org/kinesis-core/StreamingError')

/**
 * The base of all errors that the packages throw on purpose. The message says what happened, the value, and the remedy.
 * `StreamingError.isInstance` also recognises errors of another copy of this package (dual installs, ESM beside CommonJS).
 */
export class StreamingError extends Error {
  readonly code: string
  readonly retryable: boolean
  readonly [marker] = true

  constructor(message: string, options: StreamingErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = options.code
    this.retryable = options.retryable
  }

  static isInstance(value: unknown): value is StreamingError {
    return typeof value === 'object' && value !== null && marker in value
  }
}

/** An option that cannot work: names the option, its value and the remedy. */
export class InvalidOptionError extends StreamingError {
  readonly option: string

  constructor(option: string, value: unknown, remedy: string) {
    super(`${option}: ${describe(value)} cannot be used. ${remedy}`, {
      code: 'INVALID_OPTION',
      retryable: false,
    })
    this.option = option
  }
}

function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value)
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object'
  return String(value)
}
