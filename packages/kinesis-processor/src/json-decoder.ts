import type { StandardSchemaV1 } from '@standard-schema/spec'
import { PermanentError } from './errors.js'

/** Turns the bytes of a record into a value, or throws a `PermanentError` that says why it cannot. */
export type Decoder<T> = (data: Uint8Array) => T | Promise<T>

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** More issues than these say no more. */
const MAX_ISSUES = 5

/** JSON that a schema accepts: any Standard Schema (zod, valibot, arktype, ...). What it returns is what the steps see. */
export function json<S extends StandardSchemaV1>(schema: S): Decoder<StandardSchemaV1.InferOutput<S>> {
  return (data) => {
    const result = schema['~standard'].validate(parseJson(data))
    return result instanceof Promise ? result.then(accept) : accept(result)
  }
}

/** Strict UTF-8, JSON, and no number that became Infinity: storing that would change it silently. */
export function parseJson(data: Uint8Array): unknown {
  let text: string
  try {
    text = utf8.decode(data)
  } catch (cause) {
    throw new PermanentError('The record is no UTF-8 text.', { reasonCode: 'undecodable', cause })
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new PermanentError(`The record is no JSON: ${(cause as Error).message}`, {
      reasonCode: 'undecodable',
      cause,
    })
  }
  // Looked for only where the text could hold one: an exponent of three digits, or three hundred digits in a row.
  if (/[eE]\+?\d{3}|\d{300}/.test(text) && holdsInfinity(value)) {
    throw new PermanentError('The record holds a number beyond the range of a double.', {
      reasonCode: 'undecodable',
    })
  }
  return value
}

function accept<T>(result: StandardSchemaV1.Result<T>): T {
  if (result.issues === undefined) return result.value
  const issues = result.issues.slice(0, MAX_ISSUES).map((issue) => `${pathOf(issue)}: ${issue.message}`)
  const more = result.issues.length > MAX_ISSUES ? ` (and ${result.issues.length - MAX_ISSUES} more)` : ''
  throw new PermanentError(`The record is not valid. ${issues.join('; ')}${more}`, { reasonCode: 'invalid' })
}

function pathOf({ path = [] }: StandardSchemaV1.Issue): string {
  const keys = path.map((part) => String(typeof part === 'object' ? part.key : part))
  return keys.length === 0 ? 'record' : keys.join('.')
}

function holdsInfinity(value: unknown): boolean {
  // A list instead of recursion: nesting is the sender's choice.
  const open = [value]
  while (open.length > 0) {
    const next = open.pop()
    if (next === Number.POSITIVE_INFINITY || next === Number.NEGATIVE_INFINITY) return true
    if (typeof next === 'object' && next !== null) for (const child of Object.values(next)) open.push(child)
  }
  return false
}
