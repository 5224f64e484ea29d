import type { Decoder } from '../json-decoder.js'
import { parseJson } from '../json-decoder.js'
import { count, stats } from './measures.js'
import { reducer } from './window-aggregate.js'

/** An event of the properties. */
export interface Visit {
  id: string
  user: string
  at: number
  value?: number
}

export const decodeVisit = parseJson as Decoder<Visit>

export const visitAggregates = {
  value: stats(({ value }: Visit) => value),
  negative: count(({ value = 0 }: Visit) => value < 0),
  // Of a size that has no bound by itself: each event is in it.
  ids: reducer({
    initial: () => [] as string[],
    add: (ids, { id }: Visit) => [...ids, id],
    merge: (a, b) => [...a, ...b],
    maxBytes: 60,
  }),
}

/** What a batch job over all events would find, by window and key; lists in the order of text. */
export function recompute(visits: readonly Visit[], windowMs: number): object[] {
  const groups = Map.groupBy(visits, ({ at, user }) => `${Math.floor(at / windowMs) * windowMs}/${user}`)
  const found = [...groups].map(([id, events]) => {
    const values = events.flatMap(({ value }) => (value === undefined ? [] : [value]))
    const sum = values.reduce((total, value) => total + value, 0)
    const none = values.length === 0
    return {
      id,
      count: events.length,
      value: {
        count: values.length,
        sum,
        average: none ? null : sum / values.length,
        minimum: none ? null : Math.min(...values),
        maximum: none ? null : Math.max(...values),
      },
      negative: values.filter((value) => value < 0).length,
      ids: events.map(({ id: of }) => of).sort(),
    }
  })
  return sorted(found)
}

/** Merged windows in the same form. */
export function comparable(
  windows: readonly {
    key: string
    windowStartMs: number
    count: number
    aggregates: { value: object; negative: number; ids: readonly string[] }
  }[],
): object[] {
  return sorted(
    windows.map(({ key, windowStartMs, count: events, aggregates: { value, negative, ids } }) => ({
      id: `${windowStartMs}/${key}`,
      count: events,
      value,
      negative,
      ids: [...ids].sort(),
    })),
  )
}

function sorted<E extends { id: string }>(entries: E[]): E[] {
  return entries.sort((a, b) => (a.id < b.id ? -1 : 1))
}
