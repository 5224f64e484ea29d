import {
  findHashKeyRange,
  type HashKeyRange,
  kinesisQuotas,
  MAX_HASH_KEY,
  partitionKeyHash,
  uniformHashKeyRanges,
} from '@org/kinesis-core'
import { ServiceError } from '../service.js'
import { OnDemandScaling } from './on-demand-scaling.js'
import { ResourceStatus } from './resource-status.js'
import { Shard, type ShardParents, type ShardState } from './shard.js'
import type { StreamConsumer } from './stream-consumer.js'
import { StreamEncryption } from './stream-encryption.js'
import type { WriteBurst } from './write-burst.js'

export interface StreamSettings {
  name: string
  arn: string
  shardCount: number
  retentionHours: number
  createdAtMs: number
  /** Tells it from others that were made in the same millisecond. */
  ordinal: number
  /** Undefined where shards take and give whatever comes. */
  burst: Required<WriteBurst> | undefined
  streamMode: StreamMode
  /** How long it is CREATING. */
  creatingMs: number
  maxRecordBytes?: number
}

export type StreamMode = 'PROVISIONED' | 'ON_DEMAND'

const HOUR_MS = 3_600_000

/** How many partition keys remember their shard: hashing costs more than the rest of a put. */
const REMEMBERED_KEYS = 50_000

/** One stream: its shards through splits and merges, and which of them a key goes to. */
export class Stream {
  readonly shards: Shard[] = []
  readonly tags = new Map<string, string>()
  readonly consumers = new Map<string, StreamConsumer>()
  /** When the last consumer of a name was made, for those of this second. */
  readonly consumersMadeMs = new Map<string, number>()
  readonly encryption = new StreamEncryption()
  readonly scaling = new OnDemandScaling()
  readonly status: ResourceStatus
  mode: StreamMode
  /** AUTO places records without looking at their keys. */
  distribution: 'AUTO' | 'USER_PARTITION_KEY' = 'USER_PARTITION_KEY'
  /** What an on-demand stream was asked to be ready for, in MiB per second. */
  warmMiBps = 0
  policy: string | undefined
  retentionHours: number
  /** What arrived before is gone, whatever the retention has become since. */
  expiredMs: number
  shardLevelMetrics = new Set<string>()
  maxRecordBytes: number
  /** Counts records and shard changes; every value is used once. */
  counter = 1
  /** Counts the records that came, so that AUTO takes the shards in turn. */
  turn = 0
  #open: { startingHashKey: bigint; endingHashKey: bigint; shard: Shard }[] = []
  readonly #shardOfKey = new Map<string, Shard>()
  /** Nothing arrived before it was made, so that a clock that was set back since lets no record expire at once. */
  #lastArrivalMs: number

  constructor(readonly settings: StreamSettings) {
    this.retentionHours = settings.retentionHours
    this.expiredMs = settings.createdAtMs
    this.#lastArrivalMs = settings.createdAtMs
    this.mode = settings.streamMode
    this.status = new ResourceStatus(settings.createdAtMs, settings.creatingMs)
    this.maxRecordBytes = settings.maxRecordBytes ?? kinesisQuotas.defaultMaxRecordBytes
    // None where they are restored.
    if (settings.shardCount === 0) return
    for (const range of uniformHashKeyRanges(settings.shardCount)) this.#add(range, settings.createdAtMs, {})
    this.#sortOpen()
  }

  get arn(): string {
    return this.settings.arn
  }

  /** Tells it from earlier and later streams of its name. */
  get generation(): string {
    return `${this.settings.createdAtMs}.${this.settings.ordinal}`
  }

  get openShards(): Shard[] {
    return this.#open.map(({ shard }) => shard)
  }

  /** For its records. */
  get heldBytes(): number {
    return this.shards.reduce((sum, shard) => sum + shard.log.heldBytes, 0)
  }

  /** The oldest instant whose records may still be there. It never goes back: what has expired stays gone when the retention grows. */
  trimHorizonMs(nowMs: number): number {
    return Math.max(nowMs - this.retentionHours * HOUR_MS, this.expiredMs)
  }

  /** From now on; what has expired by then is gone (API reference, IncreaseStreamRetentionPeriod). */
  retain(hours: number, nowMs: number): void {
    this.expiredMs = this.trimHorizonMs(nowMs)
    this.retentionHours = hours
  }

  /** Open shards, and closed ones whose records may still be there; the service forgets the others. */
  readableShards(nowMs: number): Shard[] {
    const horizonMs = this.trimHorizonMs(nowMs)
    return this.shards.filter((shard) => !isClosedBefore(shard, horizonMs))
  }

  isExpired(shard: Shard, nowMs: number): boolean {
    return isClosedBefore(shard, this.trimHorizonMs(nowMs))
  }

  shard(shardId: string): Shard | undefined {
    // Shards are numbered in the order in which they were made, and never removed.
    const shard = this.shards[Number(shardId.slice('shardId-'.length))]
    return shard?.shardId === shardId ? shard : undefined
  }

