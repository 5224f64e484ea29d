import { findHashKeyRange, MAX_HASH_KEY, partitionKeyHash } from '@org/kinesis-core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openShards } from '../test/scripted-transport.js'
import type { OpenShard } from './put-records-transport.js'
import { hashKeyOf, ShardMap } from './shard-map.js'

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
      fc.property(fc.integer({ min: 1, max: 40 }), fc.string(), (count, partitionKey) => {
        const shards = openShards(count)

        expect(new ShardMap(shards).shardOf(hashKeyOf({ partitionKey, explicitHashKey: undefined }))).toBe(
          byCore(shards, partitionKeyHash(partitionKey)),
        )
      }),
    )
  })

  it('finds the shard of an explicit hash key, whatever its partition key', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.bigInt(0n, MAX_HASH_KEY), (count, hashKey) => {
        const shards = openShards(count)
        const record = { partitionKey: 'any', explicitHashKey: String(hashKey) }

        expect(new ShardMap(shards.toReversed()).shardOf(hashKeyOf(record))).toBe(byCore(shards, hashKey))
      }),
    )
  })

  it('knows no shard where the listing has a gap, or nothing at all', () => {
    const shards = openShards(4)
    const inSecond = hashKeyOf({ partitionKey: 'x', explicitHashKey: shards[1]!.startingHashKey })

    expect(new ShardMap(shards.toSpliced(1, 1)).shardOf(inSecond)).toBeUndefined()
    expect(new ShardMap(shards.slice(0, 1)).shardOf(inSecond)).toBeUndefined()
    expect(new ShardMap([]).shardOf(inSecond)).toBeUndefined()
  })

  it('tells a change from none, whatever the order of the listing', () => {
    const map = new ShardMap(openShards(3))

    expect(map.equals(new ShardMap(openShards(3).toReversed()))).toBe(true)
    expect(map.equals(new ShardMap(openShards(4)))).toBe(false)
    expect(map.equals(new ShardMap(openShards(3, 'other-')))).toBe(false)
  })
})
