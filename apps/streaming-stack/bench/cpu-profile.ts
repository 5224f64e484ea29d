import { readFileSync } from 'node:fs'
import { SourceMap } from 'node:module'
import { fileURLToPath } from 'node:url'

interface Profile {
  nodes: {
    id: number
    children?: number[]
    callFrame: { url: string; functionName: string; lineNumber: number; columnNumber: number }
  }[]
  samples: number[]
  timeDeltas: number[]
}

/** A part, and what the source files look like whose work is its own; the first that fits counts. */
export type Parts = readonly (readonly [part: string, file: RegExp])[]

/**
 * Shares of a CPU profile by part, from 0 to 1. A sample belongs to the innermost frame whose file is a part's: what Node does for it is its
 * work too. What belongs to none is `other`; waiting does not count.
 */
export function sharesOf(file: string, parts: Parts): Map<string, number> {
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, 'utf8')) as Profile
  const parent = new Map<number, number>()
  for (const { id, children = [] } of nodes) for (const child of children) parent.set(child, id)
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]))
  const known = new Map<number, string>()
  const partOf = (id: number): string => {
    const before = known.get(id)
    if (before !== undefined) return before
    const { url, functionName, lineNumber, columnNumber } = frames.get(id)!
    const source = functionName === '(idle)' ? '(idle)' : sourceOf(url, lineNumber, columnNumber)
    const own = source === '(idle)' ? 'idle' : parts.find(([, pattern]) => pattern.test(source))?.[0]
    const above = parent.get(id)
    const part = own ?? (above === undefined ? 'other' : partOf(above))
    known.set(id, part)
    return part
  }
  const micros = new Map<string, number>()
  for (const [index, id] of samples.entries()) {
    const part = partOf(id)
    micros.set(part, (micros.get(part) ?? 0) + timeDeltas[index]!)
  }
  micros.delete('idle')
  const total = [...micros.values()].reduce((sum, value) => sum + value, 0)
  return new Map([...micros].map(([part, value]) => [part, value / total]))
}

const maps = new Map<string, SourceMap | undefined>()

/** The source file behind a bundle's line, where the bundle has a map. */
function sourceOf(url: string, line: number, column: number): string {
  if (!url.startsWith('file:')) return url
  const path = fileURLToPath(url)
  if (!maps.has(path)) maps.set(path, mapOf(path))
  const entry = maps.get(path)?.findEntry(line, column)
  return entry !== undefined && 'originalSource' in entry ? `${path}/${entry.originalSource}` : path
}

function mapOf(path: string): SourceMap | undefined {
  try {
    return new SourceMap(JSON.parse(readFileSync(`${path}.map`, 'utf8')))
  } catch {
    return undefined
  }
}
