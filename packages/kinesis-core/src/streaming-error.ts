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
    // The classes of the toolkit name themselves: a bundler that minifies leaves nothing of a class's own name.
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
  override name = 'InvalidOptionError'
  readonly option: string

  constructor(option: string, value: unknown, remedy: string) {
    super(`${option}: ${describe(value)} cannot be used. ${remedy}`, {
      code: 'INVALID_OPTION',
      retryable: false,
    })
    this.option = option
  }
}

/** A misspelt option would silently do nothing. */
export function refuseUnknownOptions(options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw new InvalidOptionError('options', options, `Pass an object with ${known.slice(0, 4).join(', ')}, …`)
  }
  for (const [name, value] of Object.entries(options)) {
    if (known.includes(name)) continue
    throw new InvalidOptionError(name, value, `There is no such option. Known are ${known.join(', ')}.`)
  }
}

function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value)
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object'
  return String(value)
}
