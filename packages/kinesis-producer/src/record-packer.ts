import { AggregateBuilder, type AggregateMember, producerTag } from '@org/kinesis-core'
import { EntryList } from './entry-list.js'
import { NO_DATA, type PendingEntry } from './pending-entry.js'
import { type CheckedRecord, longestBytes } from './record-input.js'
import type { ShardMap } from './shard-map.js'

/** Builders that are kept for the next aggregates. */
const MAX_SPARE_BUILDERS = 64
/**
 * Bytes of delivered aggregates that are kept for the next. Memory that comes and goes at hundreds of megabytes a second keeps the garbage
 * collector at work all the time.
 */
const MAX_SPARE_BYTES = 16 * 1024 * 1024

export interface RecordPackerOptions {
  ordering: 'none' | 'per-key'
  maxContainerBytes: number
  lingerMs: number
  recordTtlMs: number
  /** Goes into the tag of every record; undefined: no tags. */
  producerId: string | undefined
}

/**
 * Packs records into aggregates. An entry is open from its first record until it is full, its linger is over or a flush asks for it.
 *
 * With ordering `none` an aggregate mixes the keys of one bucket, so all its members fall into one shard: consumers drop an aggregate with
 * a stray member whole. With `per-key` it holds records of one partition key and carries that key.
 */
export class RecordPacker {
  readonly #options: RecordPackerOptions
  readonly #isAwaited: (entry: PendingEntry) => boolean
  #map: ShardMap | undefined
  #byBucket: (PendingEntry | undefined)[] = []
  readonly #byKey = new Map<string, PendingEntry>()
  /** Open entries whose linger is not over, oldest first. */
  readonly #lingering = new EntryList()
  readonly #spareBuilders: AggregateBuilder[] = []
  readonly #spareMemory: Buffer[] = []
  /** Of the next record that gets a tag. */
  #sequence = 1
  #notedAtMs = Number.NEGATIVE_INFINITY

  /** @param isAwaited true of an entry that a flush waits for: its linger is over */
  constructor(options: RecordPackerOptions, isAwaited: (entry: PendingEntry) => boolean) {
    this.#options = options
    this.#isAwaited = isAwaited
  }

  /** When the next open entry is to be sealed; Infinity without one. */
  get dueAtMs(): number {
    const oldest = this.#lingering.head
    return oldest === undefined ? Number.POSITIVE_INFINITY : this.#dueOf(oldest)
  }

  /** Aggregates by this map from now on, or not at all. Whatever is open has been sealed before. */
  useMap(map: ShardMap | undefined): void {
    this.#map = map
    this.#byBucket = []
  }

  /** Entries that older records have opened take no more: a record must not expire more than a sixteenth of its time too early. */
  noteTime(nowMs: number): void {
    this.#notedAtMs = nowMs
  }

  /** When the time is to be noted again; Infinity while nothing is open. */
  get noteAtMs(): number {
    const isAnyOpen = this.#lingering.head !== undefined || this.#byKey.size > 0
    return isAnyOpen ? this.#notedAtMs + this.#options.recordTtlMs / 32 : Number.POSITIVE_INFINITY
  }

