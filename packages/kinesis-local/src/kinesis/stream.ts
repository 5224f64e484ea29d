import {
  findHashKeyRange,
  type HashKeyRange,
  kinesisQuotas,
  partitionKeyHash,
  uniformHashKeyRanges,
} from '@org/kinesis-core'
import { ServiceError } from '../service.js'
import { Shard, type ShardParents } from './shard.js'

export interface StreamSettings {
  name: string
  arn: string
  shardCount: number
  retentionHours: number
  createdAtMs: number
  /** Whether shards keep the service's rates. */
  limited: boolean
  streamMode: 'PROVISIONED' | 'ON_DEMAND'
}

/** How many partition keys remember their hash: hashing costs more than the rest of a put. */
const REMEMBERED_KEYS = 100_000

/** One stream: its shards through splits and merges, and which of them a key goes to. */
export class Stream {
  readonly shards: Shard[] = []
  readonly tags = new Map<string, string>()
  retentionHours: number
  shardLevelMetrics = new Set<string>()
  maxRecordBytes: number = kinesisQuotas.defaultMaxRecordBytes
  /** Counts records and shard changes; every value is used once. */
  counter = 1
  #open: { startingHashKey: bigint; endingHashKey: bigint; shard: Shard }[] = []
  readonly #hashes = new Map<string, bigint>()

  constructor(readonly settings: StreamSettings) {
    this.retentionHours = settings.retentionHours
    for (const range of uniformHashKeyRanges(settings.shardCount)) this.#add(range, settings.createdAtMs, {})
    this.#sortOpen()
  }

  get openShards(): Shard[] {
    return this.#open.map(({ shard }) => shard)
  }

  get bytes(): number {
    return this.shards.reduce((sum, shard) => sum + shard.log.bytes, 0)
  }

  shard(shardId: string): Shard | undefined {
    // Shards are numbered in the order in which they were made, and never removed.
    const shard = this.shards[Number(shardId.slice('shardId-'.length))]
    return shard?.shardId === shardId ? shard : undefined
  }

  route(partitionKey: string, explicitHashKey: bigint | undefined): Shard {
    return findHashKeyRange(this.#open, explicitHashKey ?? this.#hash(partitionKey))!.shard
  }

  split(shard: Shard, at: bigint, nowMs: number): void {
    const { startingHashKey, endingHashKey } = shard.range
    if (at <= startingHashKey || at > endingHashKey) {
      throw new ServiceError(
        'InvalidArgumentException',
        `NewStartingHashKey ${at} used in SplitShard() on shard ${shard.shardId} in stream ${this.settings.name} is not both greater than one plus the shard's StartingHashKey ${startingHashKey} and less than the shard's EndingHashKey ${endingHashKey}.`,
      )
    }
    const parents = { parentShardId: shard.shardId }
    this.#replace(
      [shard],
      [
        { range: { startingHashKey, endingHashKey: at - 1n }, parents },
        { range: { startingHashKey: at, endingHashKey }, parents },
      ],
      nowMs,
    )
  }

  merge(first: Shard, second: Shard, nowMs: number): void {
    const [low, high] =
      first.range.startingHashKey < second.range.startingHashKey ? [first, second] : [second, first]
    if (low.range.endingHashKey + 1n !== high.range.startingHashKey) {
      throw new ServiceError(
        'InvalidArgumentException',
        `Shards ${first.shardId} and ${second.shardId} in stream ${this.settings.name} are not an adjacent pair of shards eligible for merging`,
      )
    }
    this.#replace(
      [first, second],
      [
        {
          range: { startingHashKey: low.range.startingHashKey, endingHashKey: high.range.endingHashKey },
          parents: { parentShardId: first.shardId, adjacentParentShardId: second.shardId },
        },
      ],
      nowMs,
    )
  }

  /** Splits the widest or merges the narrowest neighbours until there are `target` open shards. */
  resize(target: number, nowMs: number): void {
    while (this.#open.length < target) {
      const { shard } = this.#open.reduce((widest, one) => (width(one) > width(widest) ? one : widest))
      const { startingHashKey, endingHashKey } = shard.range
      this.split(shard, (startingHashKey + endingHashKey + 1n) / 2n, nowMs)
    }
    while (this.#open.length > target) {
      let best = 0
      for (let i = 1; i < this.#open.length - 1; i++) {
        if (pairWidth(this.#open, i) < pairWidth(this.#open, best)) best = i
      }
      this.merge(this.#open[best]!.shard, this.#open[best + 1]!.shard, nowMs)
    }
  }

  #replace(
    parents: Shard[],
    children: { range: HashKeyRange; parents: ShardParents }[],
    nowMs: number,
  ): void {
    for (const parent of parents) parent.close(this.counter++, nowMs)
    for (const { range, parents: links } of children) {
      const child = this.#add(range, nowMs, links)
      for (const parent of parents) parent.childShardIds.push(child.shardId)
    }
    this.#sortOpen()
  }

  #add(range: HashKeyRange, nowMs: number, parents: ShardParents): Shard {
    const shard = new Shard(this.shards.length, range, this.counter++, nowMs, parents, this.settings.limited)
    this.shards.push(shard)
    return shard
  }

  #sortOpen(): void {
    this.#open = this.shards
      .filter((shard) => shard.isOpen)
      .map((shard) => ({ ...shard.range, shard }))
      .sort((a, b) => (a.startingHashKey < b.startingHashKey ? -1 : 1))
  }

  #hash(partitionKey: string): bigint {
    const known = this.#hashes.get(partitionKey)
    if (known !== undefined) return known
    if (this.#hashes.size >= REMEMBERED_KEYS) this.#hashes.clear()
    const hash = partitionKeyHash(partitionKey)
    this.#hashes.set(partitionKey, hash)
    return hash
  }
}

function width(range: HashKeyRange): bigint {
  return range.endingHashKey - range.startingHashKey
}

function pairWidth(open: HashKeyRange[], index: number): bigint {
  return open[index + 1]!.endingHashKey - open[index]!.startingHashKey
}
