import fc from 'fast-check'

type Path = readonly (string | number)[]

const wrong = fc.oneof(
  fc.constantFrom<unknown>(
    ...[null, true, -1, 0, 1, 1.5, 2 ** 53, 1e300, '', 'x', '\u0000', '__proto__', 'constructor', [], {}],
    ...[[null], [[]], [1], ['x'], [{}], { toString: 1, valueOf: 1 }, [{ toString: 1, valueOf: 1 }]],
  ),
  fc.jsonValue({ maxDepth: 2 }),
)

/**
 * An operation with an input that is right in all but up to three members, at whatever depth, so that every check is reached: each is
 * another value, or missing.
 */
export function nearlyRight(right: Readonly<Record<string, Record<string, unknown>>>) {
  return fc.constantFrom(...Object.keys(right)).chain((operation) => {
    const input = right[operation]!
    const paths = pathsOf(input)
    const change = fc.tuple(fc.constantFrom(...paths), fc.option(wrong, { nil: undefined }))
    return fc
      .array(paths.length === 0 ? fc.constant([['Other'], 1] as [Path, unknown]) : change, { maxLength: 3 })
      .map((changes) => {
        const changed = structuredClone(input)
        for (const [path, value] of changes) put(changed, path, value)
        return { operation, input: changed }
      })
  })
}

function pathsOf(value: unknown): Path[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, member]) => [
    [name],
    ...pathsOf(member).map((path) => [name, ...path]),
  ])
}

/** An earlier change may have taken the place away. */
function put(input: unknown, path: Path, value: unknown): void {
  const [name, ...rest] = path as [string, ...string[]]
  if (typeof input !== 'object' || input === null) return
  const object = input as Record<string, unknown>
  if (rest.length > 0) put(object[name], rest, value)
  else if (value === undefined && Array.isArray(object)) object.splice(Number(name), 1)
  else if (value === undefined) delete object[name]
  // A later change may go into this one.
  else object[name] = structuredClone(value)
}
