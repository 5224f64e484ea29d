import { HashedKey, PREFIX_BITS, parseHashedKey, toDigits } from './hashed-key.js'
import type { OpenShard } from './put-records-transport.js'

/** A part of one shard's hash key range, both ends included. Aggregates hold records of one bucket. */
export interface KeyBucket {
  readonly shardId: string
  /** Place of the shard in `ShardMap.shardIds`. */
  readonly shardIndex: number
  /** Place among all buckets. */
  readonly index: number
  readonly start: HashedKey
  readonly end: HashedKey
  /** `start` as the API carries it: sends a record into this bucket's shard, whatever its partition key. */
  readonly explicitHashKey: string
  /** Of its aggregates. */
  readonly partitionKey: string
}

/** Which shard, and which bucket of it, a hash key falls into. A lookup costs the same for 16 and for 4,096 shards. */
export class ShardMap {
  readonly shardIds: readonly string[]
  readonly buckets: readonly KeyBucket[]
  readonly #shards: readonly { shardId: string; start: HashedKey; end: HashedKey }[]
  readonly #indices: ReadonlyMap<string, number>
  /** For each prefix, the first bucket that ends in it or beyond. */
  readonly #firstBucket = new Uint32Array((1 << PREFIX_BITS) + 1)

  /** @param bucketsPerShard how finely aggregates divide a shard's range, from 1 */
  constructor(shards: readonly OpenShard[], bucketsPerShard = 1) {
    const sorted = shards
      .map((shard) => ({
        shardId: shard.shardId,
        start: parseHashedKey(shard.startingHashKey),
        end: parseHashedKey(shard.endingHashKey),
      }))
      .sort((a, b) => (a.start.digits < b.start.digits ? -1 : 1))
    this.#shards = sorted
    this.shardIds = sorted.map((shard) => shard.shardId)
    this.#indices = new Map(this.shardIds.map((shardId, index) => [shardId, index]))
    const buckets: KeyBucket[] = []
    for (const [shardIndex, { shardId, start: first, end: last }] of sorted.entries()) {
      for (const { start, end } of divide(first, last, bucketsPerShard)) {
        buckets.push({
          shardId,
          shardIndex,
          index: buckets.length,
          start,
          end,
          explicitHashKey: BigInt(`0x${start.digits}`).toString(),
          // Unlike for each bucket of the stream, so that a consumer that runs keys in parallel can do so with aggregates.
          partitionKey: `aggregate-${start.digits.slice(0, 8)}`,
        })
      }
    }
    this.buckets = buckets
    let bucket = 0
    for (let prefix = 0; prefix < this.#firstBucket.length; prefix++) {
      while (bucket < this.buckets.length && this.buckets[bucket]!.end.prefix < prefix) bucket++
      this.#firstBucket[prefix] = bucket
    }
  }

  /** Undefined where no open shard holds the key: a listing in the middle of a reshard may have a gap. */
  bucketOf(key: HashedKey): KeyBucket | undefined {
    if (key.map === this) return key.bucket
    key.map = this
    key.bucket = this.#find(key)
    return key.bucket
  }

  /** A bucket of an older map as one of this: undefined where no single shard holds it whole. */
  adopt(bucket: KeyBucket): KeyBucket | undefined {
    const first = this.bucketOf(bucket.start)
    const last = this.bucketOf(bucket.end)
    if (first === undefined || first.shardIndex !== last?.shardIndex) return undefined
    const { start, end, explicitHashKey, partitionKey } = bucket
    return { ...first, start, end, explicitHashKey, partitionKey }
  }

  has(shardId: string): boolean {
    return this.#indices.has(shardId)
  }

  /** Whether the shard is known, and holds the key. */
  shardHolds(shardId: string, key: HashedKey): boolean {
    const index = this.#indices.get(shardId)
    if (index === undefined) return false
    const { start, end } = this.#shards[index]!
    return key.digits >= start.digits && key.digits <= end.digits
  }

  equals(other: ShardMap): boolean {
    return (
      this.#shards.length === other.#shards.length &&
      this.#shards.every(({ shardId, start, end }, index) => {
        const its = other.#shards[index]!
        return shardId === its.shardId && start.digits === its.start.digits && end.digits === its.end.digits
      })
    )
  }

  #find({ digits, prefix }: HashedKey): KeyBucket | undefined {
    let low = this.#firstBucket[prefix]!
    let high = Math.min(this.#firstBucket[prefix + 1]!, this.buckets.length - 1)
    while (low < high) {
      const middle = (low + high) >>> 1
      if (digits > this.buckets[middle]!.end.digits) low = middle + 1
      else high = middle
    }
    const bucket = this.buckets[low]
    if (bucket === undefined || digits < bucket.start.digits || digits > bucket.end.digits) return undefined
    return bucket
  }
}

function divide(start: HashedKey, end: HashedKey, parts: number): { start: HashedKey; end: HashedKey }[] {
  const first = BigInt(`0x${start.digits}`)
  const size = BigInt(`0x${end.digits}`) - first + 1n
  // A shard that was split over and over may be narrower than it should have buckets.
  const count = size < BigInt(parts) ? 1 : parts
  return Array.from({ length: count }, (_, part) => {
    const from = first + (size * BigInt(part)) / BigInt(count)
    const to = first + (size * BigInt(part + 1)) / BigInt(count) - 1n
    return { start: new HashedKey(toDigits(from)), end: new HashedKey(toDigits(to)) }
  })
}
