export type JsonObject = { [key: string]: unknown }

/** A number with the text that it was written as. */
export class JsonNumber {
  constructor(
    readonly value: number,
    readonly text: string,
  ) {}
}

/** What a field holds at its end: anything but objects and arrays. */
export type JsonLeaf = string | number | boolean | null | JsonNumber

/** Reads JSON; with `keepNumberText` every number is a `JsonNumber`, which costs a second pass. */
export function parseJson(text: string, keepNumberText: boolean): unknown {
  return keepNumberText ? JSON.parse(text, numberWithText) : JSON.parse(text)
}

function numberWithText(_key: string, value: unknown, context?: { source?: string }): unknown {
  return typeof value === 'number' ? new JsonNumber(value, context?.source ?? String(value)) : value
}

export function isObject(value: unknown): value is JsonObject {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof JsonNumber)
  )
}

/** The objects in a value; those in arrays stand as if they were the value, however deep the arrays are. */
export function objectsIn(value: unknown): JsonObject[] {
  return flattened(value).filter(isObject)
}

/** The leaves in a value, those in arrays included, those in objects not. */
export function leavesIn(value: unknown): JsonLeaf[] {
  return flattened(value).filter((item): item is JsonLeaf => item !== undefined && !isObject(item))
}

/** Without recursion: records nest arrays as deep as they like. */
function flattened(value: unknown): unknown[] {
  if (!Array.isArray(value)) return [value]
  const flat: unknown[] = []
  const open: { items: unknown[]; next: number }[] = [{ items: value, next: 0 }]
  for (let last = open.at(-1); last !== undefined; last = open.at(-1)) {
    if (last.next === last.items.length) {
      open.pop()
      continue
    }
    const item = last.items[last.next++]
    if (Array.isArray(item)) open.push({ items: item, next: 0 })
    else flat.push(item)
  }
  return flat
}
