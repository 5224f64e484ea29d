import { findHashKeyRange, MAX_HASH_KEY, partitionKeyHash } from '@org/kinesis-core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openShards } from '../test/scripted-transport.js'
import { HashedKey, hashPartitionKey, parseHashedKey } from './hashed-key.js'
import type { OpenShard } from './put-records-transport.js'
import { ShardMap } from './shard-map.js'

const byCore = (shards: readonly OpenShard[], hashKey: bigint) =>
  findHashKeyRange(
    shards.map((shard) => ({
      shardId: shard.shardId,
      startingHashKey: BigInt(shard.startingHashKey),
      endingHashKey: BigInt(shard.endingHashKey),
    })),
    hashKey,
  )?.shardId

describe('a shard map', () => {
  it('finds the shard that the arithmetic of 128-bit integers finds, for any key', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 9 }),
        fc.string(),
        (count, buckets, partitionKey) => {
          const shards = openShards(count)

          expect(new ShardMap(shards, buckets).bucketOf(hashPartitionKey(partitionKey))?.shardId).toBe(
            byCore(shards, partitionKeyHash(partitionKey)),
          )
        },
      ),
    )
  })

  it('finds the shard of an explicit hash key, whatever its partition key', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.bigInt(0n, MAX_HASH_KEY), (count, hashKey) => {
        const shards = openShards(count)
        const key = parseHashedKey(String(hashKey))

        expect(new ShardMap(shards.toReversed()).bucketOf(key)?.shardId).toBe(byCore(shards, hashKey))
      }),
    )
  })

  it('knows no shard where the listing has a gap, or nothing at all', () => {
    const shards = openShards(4)
    const inSecond = parseHashedKey(shards[1]!.startingHashKey)

    expect(new ShardMap(shards.toSpliced(1, 1)).bucketOf(inSecond)).toBeUndefined()
    expect(new ShardMap(shards.slice(0, 1)).bucketOf(inSecond)).toBeUndefined()
    expect(new ShardMap([]).bucketOf(inSecond)).toBeUndefined()
  })

  it('finds among thousands of uneven shards, at every edge of a bucket', () => {
    const cut = fc.bigInt(1n, MAX_HASH_KEY)
    fc.assert(
      fc.property(fc.uniqueArray(cut, { minLength: 3_000, maxLength: 5_000 }), (cuts) => {
        const starts = [0n, ...cuts].sort((a, b) => (a < b ? -1 : 1))
        const shards = starts.map((start, index) => ({
          shardId: `shard-${index}`,
          startingHashKey: String(start),
          endingHashKey: String((starts[index + 1] ?? MAX_HASH_KEY + 1n) - 1n),
        }))
        const map = new ShardMap(shards, 3)
        for (const bucket of map.buckets) {
          for (const edge of [bucket.start, bucket.end]) {
            expect(map.bucketOf(new HashedKey(edge.digits))).toBe(bucket)
            expect(map.shardHolds(bucket.shardId, edge)).toBe(true)
          }
          expect(map.shardHolds(`${bucket.shardId}x`, bucket.start)).toBe(false)
        }
        expect(map.buckets.map((bucket) => bucket.index)).toEqual(map.buckets.map((_, index) => index))
      }),
      { numRuns: 3 },
    )
  })

  it('divides every shard into buckets, and keeps one after a reshard where a single shard holds it whole', () => {
    const before = new ShardMap(openShards(2), 3)
    const after = new ShardMap(openShards(4, 'child-'), 3)

    const adopted = before.buckets.map((bucket) => after.adopt(bucket)?.shardId)

    const [a, b, c, d] = after.shardIds
    expect(adopted).toEqual([a, undefined, b, c, undefined, d])
    expect(new Set(before.buckets.map((bucket) => bucket.partitionKey)).size).toBe(6)
  })

  it('tells a change from none, whatever the order of the listing', () => {
    const map = new ShardMap(openShards(3))

    expect(map.equals(new ShardMap(openShards(3).toReversed()))).toBe(true)
    expect(map.equals(new ShardMap(openShards(4)))).toBe(false)
    expect(map.equals(new ShardMap(openShards(3, 'other-')))).toBe(false)
  })
})
