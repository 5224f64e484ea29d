import { snsQuotas } from '@org/kinesis-core'
import { numberOf, textOf } from '../scalar-input.js'
import { ServiceError } from '../service.js'
import { invalidParameter } from './sns-error.js'

export type SnsInput = Record<string, unknown>

const PAGE_SIZE = 100

export function target({ TopicArn, TargetArn }: SnsInput): string {
  if (typeof TopicArn === 'string') return TopicArn
  if (typeof TargetArn === 'string') return TargetArn
  throw invalidParameter('TopicArn or TargetArn Reason: no value for required parameter')
}

export function batchEntries(value: unknown): (SnsInput & { Id: string })[] {
  const entries = Array.isArray(value) ? (value as (SnsInput & { Id: string })[]) : []
  if (entries.length === 0) {
    throw new ServiceError('EmptyBatchRequest', "The batch request doesn't contain any entries.")
  }
  if (entries.length > snsQuotas.maxBatchEntries) {
    throw new ServiceError(
      'TooManyEntriesInBatchRequest',
      `The batch request contains more entries than permissible: ${entries.length} of ${snsQuotas.maxBatchEntries}.`,
    )
  }
  const ids = entries.map((entry) => entry?.Id)
  if (!ids.every((id) => typeof id === 'string' && /^[\w-]{1,80}$/.test(id))) {
    throw new ServiceError(
      'InvalidBatchEntryId',
      'The Id of a batch entry in a batch request must be 1 to 80 letters, digits, hyphens or underscores.',
    )
  }
  if (new Set(ids).size < ids.length) {
    throw new ServiceError(
      'BatchEntryIdsNotDistinct',
      'Two or more batch entries in the request have the same Id.',
    )
  }
  return entries
}

export function page<T>(all: readonly T[], { NextToken: token }: SnsInput) {
  const start = token === undefined || token === null || token === '' ? 0 : numberOf(token)
  if (!Number.isSafeInteger(start) || start < 0) throw invalidParameter('NextToken')
  const end = start + PAGE_SIZE
  return { shown: all.slice(start, end), NextToken: end < all.length ? { NextToken: String(end) } : {} }
}

export function messageBytes(value: string | undefined): number {
  if (value === undefined) return snsQuotas.defaultMaxMessageBytes
  const bytes = Number(value)
  if (Number.isInteger(bytes) && bytes >= 1024 && bytes <= snsQuotas.maxMessageBytes) return bytes
  throw invalidParameter(
    `Attributes Reason: MaximumMessageSize must be a whole number from 1024 to ${snsQuotas.maxMessageBytes}`,
  )
}

export function textMap(value: unknown): Record<string, string> {
  if (typeof value !== 'object' || value === null) return {}
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, textOf(one)]))
}

export function required(input: SnsInput, name: string): string {
  const value = input[name]
  if (typeof value === 'string' && value !== '') return value
  throw invalidParameter(`${name} Reason: no value for required parameter`)
}
