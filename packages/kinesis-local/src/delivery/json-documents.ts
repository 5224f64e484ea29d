/** A number as it was written: what it is depends on its column, and a double would lose digits of some. */
export class JsonNumber {
  constructor(readonly source: string) {}

  toJSON(): unknown {
    return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(this.source)
  }
}

/** A value that is not of its column's type. */
export class Misfit extends Error {
  constructor(
    message: string,
    readonly path: readonly string[] = [],
  ) {
    super(message)
  }
}

type Reviver = (key: string, value: unknown, context: { source: string }) => unknown

/**
 * The JSON documents of one record: one, or several behind one another or on lines of their own, as format conversion takes them.
 *
 * @throws SyntaxError for what is no JSON
 */
export function readJsonDocuments(text: string): unknown[] {
  try {
    return [parse(text)]
  } catch (error) {
    const parts = splitObjects(text)
    if (parts.length < 2) throw error
    return parts.map(parse)
  }
}

function parse(text: string): unknown {
  const revive: Reviver = (_key, value, { source }) =>
    typeof value === 'number' ? new JsonNumber(source) : value
  return JSON.parse(text, revive as (this: unknown, key: string, value: unknown) => unknown)
}

/** Where an outermost brace closes, an object ends; braces in strings do not count. */
function splitObjects(text: string): string[] {
  const parts: string[] = []
  let depth = 0
  let start = 0
  let isInString = false
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]
    if (isInString) {
      if (character === '\\') at += 1
      else if (character === '"') isInString = false
    } else if (character === '"') isInString = true
    else if (character === '{') depth += 1
    else if (character === '}') {
      depth -= 1
      if (depth === 0) {
        parts.push(text.slice(start, at + 1))
        start = at + 1
      }
    }
  }
  const rest = text.slice(start)
  return rest.trim() === '' ? parts : [...parts, rest]
}
