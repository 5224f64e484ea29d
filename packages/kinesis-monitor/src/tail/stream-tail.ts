import { type Clock, type Random, StreamingError, systemRandom } from '@org/kinesis-core'
import type { MonitorSource, ShardDescription, ShardPosition, ShardRead } from '../monitor-source.js'
import { retryDelayMs } from '../retry.js'
import { ReadSchedule } from './read-schedule.js'
import { RecordBuffer } from './record-buffer.js'
import { ShardLineage } from './shard-lineage.js'
import type { ResolvedTailOptions } from './tail-options.js'
import { type TailRecord, toTailRecords } from './tail-record.js'

export interface TailStats {
  /** Shards that are read now. */
  shards: number
  /** GetRecords calls that were answered. */
  reads: number
  /** Records handed to the caller. */
  records: number
  /** How far the slowest shard is behind its tip, in ms, by its last read. */
  millisBehindLatest: number
}

interface ShardReader {
  shardId: string
  /** Where the next iterator begins; moves on with every record. */
  position: ShardPosition
  iterator: string | undefined
  dueAtMs: number
  millisBehindLatest: number
  /** Failures in a row, and since when. */
  failures: number
  failingSinceMs: number | undefined
}

interface TailSurroundings {
  source: MonitorSource
  clock: Clock
  random?: Random
  /** Runs once, when the tail is over. */
  onClose?: () => void
}

/**
 * The records of all shards, as an async iterable: in order within a shard, and over a resharding in order for each key. Reads go
 * on in the background from the first `next()` or `ready()` until the loop is left, `close()` is called or the signal aborts.
 */
export class StreamTail implements AsyncIterableIterator<TailRecord, undefined> {
  readonly #streamName: string
  readonly #options: ResolvedTailOptions
  readonly #source: MonitorSource
  readonly #clock: Clock
  readonly #random: Random
  readonly #onClose: (() => void) | undefined

  readonly #lineage = new ShardLineage()
  readonly #readers = new Map<string, ShardReader>()
  /** The readers that are not reading now. */
  readonly #schedule = new ReadSchedule<ShardReader>()
  readonly #buffer = new RecordBuffer()
  readonly #abort = new AbortController()
  #startedAtMs = 0
  #starting: Promise<void> | undefined
  #inFlight = 0
  #reads = 0
  #delivered = 0
  #failure: unknown
  #failed = false
  #wakers: (() => void)[] = []
  #cancelTimer: (() => void) | undefined
  /** Closed shards whose children the service has not named yet. */
  readonly #childless = new Set<string>()
  #lookForChildrenAtMs = 0
  #lookingFailsSinceMs: number | undefined
  #looking = false

