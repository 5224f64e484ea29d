import type { AggregateStates, WindowAggregates } from './window-aggregate.js'
import type { WindowEntry } from './window-state.js'

/** The result of a window for a key. */
export interface MergedWindow<A = object> {
  key: string
  /** In milliseconds since the epoch; the end is not part of the window. */
  windowStartMs: number
  windowEndMs: number
  /** Events. */
  count: number
  /** By the names of the option `aggregates`. */
  aggregates: AggregateStates<A>
}

/**
 * Part of a window's result: what one shard saw of a key in one stretch of state. Partials of a window and key add up (`mergeWindowPartials`);
 * `partialId` is the same whenever the partial is computed again, so that storing it twice changes nothing.
 */
export interface WindowPartial<A = object> extends MergedWindow<A> {
  shardId: string
  /** `<window start in ISO 8601>#<shard>#<sequence number>.<sub-sequence number>`, the last two of the partial's first record. */
  partialId: string
  firstSequenceNumber: string
}

export function partialOf<A>(
  entry: WindowEntry,
  { names, windowMs, shardId }: { names: readonly string[]; windowMs: number; shardId: string },
): WindowPartial<A> {
  const { windowStartMs, key, count, states, firstSequenceNumber, firstSubSequenceNumber } = entry
  const place = `${firstSequenceNumber}.${firstSubSequenceNumber}`
  return {
    key,
    windowStartMs,
    windowEndMs: windowStartMs + windowMs,
    count,
    aggregates: byName(names, states) as AggregateStates<A>,
    shardId,
    partialId: `${new Date(windowStartMs).toISOString()}#${shardId}#${place}`,
    firstSequenceNumber,
  }
}

/**
 * Adds up the partials of windows with the aggregates that made them. A partial that comes twice counts once, the later one; the result is
 * in the order in which windows and keys first came. What a partial has not, because its aggregate was added to the handler later, is as
 * without events.
 */
export function mergeWindowPartials<A extends WindowAggregates<never>>(
  partials: Iterable<WindowPartial<A>>,
  aggregates: A,
): MergedWindow<A>[] {
  const distinct = new Map<string, WindowPartial<A>>()
  for (const partial of partials) distinct.set(JSON.stringify([partial.key, partial.partialId]), partial)
  const names = Object.keys(aggregates)
  const merged = new Map<string, { window: MergedWindow<A>; states: unknown[] }>()
  for (const { key, windowStartMs, windowEndMs, count, aggregates: of } of distinct.values()) {
    const given = of as Readonly<Record<string, unknown>>
    const states = names.map((name) =>
      Object.hasOwn(given, name) ? given[name] : aggregates[name]!.initial(),
    )
    const id = `${windowStartMs}/${key}`
    const known = merged.get(id)
    if (known === undefined) {
      const window = { key, windowStartMs, windowEndMs, count, aggregates: of }
      merged.set(id, { window, states })
    } else {
      known.window.count += count
      known.states = names.map((name, at) => aggregates[name]!.merge(known.states[at], states[at]))
    }
  }
  return [...merged.values()].map(({ window, states }) => ({
    ...window,
    aggregates: byName(names, states) as AggregateStates<A>,
  }))
}

function byName(names: readonly string[], states: readonly unknown[]): Record<string, unknown> {
  // Not by assignment: a name may be __proto__.
  return Object.fromEntries(names.map((name, at) => [name, states[at]]))
}
