import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { unstorable } from '../errors.js'

export type Item = Record<string, AttributeValue>

/** The range of DynamoDB's numbers ends below this (developer guide, "Naming rules and data types"): at 38 nines and 125 more digits. */
const BEYOND_MAGNITUDE = 1e126
const MIN_MAGNITUDE = 1e-130
/** Significant digits of a number (same place). A double prints at most 17; a bigint any number. */
const MAX_DIGITS = 38
/** DynamoDB nests no deeper. */
const MAX_DEPTH = 32

/** A plain object as an item. Undefined attributes are left out; what the table can never hold is a `PermanentError` that names it. */
export function marshallItem(value: Readonly<Record<string, unknown>>): Item {
  if (typeof value !== 'object' || value === null) throw unstorable('The item is no object.')
  return marshallObject(value, 'item', 0)
}

function marshallObject(value: object, path: string, depth: number): Item {
  const item: Item = {}
  for (const [name, child] of Object.entries(value)) {
    if (child === undefined) continue
    // The SDK's own serializer assigns names one by one, and would lose this one without a word.
    if (name === '__proto__') throw unstorable(`${at(path)}: an attribute named __proto__ cannot be stored.`)
    item[name] = marshallValue(child, `${path}.${name}`, depth + 1)
  }
  return item
}

function marshallValue(value: unknown, path: string, depth: number): AttributeValue {
  if (depth > MAX_DEPTH) throw unstorable(`${at(path)}: an item is nested at most ${MAX_DEPTH} levels deep.`)
  if (typeof value === 'string') return { S: value }
  if (typeof value === 'number') return { N: marshallNumber(value, path) }
  if (typeof value === 'bigint') return { N: marshallBigint(value, path) }
  if (typeof value === 'boolean') return { BOOL: value }
  if (value === null) return { NULL: true }
  if (value instanceof Uint8Array) return { B: value }
  if (Array.isArray(value))
    return { L: value.map((child, index) => marshallValue(child ?? null, `${path}[${index}]`, depth + 1)) }
  if (typeof value === 'object' && isPlain(value)) return { M: marshallObject(value, path, depth) }
  const kind = typeof value === 'object' ? (value.constructor?.name ?? 'object') : typeof value
  throw unstorable(
    `${at(path)}: a ${kind} cannot be stored. Give text, numbers, booleans, bytes, lists or plain objects.`,
  )
}

/** A Date or a Map has no properties of its own: as a map it would be stored empty. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** The shortest decimal that reads back as the same double: what the sender wrote, where it had up to 15 digits. */
function marshallNumber(value: number, path: string): string {
  const magnitude = Math.abs(value)
  if (
    !Number.isFinite(value) ||
    magnitude >= BEYOND_MAGNITUDE ||
    (magnitude > 0 && magnitude < MIN_MAGNITUDE)
  ) {
    throw unstorable(`${at(path)}: ${value} is out of the range of DynamoDB's numbers (1e-130 to 9.99e125).`)
  }
  return Object.is(value, -0) ? '0' : String(value)
}

function marshallBigint(value: bigint, path: string): string {
  const text = String(value)
  const significant = text.replace(/^-/, '').replace(/0+$/, '').length
  if (significant > MAX_DIGITS || text.length > 126)
    throw unstorable(`${at(path)}: a number has at most ${MAX_DIGITS} significant digits, and 126 in all.`)
  return text
}

/**
 * Bytes that count against the item limit: names and values in UTF-8, numbers about half a byte a digit, three bytes for a list or map
 * and one for each of its elements (developer guide, "Item sizes"). Rounded up where the guide says "approximately".
 */
export function itemBytes(item: Item): number {
  let bytes = 0
  for (const [name, value] of Object.entries(item)) bytes += Buffer.byteLength(name) + valueBytes(value)
  return bytes
}

function valueBytes(value: AttributeValue): number {
  if (value.S !== undefined) return Buffer.byteLength(value.S)
  if (value.N !== undefined) return numberBytes(value.N)
  if (value.B !== undefined) return value.B.byteLength
  if (value.L !== undefined) return value.L.reduce((sum, child) => sum + valueBytes(child) + 1, 3)
  if (value.M !== undefined) return itemBytes(value.M) + 3 + Object.keys(value.M).length
  return 1
}

function numberBytes(text: string): number {
  const digits = text
    .replace(/e.*$/, '')
    .replace(/[^\d]/g, '')
    .replace(/^0+|0+$/g, '').length
  return Math.ceil(digits / 2) + 1 + (text.startsWith('-') ? 1 : 0)
}

/** Names are the sender's, and may be long. */
function at(path: string): string {
  return path.slice(0, 200)
}
