import { InvalidOptionError } from '@org/kinesis-core'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { isPromise } from './decode-record.js'
import { isPermanent, isTransient, PermanentError } from './errors.js'
import type { Decoder } from './json-decoder.js'
import { requireFunction } from './option-checks.js'

/** More issues than these say no more. */
const MAX_ISSUES = 5

/** Of what a schema gives. (Conditional, because TypeScript infers late what a generic function returns that is plainly a function: the steps beside it would not see its type.) */
export type DecoderOf<S> = S extends StandardSchemaV1<unknown, infer T> ? Decoder<T> : never

/**
 * What `decode` gives, if a schema accepts it: any Standard Schema (zod, valibot, arktype, ...). What the schema returns is what the steps
 * see; what it refuses is rejected as invalid. A schema that fails itself makes the record invalid as well, unless it throws a
 * `TransientError`: one that asks another service must say so. Where `decode` gives undefined, the record is dropped, and the schema not asked.
 *
 * @throws InvalidOptionError where one of them is none
 */
export function validated<S extends StandardSchemaV1>(decode: Decoder<unknown>, schema: S): DecoderOf<S> {
  requireFunction('decode', decode, 'Pass a function from bytes to a value.')
  const standard = schema?.['~standard']
  if (typeof standard?.validate !== 'function') {
    throw new InvalidOptionError('schema', schema, 'Pass a Standard Schema: one of zod, valibot, arktype, …')
  }
  const check = (value: unknown) => {
    if (value === undefined) return undefined
    const result = validate(standard, value)
    return isPromise(result) ? result.then(accept, failed) : accept(result)
  }
  const decodeValid: Decoder<unknown> = (data) => {
    const value = decode(data)
    return isPromise(value) ? value.then(check) : check(value)
  }
  return decodeValid as DecoderOf<S>
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
