import { lambdaQuotas } from '../quotas.js'
import { InvalidOptionError } from '../streaming-error.js'
import { type EventPattern, eventPattern, isAlternatives } from './filter-pattern.js'
import { isObject, type JsonObject, parseJson } from './json-value.js'

/** A filter pattern as an object, or as the JSON text that `FilterCriteria.Filters[].Pattern` takes. */
export type FilterPattern = string | FilterPatternObject

type FilterPatternObject = { data: JsonObject } | { $or: FilterPatternObject[] }

/** Decides which records of a stream go to the function. */
export interface RecordFilter {
  /** Whether one of the filters matches a record with these bytes. */
  accepts(data: Uint8Array): boolean
}

/**
 * Reads the filters of a mapping (developer guide, "Control which events Lambda sends to your function" and "Using event filtering with
 * a Kinesis event source"): they stand on `data` alone, and data that is no JSON matches none. What the service would refuse is an
 * `InvalidOptionError` that names the place in the pattern.
 */
export function recordFilter(
  filters: readonly FilterPattern[],
  maximumFilters: number,
): RecordFilter | undefined {
  if (!Array.isArray(filters)) {
    throw new InvalidOptionError('filters', filters, 'Give a list of filter patterns.')
  }
  if (filters.length > maximumFilters) {
    throw new InvalidOptionError(
      'filters.length',
      filters.length,
      `A mapping takes up to ${maximumFilters} filters: join them, or raise maximumFilters as the quota can be raised, to ${lambdaQuotas.maxFilters}.`,
    )
  }
  if (filters.length === 0) return undefined
  const patterns = filters.map((filter, index) => readFilter(filter, `filters[${index}]`))
  const comparesNumbers = patterns.some((pattern) => pattern.comparesNumbers)
  const decoder = new TextDecoder('utf-8', { fatal: true })
  return {
    accepts(data) {
      let value: unknown
      try {
        value = parseJson(decoder.decode(data), comparesNumbers)
      } catch {
        // No UTF-8, no JSON, or JSON that is too deep to be read.
        return false
      }
      return patterns.some((pattern) => pattern.matches({ data: value }))
    },
  }
}

function readFilter(filter: FilterPattern, where: string): EventPattern {
  const pattern = parsePattern(filter, where)
  refuseAllButData(pattern, where)
  return eventPattern(pattern, where)
}

/** The documents have metadata keys in older examples; today's say that `data` is the only one. */
function refuseAllButData(pattern: JsonObject, where: string): void {
  for (const [key, rules] of Object.entries(pattern)) {
    if (key === 'data') continue
    if (key !== '$or' || !isAlternatives(rules)) {
      throw new InvalidOptionError(
        `${where}.${key}`,
        rules,
        'Mappings on Kinesis filter on `data` alone: put the rule under it, or decide in the function.',
      )
    }
    for (const [index, rule] of rules.entries()) refuseAllButData(rule, `${where}.$or[${index}]`)
  }
  if (isObject(pattern.data) || '$or' in pattern) return
  throw new InvalidOptionError(
    `${where}.data`,
    pattern.data,
    'Give an object of fields, { "data": { "field": ["value"] } } say: the data of records are filtered as JSON, not as text.',
  )
}

function parsePattern(filter: FilterPattern, where: string): JsonObject {
  const text = typeof filter === 'string' ? filter : jsonOf(filter, where)
  if (text.length > lambdaQuotas.maxFilterPatternLength) {
    throw new InvalidOptionError(
      `${where}.length`,
      text.length,
      `A pattern has up to ${lambdaQuotas.maxFilterPatternLength} characters as JSON: split it into several filters.`,
    )
  }
  let pattern: unknown
  try {
    pattern = parseJson(text, true)
  } catch {
    throw new InvalidOptionError(where, filter, 'Give a pattern in valid JSON.')
  }
  if (!isObject(pattern)) throw new InvalidOptionError(where, filter, 'Give a pattern that is an object.')
  return pattern
}

function jsonOf(filter: unknown, where: string): string {
  try {
    return JSON.stringify(filter) ?? ''
  } catch {
    throw new InvalidOptionError(where, filter, 'Give a pattern that can be written as JSON.')
  }
}