  /** False for a record that goes alone: its shard is unknown, or it would fill an aggregate by itself. */
  accepts(record: CheckedRecord): boolean {
    if (this.#map === undefined) return false
    return (
      longestBytes(record) < this.#options.maxContainerBytes / 2 &&
      (this.#options.ordering === 'per-key' || this.#map.bucketOf(record.key) !== undefined)
    )
  }

  /** The open entry that a record of this key belongs to. */
  openFor(record: CheckedRecord): PendingEntry | undefined {
    if (this.#map === undefined) return undefined
    if (this.#options.ordering === 'per-key') return this.#byKey.get(record.partitionKey)
    const bucket = this.#map.bucketOf(record.key)
    return bucket === undefined ? undefined : this.#byBucket[bucket.index]
  }

  openOfKey(partitionKey: string): PendingEntry | undefined {
    return this.#byKey.get(partitionKey)
  }

  /** Adds a record to an open entry; false where it has no place in it. */
  append(entry: PendingEntry, record: CheckedRecord, epoch: number): boolean {
    const builder = entry.builder!
    // A later flush must not wait for this one's records, nor the other way round.
    if (entry.epoch !== epoch || entry.putAtMs < this.#notedAtMs - this.#options.recordTtlMs / 32)
      return false
    if (this.#options.ordering === 'per-key' && entry.explicitHashKey !== record.explicitHashKey) return false
    const before = builder.sizeBytes
    // The service counts the partition key as well.
    const keyBytes = entry.sizeBytes - before
    if (!builder.add(this.#tagged(record), this.#options.maxContainerBytes - keyBytes)) return false
    this.#sequence++
    entry.count++
    entry.sizeBytes += builder.sizeBytes - before
    return true
  }

  /** Makes an entry the open one of its key or bucket, with its first record in it. */
  open(entry: PendingEntry, record: CheckedRecord): void {
    const builder = this.#spareBuilders.pop() ?? new AggregateBuilder()
    builder.add(this.#tagged(record))
    this.#sequence++
    const isMixed = this.#options.ordering === 'none'
    const bucket = isMixed ? this.#map!.bucketOf(entry.key)! : undefined
    if (bucket === undefined) this.#byKey.set(entry.partitionKey, entry)
    else this.#byBucket[bucket.index] = entry
    entry.join(builder, bucket)
    if (this.#isAwaited(entry)) this.#lingering.pushFront(entry)
    else this.#lingering.pushBack(entry)
  }

  /** Ends the linger of the oldest open entry, if it is over by then: it stays open until it is sealed, or until its key lets it go. */
  nextDue(untilMs: number): PendingEntry | undefined {
    const oldest = this.#lingering.head
    if (oldest === undefined || this.#dueOf(oldest) > untilMs) return undefined
    this.#lingering.remove(oldest)
    oldest.isOverdue = true
    return oldest
  }

  /** Everything that is open, oldest first where its linger is not over. */
  allOpen(): PendingEntry[] {
    if (this.#options.ordering === 'per-key') return [...this.#byKey.values()]
    return this.#byBucket.filter((entry) => entry !== undefined)
  }

  /** Takes no more records into an entry: it can be sent now. An entry of a single record is sent as that record, unless it has a tag. */
  seal(entry: PendingEntry): void {
    const builder = this.#close(entry)
    if (builder.count === 1 && this.#options.producerId === undefined) {
      entry.bucket = undefined
      entry.carry({ data: Buffer.from(builder.lastData) })
      builder.clear()
    } else entry.carryAggregate(builder, entry.bucket, this.#memoryFor(builder.sizeBytes))
    if (this.#spareBuilders.length < MAX_SPARE_BUILDERS) this.#spareBuilders.push(builder)
  }

  /** Takes the memory of an aggregate that nobody reads any more. */
  recycle(entry: PendingEntry): void {
    const { maxContainerBytes } = this.#options
    const { data } = entry
    if (data.buffer.byteLength !== maxContainerBytes || !(data.buffer instanceof ArrayBuffer)) return
    if (this.#spareMemory.length * maxContainerBytes >= MAX_SPARE_BYTES) return
    entry.data = NO_DATA
    this.#spareMemory.push(Buffer.from(data.buffer))
  }

  /** For an aggregate that is about full; the others take no more than they need. */
  #memoryFor(sizeBytes: number): Buffer | undefined {
    const { maxContainerBytes } = this.#options
    if (sizeBytes < maxContainerBytes * 0.9) return undefined
    return this.#spareMemory.pop() ?? Buffer.allocUnsafeSlow(maxContainerBytes)
  }

  #tagged(record: CheckedRecord): AggregateMember {
    const { producerId } = this.#options
    if (producerId === undefined) return record
    const { partitionKey, explicitHashKey, data } = record
    return {
      partitionKey,
      explicitHashKey,
      data,
      tags: [producerTag({ producerId, sequence: this.#sequence })],
    }
  }

  #dueOf(entry: PendingEntry): number {
    return this.#isAwaited(entry) ? entry.putAtMs : entry.putAtMs + this.#options.lingerMs
  }

  #close(entry: PendingEntry): AggregateBuilder {
    const builder = entry.builder!
    entry.builder = undefined
    if (!entry.isOverdue) this.#lingering.remove(entry)
    if (entry.bucket === undefined) this.#byKey.delete(entry.partitionKey)
    else this.#byBucket[entry.bucket.index] = undefined
    return builder
  }
}
