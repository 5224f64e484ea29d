import { ServiceError } from '../service.js'

/** Reads the fields of a request and answers wrong ones as the service does. */
export class Request {
  constructor(private readonly input: Record<string, unknown>) {}

  /** The whole of it, for a part that is read elsewhere. */
  get all(): Record<string, unknown> {
    return this.input
  }

  has(name: string): boolean {
    return (this.input[name] ?? undefined) !== undefined
  }

  string(name: string): string {
    const value = this.optionalString(name)
    if (value === undefined) throw missing(name)
    return value
  }

  optionalString(name: string): string | undefined {
    const value = this.input[name] ?? undefined
    if (value !== undefined && typeof value !== 'string') throw wrongType(name, value, 'String')
    return value
  }

  /** Text that must match the whole of `pattern`, as the API reference gives it. */
  matching(name: string, pattern: RegExp): string {
    return matched(name, this.string(name), pattern)
  }

  integer(name: string, least: number, most: number): number {
    const value = this.optionalInteger(name, least, most)
    if (value === undefined) throw missing(name)
    return value
  }

  optionalInteger(name: string, least: number, most: number): number | undefined {
    const value = this.input[name] ?? undefined
    if (value === undefined) return undefined
    if (typeof value !== 'number' || !Number.isInteger(value)) throw wrongType(name, value, 'Integer')
    if (value < least)
      throw constraint(name, `'${value}'`, `Member must have value greater than or equal to ${least}`)
    if (value > most)
      throw constraint(name, `'${value}'`, `Member must have value less than or equal to ${most}`)
    return value
  }

  optionalBoolean(name: string): boolean | undefined {
    const value = this.input[name] ?? undefined
    if (value !== undefined && typeof value !== 'boolean') throw wrongType(name, value, 'Boolean')
    return value
  }

  /** Epoch seconds on the wire, a Date in process. */
  timestampMs(name: string): number {
    const value = this.optionalTimestampMs(name)
    if (value === undefined) throw missing(name)
    return value
  }

  optionalTimestampMs(name: string): number | undefined {
    const value = this.input[name] ?? undefined
    if (value === undefined) return undefined
    const ms = value instanceof Date ? value.getTime() : typeof value === 'number' ? value * 1000 : Number.NaN
    // A date can hold no more than this.
    if (!(Math.abs(ms) <= 8.64e15)) throw wrongType(name, value, 'Timestamp')
    return ms
  }

  list(name: string): unknown[] {
    const value = this.input[name] ?? undefined
    if (value === undefined) throw missing(name)
    if (!Array.isArray(value)) throw wrongType(name, value, 'List')
    return value
  }

  strings(name: string): string[] {
    return this.list(name).map((value) => {
      if (typeof value !== 'string') throw wrongType(name, value, 'String')
      return value
    })
  }

  object(name: string): Record<string, unknown> | undefined {
    const value = this.input[name] ?? undefined
    if (value === undefined) return undefined
    if (typeof value !== 'object' || Array.isArray(value)) throw wrongType(name, value, 'Structure')
    return value as Record<string, unknown>
  }

  oneOf<T extends string>(name: string, values: readonly T[]): T {
    const value = this.string(name)
    if (!values.includes(value as T)) throw notInEnum(name, value, values)
    return value as T
  }
}

/** `path` is the field's, `records.1.member.data` say; its first letter is lowered, as the service names fields. */
export function constraint(path: string, shown: string, rule: string): ServiceError {
  const field = path.charAt(0).toLowerCase() + path.slice(1)
  return new ServiceError(
    'ValidationException',
    `1 validation error detected: Value ${shown} at '${field}' failed to satisfy constraint: ${rule}`,
  )
}

export function matched(path: string, value: string, pattern: RegExp): string {
  if (pattern.test(value)) return value
  const shown = pattern.source.replace(/^\^\(?|\)?\$$/g, '')
  throw constraint(
    path,
    `'${value.slice(0, 140)}'`,
    `Member must satisfy regular expression pattern: ${shown}`,
  )
}

export function missing(path: string): ServiceError {
  return constraint(path, 'null', 'Member must not be null')
}

export function notInEnum(path: string, value: string, values: readonly string[]): ServiceError {
  const shown = `'${value.slice(0, 100)}'`
  return constraint(path, shown, `Member must satisfy enum value set: [${values.join(', ')}]`)
}

export function wrongType(name: string, value: unknown, type: string): ServiceError {
  const given = Array.isArray(value) ? 'a list' : value === null ? 'null' : `a ${typeof value}`
  return new ServiceError('SerializationException', `${name}: ${given} can not be converted to ${type}`)
}
