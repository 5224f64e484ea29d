import { type Clock, kinesisQuotas } from '@org/kinesis-core'
import { notify, type ProducerHooks } from './producer-hooks.js'
import {
  type PutRecordsTransport,
  type StreamDescription,
  type StreamIdentity,
  TransportFault,
} from './put-records-transport.js'
import { RefreshSchedule } from './refresh-schedule.js'
import { ShardMap } from './shard-map.js'
import type { TimedRequests } from './timed-requests.js'

/** A call that takes longer counts as failed: at the start, records wait for it. */
const TIMEOUT_MS = 5_000

export interface StreamWatchOptions {
  stream: StreamIdentity
  transport: PutRecordsTransport
  requestTimeoutMs: number
  clock: Clock
  hooks: ProducerHooks
  aggregation: { keyBuckets: number } | undefined
}

/** Learns of the stream what sending to it needs: its shards and, where that matters, its limit of a record and whether it takes aggregates. */
export class StreamWatch {
  map: ShardMap | undefined
  /** Of one record; undefined until it has been asked for. */
  maxRecordBytes: number | undefined
  /** True once it is certain that the stream takes aggregates. */
  takesAggregates = false
  readonly #options: StreamWatchOptions
  readonly #requests: TimedRequests
  readonly #onLearnt: (what: 'shards' | 'same-shards' | 'stream' | 'nothing') => void
  readonly #listing = new RefreshSchedule(true)
  readonly #describing: RefreshSchedule
  #listed = false
  #described: boolean
  #saidUnpaced = false
  #saidUnaggregated = false
  #closed = false
  #settledWaiters: (() => void)[] = []

  /** @param onLearnt called after every answer, also after one that says nothing (new) */
  constructor(
    options: StreamWatchOptions,
    requests: TimedRequests,
    onLearnt: (what: 'shards' | 'same-shards' | 'stream' | 'nothing') => void,
  ) {
    this.#options = options
    this.#requests = requests
    this.#onLearnt = onLearnt
    const asks = options.aggregation !== undefined
    this.#describing = new RefreshSchedule(asks)
    this.#described = !asks
  }

  /** False until the first answers are in, or will not come: until then nothing can be paced or aggregated. */
  get isSettled(): boolean {
    return this.#listed && this.#described
  }

  /** Asks at once, and resolves when `isSettled`. */
  whenSettled(nowMs: number): Promise<void> {
    this.look(nowMs)
    return new Promise((resolve) => {
      this.#settledWaiters.push(resolve)
      this.#releaseWaiters()
    })
  }

  /** When to look again; Infinity while there is no reason to. */
  get dueAtMs(): number {
    return Math.min(this.#listing.dueAtMs, this.#describing.dueAtMs)
  }

  /** Records landed where the map does not say. */
  noteEvidence(): void {
    this.#listing.want()
  }

  /** Asks what is due. With `needsRecordLimit`, a record depends on the stream's limit. */
  look(nowMs: number, needsRecordLimit = false): void {
    if (needsRecordLimit && this.maxRecordBytes === undefined) this.#describing.want()
    if (this.#listing.isDue(nowMs)) void this.#listShards()
    if (this.#describing.isDue(nowMs)) void this.#describe()
  }

  close(): void {
    this.#closed = true
  }

  async #listShards(): Promise<void> {
    const { transport, stream, clock, aggregation } = this.#options
    this.#listing.started()
    let what: 'shards' | 'same-shards' | 'nothing' = 'nothing'
    try {
      const shards = await this.#ask((signal) => transport.listShards(stream, signal))
      const map = new ShardMap(shards, aggregation?.keyBuckets)
      const isNew = this.map === undefined || !this.map.equals(map)
      if (isNew) this.map = map
      what = isNew ? 'shards' : 'same-shards'
      this.#listing.succeeded(isNew, clock.now())
    } catch (error) {
      this.#listing.failed(clock.now())
      this.#sayUnpaced(asError(error))
    }
    this.#listed = true
    this.#releaseWaiters()
    this.#onLearnt(what)
  }

  async #describe(): Promise<void> {
    const { transport, stream, clock } = this.#options
    this.#describing.started()
    try {
      const description = await this.#ask(
        async (signal) => transport.describeStream?.(stream, signal),
        // Nothing is what a transport without the method says.
        (value) => value === undefined || (typeof value === 'object' && value !== null),
      )
      this.#describing.succeeded(true, clock.now())
      this.#use(description)
    } catch (error) {
      // Who is denied the call now will be denied it again.
      if (error instanceof TransportFault && error.kind === 'rejected') this.#use(undefined, error)
      else {
        this.#describing.failed(clock.now())
        this.#sayUnaggregated('unknown', asError(error))
      }
    }
    this.#described = true
    this.#releaseWaiters()
    this.#onLearnt(this.maxRecordBytes === undefined ? 'nothing' : 'stream')
  }

  #use(description: StreamDescription | undefined, cause?: Error): void {
    this.maxRecordBytes = description?.maxRecordBytes ?? kinesisQuotas.defaultMaxRecordBytes
    this.takesAggregates = description?.recordDistribution === 'keyed'
    if (this.takesAggregates) return
    this.#sayUnaggregated(description?.recordDistribution === 'auto' ? 'auto-distribution' : 'unknown', cause)
  }

  #ask<T>(request: (signal: AbortSignal) => Promise<T>, isAnswer?: (value: unknown) => boolean): Promise<T> {
    return this.#requests.run(request, Math.min(this.#options.requestTimeoutMs, TIMEOUT_MS), isAnswer)
  }

  #releaseWaiters(): void {
    if (!this.isSettled) return
    for (const resolve of this.#settledWaiters.splice(0)) resolve()
  }

  #sayUnpaced(cause: Error): void {
    // With a map, an old one still paces; and who closes aborts the listing on purpose.
    if (this.map !== undefined || this.#saidUnpaced || this.#closed) return
    this.#saidUnpaced = true
    notify(this.#options.hooks.onPacingUnavailable, { cause })
  }

  #sayUnaggregated(reason: 'auto-distribution' | 'unknown', cause?: Error): void {
    if (this.#options.aggregation === undefined || this.#saidUnaggregated || this.#closed) return
    this.#saidUnaggregated = true
    notify(this.#options.hooks.onAggregationUnavailable, {
      reason,
      ...(cause === undefined ? {} : { cause }),
    })
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
