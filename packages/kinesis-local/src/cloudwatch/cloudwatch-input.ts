import { textOf } from '../scalar-input.js'
import { ServiceError } from '../service.js'

/** What the operations of CloudWatch read their input with, and the errors that they answer with. */

export interface MetricRef {
  Namespace?: string
  MetricName?: string
  Dimensions?: unknown
}

/** Of one metric. */
const MAX_DIMENSIONS = 30

interface Dimension {
  Name: string
  Value: string
}

export function dimensionsOf(value: unknown): Record<string, string> {
  const dimensions = listOf<Dimension>(value, 'Dimensions')
  if (dimensions.length > MAX_DIMENSIONS) {
    throw invalid(`The collection Dimensions must not have a size greater than ${MAX_DIMENSIONS}.`)
  }
  return Object.fromEntries(
    dimensions.map(({ Name, Value }) => [
      required(Name, 'Dimensions.member.Name'),
      required(Value, 'Dimensions.member.Value'),
    ]),
  )
}

export function listOf<T>(value: unknown, name: string): T[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value) || !value.every((member) => typeof member === 'object' && member !== null)) {
    throw invalid(`The parameter ${name} must be a list of structures.`)
  }
  return value as T[]
}

export function epochMs(value: unknown, name: string): number {
  const ms =
    value instanceof Date
      ? value.getTime()
      : typeof value === 'number'
        ? value * 1000
        : typeof value === 'string'
          ? Date.parse(value)
          : Number.NaN
  // What no date can hold could be kept, but neither shown nor forgotten in its turn.
  if (!Number.isNaN(new Date(ms).getTime())) return ms
  throw invalid(`The parameter ${name} is required and must be a timestamp.`)
}

export function offsetOf(token: unknown): number {
  if (token === undefined || token === null) return 0
  const offset = Number(Buffer.from(textOf(token), 'base64').toString('utf8'))
  if (!Number.isSafeInteger(offset) || offset < 0)
    throw cloudWatchError('InvalidNextToken', 'The NextToken is invalid.')
  return offset
}

export function tokenOf(offset: number): string {
  return Buffer.from(String(offset)).toString('base64')
}

export function required(value: unknown, name: string): string {
  if (typeof value !== 'string' || value === '') {
    throw cloudWatchError('MissingRequiredParameterException', `The parameter ${name} is required.`)
  }
  return value
}

export function invalid(message: string): ServiceError {
  return cloudWatchError('InvalidParameterValueException', message)
}

/** The older query protocol's codes, which SDKs still read from `x-amzn-query-error` (AWS SDK models). */
const QUERY_CODES: Readonly<Record<string, string>> = {
  InvalidParameterValueException: 'InvalidParameterValue',
  InvalidParameterCombinationException: 'InvalidParameterCombination',
  MissingRequiredParameterException: 'MissingParameter',
}

export function cloudWatchError(code: string, message: string): ServiceError {
  return new ServiceError(code, message, 400, { 'x-amzn-query-error': `${QUERY_CODES[code] ?? code};Sender` })
}
