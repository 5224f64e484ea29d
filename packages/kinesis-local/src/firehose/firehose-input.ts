import { ServiceError } from '../service.js'

export function invalidArgument(message: string): ServiceError {
  return new ServiceError('InvalidArgumentException', message)
}

export function text(input: Record<string, unknown>, name: string): string {
  const value = optionalText(input, name)
  if (value === undefined) throw invalidArgument(`The parameter ${name} is required.`)
  return value
}

export function optionalText(input: Record<string, unknown>, name: string): string | undefined {
  const value = input[name]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string') throw invalidArgument(`The parameter ${name} must be text.`)
  return value
}

export function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

/** Blobs are bytes in process, and base64 over the wire. */
export function dataOf(record: unknown): Uint8Array {
  const { Data } = objectOf(record)
  if (Data instanceof Uint8Array) return Data
  if (typeof Data === 'string' && Data.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(Data)) {
    return Buffer.from(Data, 'base64')
  }
  throw new ServiceError('SerializationException', 'A record needs Data, in base64.')
}
