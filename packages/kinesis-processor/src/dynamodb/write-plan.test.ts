import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PlannedWrite } from './planned-write.js'
import { planWrites } from './write-plan.js'

const write = (index: number, partitionKey: string, itemKey = String(index), bytes = 100): PlannedWrite => ({
  index,
  partitionKey,
  itemKey,
  bytes,
  item: {},
})

const writes = fc
  .array(fc.record({ key: fc.nat(20), item: fc.nat(200), bytes: fc.integer({ min: 1, max: 400 * 1024 }) }), {
    maxLength: 300,
  })
  .map((list) => list.map(({ key, item, bytes }, index) => write(index, `k${key}`, `i${item}`, bytes)))

describe('planWrites', () => {
  it('plans every write once, within the limits of a request', () => {
    fc.assert(
      fc.property(writes, fc.integer({ min: 1, max: 8 }), (planned, maxSequences) => {
        const sequences = planWrites(planned, { maxSequences, maxChunkWrites: 25 })

        const chunks = sequences.flat()
        expect(
          chunks
            .flat()
            .map(({ index }) => index)
            .sort((a, b) => a - b),
        ).toEqual(planned.map(({ index }) => index))
        expect(sequences.length).toBeLessThanOrEqual(maxSequences)
        for (const chunk of chunks) {
          expect(chunk.length).toBeGreaterThan(0)
          expect(chunk.length).toBeLessThanOrEqual(25)
          expect(chunk.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(16 * 1024 * 1024)
          expect(new Set(chunk.map(({ itemKey }) => itemKey)).size).toBe(chunk.length)
        }
      }),
    )
  })

  it('keeps the writes of a partition key in one sequence, in their order', () => {
    fc.assert(
      fc.property(writes, (planned) => {
        const sequences = planWrites(planned, { maxSequences: 4, maxChunkWrites: 25 })

        for (const key of new Set(planned.map(({ partitionKey }) => partitionKey))) {
          const found = sequences
            .map((chunks) => chunks.flat().filter(({ partitionKey }) => partitionKey === key))
            .filter(({ length }) => length > 0)
          expect(found).toHaveLength(1)
          expect(found[0]).toEqual(planned.filter(({ partitionKey }) => partitionKey === key))
        }
      }),
    )
  })

  it('fills requests: a hundred keys take four of them', () => {
    const sequences = planWrites(
      Array.from({ length: 100 }, (_, index) => write(index, `k${index}`)),
      { maxSequences: 4, maxChunkWrites: 25 },
    )

    expect(sequences.map((chunks) => chunks.map(({ length }) => length))).toEqual([[25], [25], [25], [25]])
  })
})
