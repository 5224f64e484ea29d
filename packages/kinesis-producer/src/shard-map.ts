import { hash } from 'node:crypto'
import type { OpenShard } from './put-records-transport.js'

const HASH_KEY_DIGITS = 32

/**
 * Which shard a hash key falls into. Hash keys are kept as 32 hexadecimal digits: their order as text is their order as numbers,
 * and a put pays for one native MD5 and a few string comparisons, where BigInts would cost it several allocations.
 */
export class ShardMap {
  readonly shardIds: readonly string[]
  readonly #starts: readonly string[]
  readonly #ends: readonly string[]

  constructor(shards: readonly OpenShard[]) {
    const sorted = shards
      .map((shard) => ({
        shardId: shard.shardId,
        start: toHexadecimal(shard.startingHashKey),
        end: toHexadecimal(shard.endingHashKey),
      }))
      .sort((a, b) => (a.start < b.start ? -1 : 1))
    this.shardIds = sorted.map((shard) => shard.shardId)
    this.#starts = sorted.map((shard) => shard.start)
    this.#ends = sorted.map((shard) => shard.end)
  }

  /** Undefined where no open shard holds the key: a listing in the middle of a reshard may have a gap. */
  shardOf(hashKey: string): string | undefined {
    let low = 0
    let high = this.#ends.length - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if (hashKey > this.#ends[middle]!) low = middle + 1
      else high = middle
    }
    const start = this.#starts[low]
    if (start === undefined || hashKey < start || hashKey > this.#ends[low]!) return undefined
    return this.shardIds[low]
  }

  equals(other: ShardMap): boolean {
    return (
      this.shardIds.length === other.shardIds.length &&
      this.shardIds.every(
        (shardId, index) =>
          shardId === other.shardIds[index] &&
          this.#starts[index] === other.#starts[index] &&
          this.#ends[index] === other.#ends[index],
      )
    )
  }
}

/** Where the service will put a record: its explicit hash key, or the MD5 of its partition key. */
export function hashKeyOf(record: { partitionKey: string; explicitHashKey: string | undefined }): string {
  return record.explicitHashKey === undefined
    ? hash('md5', record.partitionKey, 'hex')
    : toHexadecimal(record.explicitHashKey)
}

function toHexadecimal(decimal: string): string {
  return BigInt(decimal).toString(16).padStart(HASH_KEY_DIGITS, '0')
}
