import { findHashKeyRange, partitionKeyHash, uniformHashKeyRanges } from '@org/kinesis-core'

/** The shards of the sink's stream: equal ranges, and where a record falls. */
export class ShardTable {
  readonly shardIds: readonly string[]
  readonly #ranges: { startingHashKey: bigint; endingHashKey: bigint; index: number }[]
  readonly #byPartitionKey = new Map<string, number>()
  readonly #byHashKey = new Map<string, number>()

  constructor(count: number) {
    this.#ranges = uniformHashKeyRanges(count).map((range, index) => ({ ...range, index }))
    this.shardIds = this.#ranges.map(({ index }) => `shardId-${String(index).padStart(12, '0')}`)
  }

  get count(): number {
    return this.#ranges.length
  }

  /** Keeps what it has found: the keys of a bench are few, and come again and again. */
  indexOf(partitionKey: string, explicitHashKey: string | undefined): number {
    const known = explicitHashKey === undefined ? this.#byPartitionKey : this.#byHashKey
    const key = explicitHashKey ?? partitionKey
    const before = known.get(key)
    if (before !== undefined) return before
    const hash = explicitHashKey === undefined ? partitionKeyHash(partitionKey) : BigInt(explicitHashKey)
    const { index } = findHashKeyRange(this.#ranges, hash)!
    known.set(key, index)
    return index
  }

  /** As ListShards answers: up to 1,000 shards a page. */
  page(from: number): { Shards: unknown[]; NextToken?: string } {
    const to = from + 1_000
    const shards = this.#ranges.slice(from, to).map(({ startingHashKey, endingHashKey, index }) => ({
      ShardId: this.shardIds[index],
      HashKeyRange: { StartingHashKey: `${startingHashKey}`, EndingHashKey: `${endingHashKey}` },
      SequenceNumberRange: { StartingSequenceNumber: sequenceNumber(index, 0) },
    }))
    return { Shards: shards, ...(to < this.count ? { NextToken: `${to}` } : {}) }
  }
}

/** As long as the service's: 56 digits. */
export function sequenceNumber(shard: number, counter: number): string {
  return `4966${String(shard).padStart(36, '0')}${String(counter).padStart(16, '0')}`
}
