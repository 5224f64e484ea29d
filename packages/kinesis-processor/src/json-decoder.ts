import { InvalidOptionError } from '@org/kinesis-core'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { isPromise } from './decode-record.js'
import { isPermanent, isTransient, PermanentError } from './errors.js'

/**
 * Turns the bytes of a record into a value; undefined drops the record. What it throws rejects the record as undecodable, unless it is a
 * `TransientError`. A promise that it returns may have waited for something else: only a `PermanentError` rejects the record then.
 */
export type Decoder<T> = (data: Uint8Array) => T | Promise<T>

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** More issues than these say no more. */
const MAX_ISSUES = 5

/** Of what a schema gives. (Conditional, because TypeScript infers late what a generic function returns that is plainly a function: the steps beside it would not see its type.) */
export type DecoderOf<S> = S extends StandardSchemaV1<unknown, infer T> ? Decoder<T> : never

/**
 * JSON that a schema accepts: any Standard Schema (zod, valibot, arktype, ...). What it returns is what the steps see. A schema that fails
 * itself makes the record invalid, unless it throws a `TransientError`: one that asks another service must say so.
 */
export function json<S extends StandardSchemaV1>(schema: S): DecoderOf<S> {
  const standard = schema?.['~standard']
  if (typeof standard?.validate !== 'function') {
    throw new InvalidOptionError('schema', schema, 'Pass a Standard Schema: one of zod, valibot, arktype, …')
  }
  const decode: Decoder<unknown> = (data) => {
    const result = validate(standard, parseJson(data))
    return isPromise(result) ? result.then(accept, failed) : accept(result)
  }
  return decode as DecoderOf<S>
}

/**
 * Strict UTF-8, JSON, and no number that became Infinity: storing that would change it silently. Integers beyond 2^53 are rounded, as
 * JSON.parse does.
 */
export function parseJson(data: Uint8Array): unknown {
  let text: string
  try {
    text = utf8.decode(data)
  } catch (cause) {
    throw undecodable('The record is no UTF-8 text.', cause)
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw undecodable(`The record is no JSON: ${(cause as Error).message}`, cause)
  }
  // Looked for only where the text could hold one: below 200 digits and an exponent of 100, every number is finite.
  if (/[eE]\+?\d{3}|\d{200}/.test(text) && holdsInfinity(value)) {
    throw undecodable('The record holds a number beyond the range of a double.')
  }
  return value
}

function validate(
  standard: StandardSchemaV1['~standard'],
  value: unknown,
): StandardSchemaV1.Result<unknown> | Promise<StandardSchemaV1.Result<unknown>> {
  try {
    return standard.validate(value)
  } catch (error) {
    return failed(error)
  }
}

/**
 * A schema that fails itself does so every time: a refinement with a fault, a recursion that is too deep. (Zod gives such an error as a
 * promise that rejects, so a promise says nothing here.)
 */
function failed(error: unknown): never {
  if (isPermanent(error) || isTransient(error)) throw error
  throw new PermanentError('The schema failed on the record.', { reasonCode: 'invalid', cause: error })
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

function undecodable(message: string, cause?: unknown): PermanentError {
  return new PermanentError(message, { reasonCode: 'undecodable', cause })
}
