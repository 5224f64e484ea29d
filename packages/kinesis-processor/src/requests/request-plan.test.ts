import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { planRequests, type SizedWrite } from './request-plan.js'

interface Write extends SizedWrite {
  itemKey: string
}

const write = (index: number, partitionKey: string, itemKey = String(index), bytes = 100): Write => ({
  index,
  partitionKey,
  itemKey,
  bytes,
})

const writes = fc
  .array(fc.record({ key: fc.nat(20), item: fc.nat(200), bytes: fc.integer({ min: 1, max: 400 }) }), {
    maxLength: 300,
  })
  .map((list) => list.map(({ key, item, bytes }, index) => write(index, `k${key}`, `i${item}`, bytes)))

const apart = fc.constantFrom(
  undefined,
  ({ itemKey }: Write) => itemKey,
  ({ partitionKey }: Write) => partitionKey,
)

describe('planRequests', () => {
  it('plans every write once, within the limits of a request', () => {
    fc.assert(
      fc.property(writes, fc.integer({ min: 1, max: 8 }), apart, (planned, maxSequences, apart) => {
        const sequences = planRequests(planned, { maxSequences, maxWrites: 25, maxBytes: 4_000, apart })

        const requests = sequences.flat()
        expect(
          requests
            .flat()
            .map(({ index }) => index)
            .sort((a, b) => a - b),
        ).toEqual(planned.map(({ index }) => index))
        expect(sequences.length).toBeLessThanOrEqual(maxSequences)
        for (const request of requests) {
          expect(request.length).toBeGreaterThan(0)
          expect(request.length).toBeLessThanOrEqual(25)
          expect(request.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(4_000)
          if (apart !== undefined) expect(new Set(request.map(apart)).size).toBe(request.length)
        }
      }),
    )
  })

  it('keeps the writes of a partition key in one sequence, in their order', () => {
    fc.assert(
      fc.property(writes, apart, (planned, apart) => {
        const sequences = planRequests(planned, { maxSequences: 4, maxWrites: 25, maxBytes: 4_000, apart })

        for (const key of new Set(planned.map(({ partitionKey }) => partitionKey))) {
          const found = sequences
            .map((requests) => requests.flat().filter(({ partitionKey }) => partitionKey === key))
            .filter(({ length }) => length > 0)
          expect(found).toHaveLength(1)
          expect(found[0]).toEqual(planned.filter(({ partitionKey }) => partitionKey === key))
        }
      }),
    )
  })

  it('fills requests: a hundred keys take four of them', () => {
    const sequences = planRequests(
      Array.from({ length: 100 }, (_, index) => write(index, `k${index}`)),
      { maxSequences: 4, maxWrites: 25, maxBytes: 4_000 },
    )

    expect(sequences.map((requests) => requests.map(({ length }) => length))).toEqual([
      [25],
      [25],
      [25],
      [25],
    ])
  })

  it('fills requests also where a key may be in each but once: ten keys of ten records take ten', () => {
    const sequences = planRequests(
      Array.from({ length: 100 }, (_, index) => write(index, `k${index % 10}`)),
      { maxSequences: 1, maxWrites: 10, maxBytes: 4_000, apart: ({ partitionKey }) => partitionKey },
    )

    expect(sequences).toHaveLength(1)
    expect(sequences[0]!.map(({ length }) => length)).toEqual(Array(10).fill(10))
  })
})