  constructor(streamName: string, options: ResolvedTailOptions, surroundings: TailSurroundings) {
    this.#streamName = streamName
    this.#options = options
    this.#source = surroundings.source
    this.#clock = surroundings.clock
    this.#random = surroundings.random ?? systemRandom
    this.#onClose = surroundings.onClose
    options.signal?.addEventListener('abort', this.#onAbort, { once: true })
    if (options.signal?.aborted) this.#onAbort()
  }

  /** Resolves when every shard has its position: what is written from then on will be delivered, also with `from: 'LATEST'`. */
  ready(): Promise<void> {
    this.#starting ??= this.#start()
    return this.#starting
  }

  async next(): Promise<IteratorResult<TailRecord, undefined>> {
    if (!this.#isOver) await this.ready()
    for (;;) {
      const record = this.#isOver ? undefined : this.#take()
      if (record !== undefined) return { done: false, value: record }
      // What was read before the failure is delivered first.
      if (this.#failed) {
        this.close()
        this.#failed = false
        throw this.#failure
      }
      if (this.#isOver) return { done: true, value: undefined }
      await new Promise<void>((resolve) => this.#wakers.push(resolve))
    }
  }

  async return(): Promise<IteratorResult<TailRecord, undefined>> {
    this.close()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
  }

  /** Ends the tail: reads under way are cut off, and the iteration is done. */
  close(): void {
    if (this.#isOver) return
    this.#abort.abort()
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
    this.#cancelTimer?.()
    this.#buffer.clear()
    this.#onClose?.()
    this.#wake()
  }

  stats(): TailStats {
    const behind = [...this.#readers.values()].map((reader) => reader.millisBehindLatest)
    return {
      shards: this.#readers.size,
      reads: this.#reads,
      records: this.#delivered,
      millisBehindLatest: behind.reduce((most, ms) => Math.max(most, ms), 0),
    }
  }

  readonly #onAbort = () => this.close()

  get #isOver(): boolean {
    return this.#abort.signal.aborted
  }

  async #start(): Promise<void> {
    try {
      const shards = await this.#listShards()
      this.#startedAtMs = this.#clock.now()
      this.#lineage.learn(shards)
      // From the tip, nothing is wanted of shards that take no more records.
      if (this.#options.from.type === 'LATEST') {
        for (const shard of shards) if (shard.state === 'closed') this.#lineage.finish(shard.shardId)
      }
      this.#addReaders(this.#options.from)
      if (this.#options.from.type === 'LATEST') await this.#openAll([...this.#readers.values()])
      this.#pump()
    } catch (error) {
      if (this.#isOver) return
      this.close()
      throw error
    }
  }

  /** The tip is where it is now: waiting for the first read would move it. */
  async #openAll(readers: ShardReader[]): Promise<void> {
    const queue = readers.values()
    const worker = async () => {
      for (const reader of queue) reader.iterator = await this.#open(reader)
    }
    await Promise.all(Array.from({ length: this.#options.maxConcurrentReads }, worker))
  }

  #addReaders(position: ShardPosition): void {
    for (const shardId of this.#lineage.takeReady()) {
      const reader: ShardReader = {
        shardId,
        position,
        iterator: undefined,
        dueAtMs: this.#clock.now(),
        millisBehindLatest: 0,
        failures: 0,
        failingSinceMs: undefined,
      }
      this.#readers.set(shardId, reader)
      this.#schedule.add(reader)
    }
  }

  #take(): TailRecord | undefined {
    const wasFull = this.#isFull
    const record = this.#buffer.shift()
    if (record === undefined) return undefined
    this.#delivered += 1
    if (wasFull && !this.#isFull) this.#pump()
    return record
  }

  get #isFull(): boolean {
    return this.#buffer.bytes >= this.#options.maxBufferedBytes
  }

  /** Starts every read that is due, as far as the limits allow, and sets the timer for the next one. */
  #pump(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    if (this.#isOver || this.#failed) return
    const nowMs = this.#clock.now()
    let nextMs = Infinity
    if (this.#childless.size > 0 && !this.#looking) {
      if (this.#lookForChildrenAtMs <= nowMs) void this.#lookForChildren()
      else nextMs = this.#lookForChildrenAtMs
    }
    // A read that ends, or a caller that takes from a full buffer, comes back here.
    while (!this.#isFull && this.#inFlight < this.#options.maxConcurrentReads) {
      const reader = this.#schedule.takeDue(nowMs)
      if (reader === undefined) {
        nextMs = Math.min(nextMs, this.#schedule.nextDueMs ?? Infinity)
        break
      }
      void this.#read(reader)
    }
    if (nextMs < Infinity) {
      this.#cancelTimer = this.#clock.schedule(Math.max(0, nextMs - nowMs), () => this.#pump())
    }
  }

  async #read(reader: ShardReader): Promise<void> {
    reader.dueAtMs = this.#clock.now() + this.#options.readIntervalMs
    this.#inFlight += 1
    try {
      reader.iterator ??= await this.#open(reader)
      const { maxRecordsPerRead } = this.#options
      const signal = this.#abort.signal
      const read = await this.#source.readShard(this.#streamName, reader.iterator, maxRecordsPerRead, {
        signal,
      })
      if (!this.#isOver) this.#accept(reader, read)
    } catch (error) {
      if (!this.#isOver) await this.#handleFailure(reader, error)
    } finally {
      if (this.#readers.has(reader.shardId)) this.#schedule.add(reader)
      this.#inFlight -= 1
      this.#pump()
      this.#wake()
    }
  }

  #accept(reader: ShardReader, read: ShardRead): void {
    this.#reads += 1
    reader.failures = 0
    reader.failingSinceMs = undefined
    reader.millisBehindLatest = read.millisBehindLatest
    for (const record of read.records) {
      for (const one of toTailRecords(reader.shardId, record, this.#options.deaggregate))
        this.#buffer.push(one)
    }
    const last = read.records.at(-1)
    if (last !== undefined) {
      reader.position = { type: 'AFTER_SEQUENCE_NUMBER', sequenceNumber: last.sequenceNumber }
    }
    reader.iterator = read.nextIterator
    if (read.nextIterator === undefined) {
      this.#lineage.learn(read.childShards)
      this.#finish(reader.shardId)
    }
  }

  /** The shard is read to its end: its children may begin. */
  #finish(shardId: string): void {
    this.#readers.delete(shardId)
    this.#lineage.finish(shardId)
    if (!this.#lineage.hasChild(shardId)) {
      this.#childless.add(shardId)
      this.#lookForChildrenAtMs = this.#clock.now()
    }
    this.#addReaders(this.#childPosition)
  }

  /** A child begins where its parent ends; where the caller asked for a time, that still holds for a parent that ended before it. */
  get #childPosition(): ShardPosition {
    return this.#options.from.type === 'AT_TIMESTAMP' ? this.#options.from : { type: 'TRIM_HORIZON' }
  }

  /** A shard that closed has children, always; only an endpoint that does not name them, or names them late, leads here. */
  async #lookForChildren(): Promise<void> {
    this.#looking = true
    try {
      this.#lineage.learn(await this.#listShards())
      this.#lookingFailsSinceMs = undefined
      for (const shardId of this.#childless)
        if (this.#lineage.hasChild(shardId)) this.#childless.delete(shardId)
      this.#addReaders(this.#childPosition)
    } catch (error) {
      this.#lookingFailsSinceMs ??= this.#clock.now()
      if (!this.#isOver && !this.#mayPass(error, this.#lookingFailsSinceMs)) this.#fail(error)
    } finally {
      this.#looking = false
      this.#lookForChildrenAtMs = this.#clock.now() + this.#options.readIntervalMs
      this.#pump()
      this.#wake()
    }
  }

  async #handleFailure(reader: ShardReader, error: unknown): Promise<void> {
    if (!StreamingError.isInstance(error)) return this.#fail(error)
    if (isExpiredIterator(error)) {
      reader.iterator = undefined
      this.#keepTip(reader)
      return
    }
    if (error.code === 'STREAM_NOT_FOUND') return this.#checkShard(reader, error)
    const nowMs = this.#clock.now()
    reader.failures += 1
    reader.failingSinceMs ??= nowMs
    if (!this.#mayPass(error, reader.failingSinceMs)) return this.#fail(error)
    const delayMs = retryDelayMs(error, reader.failures, this.#random)
    reader.dueAtMs = Math.max(reader.dueAtMs, nowMs + delayMs)
  }

  /** Throttling passes, however long it lasts; anything else that may pass has `maxOutageMs` to do so. */
  #mayPass(error: unknown, failingSinceMs: number): boolean {
    if (!StreamingError.isInstance(error) || !error.retryable) return false
    return error.code === 'THROTTLED' || this.#clock.now() - failingSinceMs <= this.#options.maxOutageMs
  }

  /** An iterator lives for five minutes. A new one at the tip would skip what came since, so it begins at the time we did. */
  #keepTip(reader: ShardReader): void {
    if (reader.position.type !== 'LATEST') return
    reader.position = { type: 'AT_TIMESTAMP', timestampMs: this.#startedAtMs }
  }

  /** "Not found" is said of a stream that is gone and of a shard that has expired; the second is just read to its end. */
  async #checkShard(reader: ShardReader, error: StreamingError): Promise<void> {
    try {
      const shards = await this.#listShards()
      if (shards.some((shard) => shard.shardId === reader.shardId)) return this.#fail(error)
      this.#lineage.learn(shards)
      this.#finish(reader.shardId)
    } catch (listError) {
      if (!this.#isOver) this.#fail(listError)
    }
  }

  #listShards(): Promise<ShardDescription[]> {
    return this.#source.listShards(this.#streamName, { signal: this.#abort.signal })
  }

  #open(reader: ShardReader): Promise<string> {
    const signal = this.#abort.signal
    return this.#source.openShard(this.#streamName, reader.shardId, reader.position, { signal })
  }

  #fail(error: unknown): void {
    if (this.#failed) return
    this.#failed = true
    this.#failure = error
  }

  #wake(): void {
    const wakers = this.#wakers
    this.#wakers = []
    for (const waker of wakers) waker()
  }
}

function isExpiredIterator(error: StreamingError): boolean {
  return 'serviceCode' in error && error.serviceCode === 'ExpiredIteratorException'
}