  route(partitionKey: string, explicitHashKey: bigint | undefined): Shard {
    if (this.distribution === 'AUTO') return this.#open[this.turn % this.#open.length]!.shard
    if (explicitHashKey !== undefined) return this.#openShardAt(explicitHashKey)
    const known = this.#shardOfKey.get(partitionKey)
    if (known !== undefined) return known
    if (this.#shardOfKey.size >= REMEMBERED_KEYS) this.#shardOfKey.clear()
    const shard = this.#openShardAt(partitionKeyHash(partitionKey))
    this.#shardOfKey.set(partitionKey, shard)
    return shard
  }

  /** The arrival time of records written at `nowMs`: where the clock was set back, that of the records before. */
  arrivalAt(nowMs: number): number {
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, nowMs)
    return this.#lastArrivalMs
  }

  /** At a hash key above the first of the shard. */
  split(shard: Shard, at: bigint, nowMs: number): void {
    const { startingHashKey, endingHashKey } = shard.range
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

  /**
   * Splits and merges until the `target` open shards are of equal size; on the way short-lived shards come and go, as in the service.
   */
  resize(target: number, nowMs: number): void {
    const starts = uniformHashKeyRanges(target).map((range) => this.#nearbyStart(range, target))
    for (const start of starts) {
      const shard = this.#openShardAt(start)
      if (shard.range.startingHashKey !== start) this.split(shard, start, nowMs)
    }
    for (const [index, start] of starts.entries()) {
      const end = (starts[index + 1] ?? MAX_HASH_KEY + 1n) - 1n
      let shard = this.#openShardAt(start)
      while (shard.range.endingHashKey < end) {
        this.merge(shard, this.#openShardAt(shard.range.endingHashKey + 1n), nowMs)
        shard = this.#openShardAt(start)
      }
    }
  }

  /**
   * Where a range begins, or a shard very near to that: divisions of 2^128 leave remainders, and nobody wants shards a few keys wide.
   */
  #nearbyStart({ startingHashKey }: HashKeyRange, target: number): bigint {
    const tolerance = MAX_HASH_KEY / BigInt(target) / 1_000n
    const { startingHashKey: below, endingHashKey } = this.#openShardAt(startingHashKey).range
    if (startingHashKey - below <= tolerance) return below
    const above = endingHashKey + 1n
    return above <= MAX_HASH_KEY && above - startingHashKey <= tolerance ? above : startingHashKey
  }

  /** Splits shards in halves, but for those that hold a single hash key. */
  halve(shards: readonly Shard[], nowMs: number): void {
    for (const shard of shards) {
      const { startingHashKey, endingHashKey } = shard.range
      const middle = startingHashKey + (endingHashKey - startingHashKey) / 2n + 1n
      if (middle <= endingHashKey) this.split(shard, middle, nowMs)
    }
  }

  /** Adds the shards that it has not yet, and ends those that were ended. */
  restoreShards(states: readonly ShardState[]): void {
    for (const [index, state] of states.entries()) {
      const { startCounter, createdAtMs, parents } = state
      const range = {
        startingHashKey: BigInt(state.startingHashKey),
        endingHashKey: BigInt(state.endingHashKey),
      }
      this.shards[index] ??= new Shard(index, range, startCounter, createdAtMs, parents, this.settings.burst)
      this.shards[index].restore(state)
    }
    this.#sortOpen()
  }

  #openShardAt(hashKey: bigint): Shard {
    // Open shards cover the whole key space without gaps.
    return findHashKeyRange(this.#open, hashKey)!.shard
  }

  #replace(
    parents: Shard[],
    children: { range: HashKeyRange; parents: ShardParents }[],
    nowMs: number,
  ): void {
    for (const parent of parents) parent.close(this.counter++, nowMs)
    const added = children.map(({ range, parents: links }) => {
      const child = this.#add(range, nowMs, links)
      for (const parent of parents) parent.childShardIds.push(child.shardId)
      return { ...range, shard: child }
    })
    // In place, since a stream may reshard thousands at once: its shards stay in order, and children cover what their parents did.
    const place = this.#open.indexOf(findHashKeyRange(this.#open, children[0]!.range.startingHashKey)!)
    this.#open.splice(place, parents.length, ...added)
    this.#shardOfKey.clear()
  }

  #add(range: HashKeyRange, nowMs: number, parents: ShardParents): Shard {
    const shard = new Shard(this.shards.length, range, this.counter++, nowMs, parents, this.settings.burst)
    this.shards.push(shard)
    return shard
  }

  #sortOpen(): void {
    this.#shardOfKey.clear()
    this.#open = this.shards
      .filter((shard) => shard.isOpen)
      .map((shard) => ({ ...shard.range, shard }))
      .sort((a, b) => (a.startingHashKey < b.startingHashKey ? -1 : 1))
  }
}

function isClosedBefore({ closedAtMs }: Shard, horizonMs: number): boolean {
  return closedAtMs !== undefined && closedAtMs < horizonMs
}
