import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  findHashKeyRange,
  MAX_HASH_KEY,
  parseHashKey,
  partitionKeyHash,
  uniformHashKeyRanges,
} from './hash-key.js'

describe('hash keys', () => {
  it('hashes a partition key as MD5, big-endian', () => {
    // md5("a") = 0cc175b9c0f1b6a831c399e269772661
    expect(partitionKeyHash('a')).toBe(0x0cc175b9c0f1b6a831c399e269772661n)
  })

  it('cuts the key space without gaps or overlaps, and finds every key in one range', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.bigInt({ min: 0n, max: MAX_HASH_KEY }),
        (count, key) => {
          const ranges = uniformHashKeyRanges(count)

          expect(ranges[0]!.startingHashKey).toBe(0n)
          expect(ranges.at(-1)!.endingHashKey).toBe(MAX_HASH_KEY)
          for (let i = 1; i < count; i++) {
            expect(ranges[i]!.startingHashKey).toBe(ranges[i - 1]!.endingHashKey + 1n)
          }
          const found = findHashKeyRange(ranges, key)!
          expect(found.startingHashKey <= key && key <= found.endingHashKey).toBe(true)
        },
      ),
    )
  })

  it('finds nothing in a gap', () => {
    expect(findHashKeyRange([{ startingHashKey: 0n, endingHashKey: 9n }], 10n)).toBeUndefined()
    expect(findHashKeyRange([], 10n)).toBeUndefined()
  })

  it.each(['-1', '01', '', '1e3', '340282366920938463463374607431768211456', 'x'])('refuses %j', (text) => {
    expect(parseHashKey(text)).toBeUndefined()
  })

  it('reads both ends of the key space', () => {
    expect(parseHashKey('0')).toBe(0n)
    expect(parseHashKey('340282366920938463463374607431768211455')).toBe(MAX_HASH_KEY)
  })
})
