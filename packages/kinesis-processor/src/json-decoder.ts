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
  if (holdsInfinity(value)) throw undecodable('The record holds a number beyond the range of a double.')
  return value
}

/** Looks at every number, which takes a quarter of the time of a look at the text for long ones. */
function holdsInfinity(value: unknown): boolean {
  if (isInfinite(value)) return true
  // A list instead of recursion: nesting is the sender's choice.
  const open: object[] = isObject(value) ? [value] : []
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (Array.isArray(next)) {
      for (const child of next) {
        if (isInfinite(child)) return true
        if (isObject(child)) open.push(child)
      }
    } else {
      // What JSON.parse made has no keys but its own, and a list of its values would be another object for each.
      for (const key in next) {
        const child: unknown = next[key as keyof typeof next]
        if (isInfinite(child)) return true
        if (isObject(child)) open.push(child)
      }
    }
  }
  return false
}

function isInfinite(value: unknown): boolean {
  return value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
