import { describe, expect, it } from 'vitest'
import { count, maximum, stats } from './measures.js'
import { reducer } from './window-aggregate.js'
import { mergeWindowPartials, type WindowPartial } from './window-partial.js'

interface Order {
  amount?: number
  customer: string
}

const aggregates = {
  amount: stats(({ amount }: Order) => amount),
  largest: maximum(({ amount }: Order) => amount),
  large: count(({ amount = 0 }: Order) => amount > 100),
  customers: reducer({
    initial: () => [] as string[],
    add: (names, { customer }: Order) => [...new Set([...names, customer])].sort(),
    merge: (a, b) => [...new Set([...a, ...b])].sort(),
  }),
}

type Partials = WindowPartial<typeof aggregates>

const partial = (over: Partial<Partials>, values: readonly number[] = [], customers = ['ann']): Partials => ({
  key: 'books',
  windowStartMs: 0,
  windowEndMs: 60_000,
  count: 1,
  aggregates: {
    amount: values
      .map((amount) => ({ amount, customer: '' }))
      .reduce(aggregates.amount.add, {
        ...aggregates.amount.initial(),
      }),
    largest: values.length === 0 ? null : Math.max(...values),
    large: values.filter((value) => value > 100).length,
    customers,
  },
  shardId: 'shardId-000000000000',
  partialId: 'p1',
  firstSequenceNumber: '1',
  ...over,
})

describe('mergeWindowPartials', () => {
  it('adds up each aggregate in its own way, across shards', () => {
    const merged = mergeWindowPartials(
      [
        partial({ partialId: 'p1', count: 3 }, [1, 4, 1]),
        partial({ partialId: 'p2', shardId: 'shardId-000000000001' }, [101], ['bob', 'cid']),
        partial({ partialId: 'p3', count: 5 }),
        partial({ key: 'music' }, [7]),
        partial({ windowStartMs: 60_000, windowEndMs: 120_000, partialId: 'p4' }, [8]),
      ],
      aggregates,
    )

    expect(merged).toEqual([
      {
        key: 'books',
        windowStartMs: 0,
        windowEndMs: 60_000,
        count: 9,
        aggregates: {
          amount: { count: 4, sum: 107, average: 26.75, minimum: 1, maximum: 101 },
          largest: 101,
          large: 1,
          customers: ['ann', 'bob', 'cid'],
        },
      },
      expect.objectContaining({ key: 'music', count: 1 }),
      expect.objectContaining({ key: 'books', windowStartMs: 60_000, count: 1 }),
    ])
  })

  it('counts a partial once that comes twice, and takes the later', () => {
    const twice = [partial({ count: 2 }, [1]), partial({ count: 3 }, [1, 2])]

    expect(mergeWindowPartials(twice, aggregates)).toMatchObject([
      { count: 3, aggregates: { amount: { sum: 3 } } },
    ])
  })

  it('takes what a partial has not, being older than the aggregate, as without events', () => {
    const old = partial({ partialId: 'p0' }, [1])
    const { largest: _, ...known } = old.aggregates
    const partials = [{ ...old, aggregates: known as typeof old.aggregates }, partial({}, [5])]

    expect(mergeWindowPartials(partials, aggregates)).toMatchObject([
      { count: 2, aggregates: { amount: { sum: 6 }, largest: 5 } },
    ])
  })
})
