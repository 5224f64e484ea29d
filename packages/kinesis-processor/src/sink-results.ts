import type { SinkResult } from './sink.js'

/** A sink may throw, or answer for fewer records than it got: those failed. */
export async function resultsOf(
  count: number,
  write: () => Promise<readonly SinkResult[]>,
): Promise<readonly SinkResult[]> {
  try {
    const results: readonly (SinkResult | undefined)[] = await write()
    if (!Array.isArray(results)) throw new TypeError('The sink gave no list of results.')
    return isComplete(results, count) ? results : completed(results, count)
  } catch (error) {
    return new Array<SinkResult>(count).fill({ stored: false, error })
  }
}

function isComplete(
  results: readonly (SinkResult | undefined)[],
  count: number,
): results is readonly SinkResult[] {
  for (let index = 0; index < count; index++) if (results[index] == null) return false
  return true
}

function completed(results: readonly (SinkResult | undefined)[], count: number): SinkResult[] {
  const error = new Error('The sink gave no result for the record.')
  return Array.from({ length: count }, (_, index) => results[index] ?? { stored: false, error })
}
