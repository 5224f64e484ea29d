import type { StandardSchemaV1 } from '@standard-schema/spec'
import { undecodable } from './errors.js'
import { text } from './plain-decoders.js'
import { type DecoderOf, validated } from './validated.js'

/**
 * Turns the bytes of a record into a value; undefined drops the record. What it throws rejects the record as undecodable, unless it is a
 * `TransientError`. A promise that it returns may have waited for something else: only a `PermanentError` rejects the record then.
 */
export type Decoder<T> = (data: Uint8Array) => T | Promise<T>

/** JSON that a schema accepts: `validated(parseJson, schema)`. */
export function json<S extends StandardSchemaV1>(schema: S): DecoderOf<S> {
  return validated(parseJson, schema)
}

const decodeText = text()

/**
 * A decoder for JSON without a schema: strict UTF-8, JSON, and no number that became Infinity, because storing that would change it
 * silently. Integers beyond 2^53 are rounded, as JSON.parse does. A key `__proto__` is an ordinary property of the value.
 *
 * @throws PermanentError with reason `undecodable`
 */
export function parseJson(data: Uint8Array): unknown {
  const json = decodeText(data)
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (cause) {
    throw undecodable(`The record is no JSON: ${(cause as Error).message}`, cause)
  }
  // Looked for only where the text could hold one: below 200 digits and an exponent of 100, every number is finite.
  if (/[eE]\+?\d{3}|\d{200}/.test(json) && holdsInfinity(value)) {
    throw undecodable('The record holds a number beyond the range of a double.')
  }
  return value
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
