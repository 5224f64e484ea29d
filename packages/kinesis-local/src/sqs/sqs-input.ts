import { sqsQuotas } from '@org/kinesis-core'
import { numberOf, textOf } from '../scalar-input.js'
import { sqsError } from './sqs-error.js'

export type SqsInput = Record<string, unknown>

export function text(input: SqsInput, name: string): string {
  const value = input[name]
  if (typeof value !== 'string') {
    throw sqsError('MissingParameter', `The request must contain the parameter ${name}.`)
  }
  return value
}

/** Seconds are numbers in calls and text in attributes. */
export function seconds(value: unknown, name: string, fallback: number, most: number): number {
  if (value === undefined || value === null) return fallback
  const number = numberOf(value)
  if (!Number.isInteger(number) || number < 0 || number > most) {
    const shown = textOf(value).slice(0, 20)
    throw sqsError(
      'InvalidParameterValue',
      `Value ${shown} for parameter ${name} is invalid. Reason: Must be between 0 and ${most}, if provided.`,
    )
  }
  return number
}

function objectOf(value: unknown): SqsInput {
  return typeof value === 'object' && value !== null ? (value as SqsInput) : {}
}

export function batchEntries(input: SqsInput): SqsInput[] {
  const entries = Array.isArray(input.Entries) ? input.Entries.map(objectOf) : []
  if (entries.length === 0) {
    throw sqsError('EmptyBatchRequest', 'There should be at least one entry in the request.')
  }
  if (entries.length > sqsQuotas.maxBatchEntries) {
    throw sqsError(
      'TooManyEntriesInBatchRequest',
      `Maximum number of entries per request are ${sqsQuotas.maxBatchEntries}. You have sent ${entries.length}.`,
    )
  }
  const ids = entries.map((entry) => text(entry, 'Id'))
  if (!ids.every((id) => /^[\w-]{1,80}$/.test(id))) {
    throw sqsError(
      'InvalidBatchEntryId',
      'A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.',
    )
  }
  if (new Set(ids).size < ids.length) {
    throw sqsError('BatchEntryIdsNotDistinct', 'Two or more batch entries in the request have the same Id.')
  }
  return entries
}
