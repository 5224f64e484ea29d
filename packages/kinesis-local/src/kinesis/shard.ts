import { type HashKeyRange, kinesisQuotas } from '@org/kinesis-core'
import { sequenceNumber, sequencePrefix } from './sequence-number.js'
import { ShardLog } from './shard-log.js'
import { TokenBucket } from './token-bucket.js'
import { resolveWriteBurst, type WriteBurst } from './write-burst.js'

export interface ShardParents {
  parentShardId?: string
  adjacentParentShardId?: string
}

/** All of a shard but its records, as plain data. */
export interface ShardState {
  startingHashKey: string
  endingHashKey: string
  startCounter: number
  createdAtMs: number
  parents: ShardParents
  childShardIds: string[]
  endingSequenceNumber?: string
  closedAtMs?: number
}

/** One shard: its range, its records, and the service's limits on both sides. */
export class Shard {
  readonly shardId: string
  readonly prefix: string
  readonly log = new ShardLog()
  readonly childShardIds: string[] = []
  readonly startingSequenceNumber: string
  endingSequenceNumber: string | undefined
  closedAtMs: number | undefined
  /** Whether it keeps the service's rates. */
  readonly limited: boolean
  readonly #bytesBurst: number
  readonly #watchers = new Set<() => void>()
  readonly #writtenRecords: TokenBucket
  readonly #writtenBytes: TokenBucket
  readonly #reads: TokenBucket
  readonly #readBytes: TokenBucket

  constructor(
    readonly index: number,
    readonly range: HashKeyRange,
    readonly startCounter: number,
    readonly createdAtMs: number,
    readonly parents: ShardParents,
    burst: Required<WriteBurst> | undefined,
  ) {
    this.limited = burst !== undefined
    const { recordsMs, bytesMs } = burst ?? resolveWriteBurst({})
    this.shardId = `shardId-${String(index).padStart(12, '0')}`
    this.prefix = sequencePrefix(index)
    this.startingSequenceNumber = sequenceNumber(this.prefix, startCounter)
    const {
      shardWriteRecordsPerSecond,
      shardWriteBytesPerSecond,
      shardReadsPerSecond,
      shardReadBytesPerSecond,
    } = kinesisQuotas
    this.#writtenRecords = new TokenBucket(
      shardWriteRecordsPerSecond,
      Math.max(1, (shardWriteRecordsPerSecond * recordsMs) / 1000),
      createdAtMs,
    )
    this.#bytesBurst = (shardWriteBytesPerSecond * bytesMs) / 1000
    this.#writtenBytes = new TokenBucket(shardWriteBytesPerSecond, this.#bytesBurst, createdAtMs)
    this.#reads = new TokenBucket(shardReadsPerSecond, shardReadsPerSecond, createdAtMs)
    this.#readBytes = new TokenBucket(shardReadBytesPerSecond, shardReadBytesPerSecond, createdAtMs)
  }

  get state(): ShardState {
    const { range, startCounter, createdAtMs, parents, childShardIds, endingSequenceNumber, closedAtMs } =
      this
    return {
      startingHashKey: String(range.startingHashKey),
      endingHashKey: String(range.endingHashKey),
      startCounter,
      createdAtMs,
      parents,
      childShardIds: [...childShardIds],
      ...(endingSequenceNumber === undefined ? {} : { endingSequenceNumber }),
      ...(closedAtMs === undefined ? {} : { closedAtMs }),
    }
  }

  /** Ends it as `state` says. */
  restore({ childShardIds, endingSequenceNumber, closedAtMs }: ShardState): void {
    this.childShardIds.splice(0, Number.POSITIVE_INFINITY, ...childShardIds)
    this.endingSequenceNumber = endingSequenceNumber
    this.closedAtMs = closedAtMs
  }

  get isOpen(): boolean {
    return this.endingSequenceNumber === undefined
  }

  /** Takes a record's share of the shard's rate; false where there is none left. */
  admit(bytes: number, nowMs: number): boolean {
    if (!this.limited) return true
    if (!this.#writtenRecords.has(1, nowMs)) return false
    // A record above the burst is let in when the bucket is full, and paid for afterwards.
    const share = Math.min(bytes, this.#bytesBurst)
    if (!this.#writtenBytes.has(share, nowMs)) return false
    this.#writtenRecords.take(1)
    this.#writtenBytes.take(bytes)
    return true
  }

  /** Takes one of the five reads of a second; false where they are used up, or earlier reads were too large. */
  admitRead(nowMs: number): boolean {
    if (!this.limited) return true
    // After 10 MB in one call the next ones fail for five seconds (API reference, GetRecords): the bytes leave a debt.
    if (!this.#reads.has(1, nowMs) || !this.#readBytes.has(1, nowMs)) return false
    this.#reads.take(1)
    return true
  }

  payForRead(bytes: number): void {
    // What is above one second's worth is paid for in full, so that 10 MiB take the documented five seconds.
    if (bytes > kinesisQuotas.shardReadBytesPerSecond) this.#readBytes.empty()
    this.#readBytes.take(bytes)
  }

  /** Tells of records that were written and of the end; the function returned ends it. */
  watch(onChange: () => void): () => void {
    this.#watchers.add(onChange)
    return () => this.#watchers.delete(onChange)
  }

  changed(): void {
    for (const onChange of this.#watchers) onChange()
  }

  close(counter: number, nowMs: number): void {
    this.endingSequenceNumber = sequenceNumber(this.prefix, counter)
    this.closedAtMs = nowMs
    this.changed()
  }
}
