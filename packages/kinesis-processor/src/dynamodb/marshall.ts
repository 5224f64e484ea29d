import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { PermanentError } from '../errors.js'

export type Item = Record<string, AttributeValue>

/** The range of DynamoDB's numbers (developer guide, "Naming rules and data types"). */
const MAX_MAGNITUDE = 9.999_999_999_999_999e125
const MIN_MAGNITUDE = 1e-130
/** DynamoDB nests no deeper. */
const MAX_DEPTH = 32

/** A plain object as an item. Undefined attributes are left out; what the table can never hold is a `PermanentError` that names it. */
export function marshallItem(value: Readonly<Record<string, unknown>>): Item {
  return marshallObject(value, 'item', 0)
}

function marshallObject(value: object, path: string, depth: number): Item {
  const item: Item = {}
  for (const [name, child] of Object.entries(value)) {
    if (child === undefined) continue
    // Defined, not assigned: a record may call its attribute __proto__.
    Object.defineProperty(item, name, {
      value: marshallValue(child, `${path}.${name}`, depth + 1),
      enumerable: true,
      configurable: true,
      writable: true,
    })
  }
  return item
}

function marshallValue(value: unknown, path: string, depth: number): AttributeValue {
  if (depth > MAX_DEPTH)
    throw unstorable(`${path.slice(0, 200)}: an item is nested at most ${MAX_DEPTH} levels deep.`)
  if (typeof value === 'string') return { S: value }
  if (typeof value === 'number') return { N: marshallNumber(value, path) }
  if (typeof value === 'bigint') return { N: String(value) }
  if (typeof value === 'boolean') return { BOOL: value }
  if (value === null) return { NULL: true }
  if (value instanceof Uint8Array) return { B: value }
  if (Array.isArray(value))
    return { L: value.map((child, index) => marshallValue(child ?? null, `${path}[${index}]`, depth + 1)) }
  if (typeof value === 'object') return { M: marshallObject(value, path, depth) }
  throw unstorable(`${path.slice(0, 200)}: a ${typeof value} cannot be stored.`)
}

/** The shortest decimal that reads back as the same double: what the sender wrote, where it had up to 15 digits. */
function marshallNumber(value: number, path: string): string {
  const magnitude = Math.abs(value)
  if (!Number.isFinite(value) || magnitude > MAX_MAGNITUDE || (magnitude > 0 && magnitude < MIN_MAGNITUDE)) {
    throw unstorable(
      `${path.slice(0, 200)}: ${value} is out of the range of DynamoDB's numbers (1e-130 to 9.99e125).`,
    )
  }
  return Object.is(value, -0) ? '0' : String(value)
}

/** Bytes that count against the item limit: names and values in UTF-8, numbers about half a byte a digit. */
export function itemBytes(item: Item): number {
  let bytes = 0
  for (const [name, value] of Object.entries(item)) bytes += Buffer.byteLength(name) + valueBytes(value)
  return bytes
}

function valueBytes(value: AttributeValue): number {
  if (value.S !== undefined) return Buffer.byteLength(value.S)
  if (value.N !== undefined) return Math.ceil(value.N.length / 2) + 2
  if (value.B !== undefined) return value.B.byteLength
  // Lists and maps cost three bytes, and one for each element (developer guide, "Item sizes").
  if (value.L !== undefined) return value.L.reduce((sum, child) => sum + valueBytes(child) + 1, 3)
  if (value.M !== undefined) return itemBytes(value.M) + 3 + Object.keys(value.M).length
  return 1
}

export function unstorable(message: string, cause?: unknown): PermanentError {
  return new PermanentError(message, { reasonCode: 'unstorable', cause })
}
