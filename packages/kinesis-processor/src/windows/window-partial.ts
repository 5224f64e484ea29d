import type { WindowAggregate } from './window-state.js'

/**
 * Part of a window's result: what one shard saw of a key in one stretch of state. Partials of a window and key add up (`mergeWindowPartials`);
 * `partialId` is the same whenever the partial is computed again, so that storing it twice changes nothing.
 */
export interface WindowPartial extends MergedWindow {
  shardId: string
  /** `<window start in ISO 8601>#<shard>#<sequence number>.<sub-sequence number>`, the last two of the partial's first record. */
  partialId: string
  firstSequenceNumber: string
}

/** The result of a window for a key. */
export interface MergedWindow {
  key: string
  /** In milliseconds since the epoch; the end is not part of the window. */
  windowStartMs: number
  windowEndMs: number
  /** Events. */
  count: number
  /** Events that had a value; `sum` and the three below it are of those. */
  valueCount: number
  sum: number
  /** Undefined where no event had a value. */
  average: number | undefined
  minimum: number | undefined
  maximum: number | undefined
}

export function partialOf(aggregate: WindowAggregate, windowMs: number, shardId: string): WindowPartial {
  const { windowStartMs, key, count, sum, valueCount, firstSequenceNumber, firstSubSequenceNumber } =
    aggregate
  const place = `${firstSequenceNumber}.${firstSubSequenceNumber}`
  return {
    key,
    windowStartMs,
    windowEndMs: windowStartMs + windowMs,
    count,
    valueCount,
    sum,
    average: averageOf(sum, valueCount),
    minimum: aggregate.minimum,
    maximum: aggregate.maximum,
    shardId,
    partialId: `${new Date(windowStartMs).toISOString()}#${shardId}#${place}`,
    firstSequenceNumber,
  }
}

/**
 * Adds up the partials of windows, by sum and count. A partial that comes twice counts once, the later one; the result is in the order in
 * which windows and keys first came.
 */
export function mergeWindowPartials(partials: Iterable<WindowPartial>): MergedWindow[] {
  const distinct = new Map<string, WindowPartial>()
  for (const partial of partials) distinct.set(JSON.stringify([partial.key, partial.partialId]), partial)
  const merged = new Map<string, MergedWindow>()
  for (const partial of distinct.values()) {
    const { shardId: _shard, partialId: _id, firstSequenceNumber: _first, ...own } = partial
    const id = `${own.windowStartMs}/${own.key}`
    const known = merged.get(id)
    merged.set(id, known === undefined ? own : add(known, own))
  }
  return [...merged.values()]
}

function add(a: MergedWindow, b: MergedWindow): MergedWindow {
  const sum = a.sum + b.sum
  const valueCount = a.valueCount + b.valueCount
  return {
    ...a,
    count: a.count + b.count,
    sum,
    valueCount,
    average: averageOf(sum, valueCount),
    minimum: ofEither(Math.min, a.minimum, b.minimum),
    maximum: ofEither(Math.max, a.maximum, b.maximum),
  }
}

function averageOf(sum: number, valueCount: number): number | undefined {
  return valueCount === 0 ? undefined : sum / valueCount
}

/** Of the one that is there, where the other is not. */
export function ofEither(
  pick: (a: number, b: number) => number,
  a: number | undefined,
  b: number | undefined,
): number | undefined {
  if (a === undefined) return b
  return b === undefined ? a : pick(a, b)
}
