/** A field as text, to be a key; or why it cannot be one. */
export type FieldText = { text: string } | { reason: string }

/**
 * The field of a JSON document that a path such as `customer.id` names. A field whose own name has the dots goes first. Numbers keep every
 * digit that they are written with.
 */
export function fieldText(json: string, document: unknown, path: string): FieldText {
  const value = fieldAt(document, path)
  if (typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER) {
    return { text: String(fieldAt(JSON.parse(json, keepDigits), path)) }
  }
  return keyText(value, path)
}

export function keyText(value: unknown, field: string): FieldText {
  if (value === undefined) return { reason: `it has no field ${field}.` }
  if (value === '') return { reason: `its field ${field} is empty.` }
  if (typeof value === 'string') return { text: value }
  if (typeof value === 'number' || typeof value === 'boolean') return { text: String(value) }
  const kind = value === null ? 'null' : Array.isArray(value) ? 'an array' : 'an object'
  return { reason: `its field ${field} is ${kind}, and a key is a text or a number.` }
}

function fieldAt(document: unknown, path: string): unknown {
  if (!isObject(document)) return undefined
  if (Object.hasOwn(document, path)) return document[path]
  let value: unknown = document
  for (const name of path.split('.')) {
    if (!isObject(value) || !Object.hasOwn(value, name)) return undefined
    value = value[name]
  }
  return value
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** Two of a stream's identifiers, or hash keys, of more than 53 bits may be one and the same JavaScript number. */
function keepDigits(_: string, value: unknown, context?: { source?: string }): unknown {
  return typeof value === 'number' && !Number.isSafeInteger(value) ? (context?.source ?? value) : value
}
