import { backoffDelayMs, type Clock, type HashKeyRange, type Random, sleep } from '@org/kinesis-core'
import { type ListedShard, planShards, type ShardStatus } from '@org/kinesis-core/event-source-mapping'
import type { LocalService } from '../service.js'
import {
  isMissing,
  type ReadingPosition,
  type ShardConsumer,
  type ShardFollower,
  ShardReader,
  type StartingPoint,
} from './shard-reader.js'
import { ShardSubscriber } from './shard-subscriber.js'

export interface StreamReaderOptions {
  streamName: string
  startingPosition: StartingPoint
  /** Sequence numbers by shard, of a run before: there it goes on behind them. @default none */
  resumeAfter?: ReadonlyMap<string, string>
  /** Between reads of a shard at its tip. */
  pollIntervalMs: number
  /** Follow the shards by the enhanced fan-out of this consumer. @default by polling */
  consumerArn?: string | undefined
  /** Called once for every shard, when its reading begins. */
  open: (shardId: string, resume: () => void, hashKeys: HashKeyRange) => ShardConsumer
  /** Told of calls that failed; they are tried again. */
  onError: (error: Error) => void
}

const RETRY_BACKOFF = { baseMs: 250, maxMs: 5_000 }

interface ListShardsOutput {
  Shards: {
    ShardId: string
    ParentShardId?: string | null
    AdjacentParentShardId?: string | null
    HashKeyRange: { StartingHashKey: string; EndingHashKey: string }
    SequenceNumberRange: { EndingSequenceNumber?: string | null }
  }[]
  NextToken?: string | null
}

/** Reads all shards of a stream, children only after their parents are resolved. Starts at once. */
export class StreamReader {
  #options: StreamReaderOptions
  #deps: { kinesis: LocalService; clock: Clock; random: Random }
  #statuses = new Map<string, ShardStatus>()
  #readers = new Map<string, ShardFollower>()
  #hashKeys = new Map<string, HashKeyRange>()
  #runs = new Set<Promise<void>>()
  #stop = new AbortController()
  #drainFromMs: number | undefined
  /** Discoveries follow one another: two at once could both start a shard. */
  #discovered: Promise<void>

  constructor(options: StreamReaderOptions, deps: { kinesis: LocalService; clock: Clock; random: Random }) {
    this.#options = options
    this.#deps = deps
    this.#discovered = this.#discover()
  }

  /** Every shard met, and how far behind its last read was. */
  shards(): { shardId: string; status: ShardStatus; millisBehindLatest: number | undefined }[] {
    return [...this.#statuses].map(([shardId, status]) => ({
      shardId,
      status,
      millisBehindLatest: this.#readers.get(shardId)?.millisBehindLatest,
    }))
  }

  /** Resolves when everything that is in the stream now is resolved; nothing is read after that. Rejects where there is no stream. */
  async drain(): Promise<void> {
    this.#drainFromMs ??= this.#deps.clock.now()
    for (const reader of this.#readers.values()) reader.drain(this.#drainFromMs)
    do {
      // A shard that was closed meanwhile has children to be read as well.
      await Promise.all(this.#runs)
      await this.#discoverNext()
    } while (this.#runs.size > 0)
  }

  /** Reads no more; consumers that wait for their last records are left alone. */
  stop(): void {
    this.#stop.abort()
    for (const reader of this.#readers.values()) reader.stop()
  }

  #discoverNext(): Promise<void> {
    this.#discovered = this.#discovered.then(() => this.#discover())
    return this.#discovered
  }

  async #discover(): Promise<void> {
    for (let attempt = 1; !this.#stop.signal.aborted; attempt += 1) {
      try {
        return this.#startFrom(await this.#listShards())
      } catch (error) {
        if (this.#drainFromMs !== undefined && isMissing(error)) throw error
        this.#options.onError(error instanceof Error ? error : new Error(String(error)))
        const delayMs = backoffDelayMs(attempt, RETRY_BACKOFF, this.#deps.random)
        await sleep(this.#deps.clock, delayMs, this.#stop.signal)
      }
    }
  }

  #startFrom(listed: ListedShard[]): void {
    if (this.#stop.signal.aborted) return
    const { startingPosition } = this.#options
    const plan = planShards(
      listed,
      this.#statuses,
      typeof startingPosition === 'object' ? 'AT_TIMESTAMP' : startingPosition,
    )
    for (const shardId of plan.skip) this.#statuses.set(shardId, 'done')
    for (const { shardId, position } of plan.start) {
      const afterSequenceNumber = this.#options.resumeAfter?.get(shardId)
      if (afterSequenceNumber !== undefined) this.#startShard(shardId, { afterSequenceNumber })
      else this.#startShard(shardId, position === 'AT_TIMESTAMP' ? startingPosition : position)
    }
  }

  #startShard(shardId: string, position: ReadingPosition): void {
    const { streamName, pollIntervalMs, consumerArn, onError } = this.#options
    const consumer = this.#options.open(shardId, () => reader.resume(), this.#hashKeys.get(shardId)!)
    const options = { streamName, shardId, position, pollIntervalMs, consumer, onError }
    const reader: ShardFollower =
      consumerArn === undefined
        ? new ShardReader(options, this.#deps)
        : new ShardSubscriber({ ...options, consumerArn }, this.#deps)
    this.#statuses.set(shardId, 'reading')
    this.#readers.set(shardId, reader)
    if (this.#drainFromMs !== undefined) reader.drain(this.#drainFromMs)
    const run = reader.run().then(() => {
      this.#statuses.set(shardId, 'done')
      this.#runs.delete(run)
      // Where it fails, the next discovery does.
      if (!this.#stop.signal.aborted) this.#discoverNext().catch(() => {})
    })
    // A run that failed stays, so that a drain fails with it instead of passing its records over.
    run.catch(onError)
    this.#runs.add(run)
  }

  async #listShards(): Promise<ListedShard[]> {
    const listed: ListedShard[] = []
    const { streamName, startingPosition } = this.#options
    let page: Record<string, unknown> = { StreamName: streamName }
    if (typeof startingPosition === 'object') {
      // Shards that were closed before that time have nothing to read, and which those are, only the service can say.
      page.ShardFilter = { Type: 'FROM_TIMESTAMP', Timestamp: startingPosition.atTimestampMs / 1_000 }
    }
    for (;;) {
      const output = (await this.#deps.kinesis.call('ListShards', page)) as ListShardsOutput
      for (const shard of output.Shards) {
        const { StartingHashKey, EndingHashKey } = shard.HashKeyRange
        this.#hashKeys.set(shard.ShardId, {
          startingHashKey: BigInt(StartingHashKey),
          endingHashKey: BigInt(EndingHashKey),
        })
        listed.push({
          shardId: shard.ShardId,
          parentShardId: shard.ParentShardId ?? undefined,
          adjacentParentShardId: shard.AdjacentParentShardId ?? undefined,
          isClosed: (shard.SequenceNumberRange.EndingSequenceNumber ?? undefined) !== undefined,
        })
      }
      if (output.NextToken === undefined || output.NextToken === null) return listed
      page = { NextToken: output.NextToken }
    }
  }
}
