import { ServiceError } from '../service.js'

/** Reads the fields of a request and answers wrong ones as the service does. */
export class Request {
  constructor(private readonly input: Record<string, unknown>) {}

  /** The whole of it, for a part that is read elsewhere. */
  get all(): Record<string, unknown> {
    return this.input
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
      throw constraint(name, String(value), `Member must have value greater than or equal to ${least}`)
    if (value > most)
      throw constraint(name, String(value), `Member must have value less than or equal to ${most}`)
    return value
  }

  /** Epoch seconds on the wire, a Date in process. */
  timestampMs(name: string): number {
    const value = this.input[name]
    if (value instanceof Date) return value.getTime()
    if (typeof value === 'number' && Number.isFinite(value)) return value * 1000
    throw missing(name)
  }

  list(name: string): unknown[] {
    const value = this.input[name] ?? undefined
    if (value === undefined) throw missing(name)
    if (!Array.isArray(value)) throw wrongType(name, value, 'List')
    return value
  }

  object(name: string): Record<string, unknown> | undefined {
    const value = this.input[name] ?? undefined
    if (value === undefined) return undefined
    if (typeof value !== 'object' || Array.isArray(value)) throw wrongType(name, value, 'Structure')
    return value as Record<string, unknown>
  }

  oneOf<T extends string>(name: string, values: readonly T[]): T {
    const value = this.string(name)
    if (!values.includes(value as T)) {
      throw constraint(name, `'${value}'`, `Member must satisfy enum value set: [${values.join(', ')}]`)
    }
    return value as T
  }
}

export function constraint(name: string, shown: string, rule: string): ServiceError {
  const field = name.charAt(0).toLowerCase() + name.slice(1)
  return new ServiceError(
    'ValidationException',
    `1 validation error detected: Value ${shown} at '${field}' failed to satisfy constraint: ${rule}`,
  )
}

function missing(name: string): ServiceError {
  return constraint(name, 'null', 'Member must not be null')
}

function wrongType(name: string, value: unknown, type: string): ServiceError {
  return new ServiceError(
    'SerializationException',
    `${name}: ${Array.isArray(value) ? 'a list' : typeof value} can not be converted to ${type}`,
  )
}
