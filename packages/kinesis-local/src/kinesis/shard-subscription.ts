import { type Clock, kinesisQuotas } from '@org/kinesis-core'
import type { ServiceError } from '../service.js'
import { describeChild } from './describe-stream.js'
import type { KinesisContext } from './kinesis-context.js'
import { describeRecord, millisBehindLatest, type RecordShape } from './read-records.js'
import { sequenceNumber } from './sequence-number.js'
import type { Shard } from './shard.js'
import type { BlobForm, ReadPage } from './shard-log.js'
import type { Stream } from './stream.js'
import type { StreamConsumer } from './stream-consumer.js'
import { TokenBucket } from './token-bucket.js'

/** One push of a subscription, as the API has it. */
export interface SubscribeToShardEvent {
  Records: RecordShape[]
  /** Where the next subscription goes on with AFTER_SEQUENCE_NUMBER. The event that ends a shard has none. */
  ContinuationSequenceNumber?: string
  MillisBehindLatest: number
  /** In the last event of a closed shard. */
  ChildShards?: ReturnType<typeof describeChild>[]
}

/** Half of what a consumer may read in a second, so that events come evenly; one record always fits. */
const MAX_EVENT_BYTES = kinesisQuotas.consumerReadBytesPerSecond / 2

/** An idle subscription says this often that it is alive. The service documents no figure. */
const KEEP_ALIVE_MS = 5_000

/**
 * What one consumer is pushed from one shard, for five minutes. It reads the log when its events are asked for: nothing is kept for
 * a consumer that is slow, and nothing runs for one that does not ask.
 */
export class ShardSubscription implements AsyncIterable<SubscribeToShardEvent> {
  readonly startedAtMs: number
  readonly #clock: Clock
  readonly #bucket: TokenBucket
  #ended: { error?: ServiceError } | undefined
  #wake: () => void = () => {}

  constructor(
    private readonly context: KinesisContext,
    private readonly stream: Stream,
    private readonly shard: Shard,
    private readonly consumer: StreamConsumer,
    private position: number,
    private readonly form: BlobForm,
  ) {
    this.#clock = context.clock
    this.startedAtMs = context.clock.now()
    const perSecond = kinesisQuotas.consumerReadBytesPerSecond
    this.#bucket = new TokenBucket(perSecond, perSecond, this.startedAtMs)
  }

  /** The reader hears the error, where there is one, or that there is no more. */
  end(error?: ServiceError): void {
    this.#ended ??= error === undefined ? {} : { error }
    this.#wake()
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<SubscribeToShardEvent> {
    const events = this.#events()
    return {
      next: () => events.next(),
      // A generator that waits does not hear that its reader has gone.
      return: () => {
        this.end()
        return events.return(undefined)
      },
      [Symbol.asyncIterator]() {
        return this
      },
    }
  }

  async *#events(): AsyncGenerator<SubscribeToShardEvent, undefined, undefined> {
    const untilMs = this.startedAtMs + kinesisQuotas.shardSubscriptionMs
    // The first event comes at once, and tells where the subscription stands.
    let dueMs = this.startedAtMs
    for (let nowMs = this.#clock.now(); nowMs < untilMs; nowMs = this.#clock.now()) {
      if (this.#ended?.error !== undefined) throw this.#ended.error
      if (this.#ended !== undefined) return
      const paceMs = this.shard.limited ? this.#bucket.waitMs(1, nowMs) : 0
      if (paceMs > 0) {
        await this.#pause(Math.min(paceMs, untilMs - nowMs), false)
        continue
      }
      const page = this.#read(nowMs)
      const isEnd = page.next === undefined && !this.shard.isOpen
      if (page.records.length === 0 && !isEnd && nowMs < dueMs) {
        await this.#pause(Math.min(dueMs, untilMs) - nowMs, true)
        continue
      }
      dueMs = nowMs + KEEP_ALIVE_MS
      yield this.#event(page, isEnd, nowMs)
      if (isEnd) return
    }
  }

  #read(nowMs: number): ReadPage {
    const { context, stream, shard } = this
    context.retention.trimExpired(stream, shard, nowMs)
    return shard.log.read(this.position, kinesisQuotas.maxGetRecords, MAX_EVENT_BYTES, this.form)
  }

  #event(page: ReadPage, isEnd: boolean, nowMs: number): SubscribeToShardEvent {
    const { context, stream, shard, consumer } = this
    this.#bucket.take(page.bytes)
    const last = page.records.at(-1)
    if (last !== undefined) this.position = last.counter + 1
    const behindMs = millisBehindLatest(page, nowMs)
    context.metrics.consumerRead(stream, consumer.name, page.records.length, page.bytes, behindMs, nowMs)
    return {
      Records: page.records.map((record) => describeRecord(stream, shard, record)),
      MillisBehindLatest: behindMs,
      ...(isEnd
        ? { ChildShards: shard.childShardIds.map((id) => describeChild(stream.shard(id)!)) }
        : { ContinuationSequenceNumber: this.#continuation() }),
    }
  }

  /** Between what was pushed and what comes next; in a shard that was not read from, where it begins. */
  #continuation(): string {
    return sequenceNumber(this.shard.prefix, Math.max(this.position - 1, this.shard.startCounter))
  }

  /** Waits for time to pass, for the end, and where asked for a change of the shard. */
  #pause(forMs: number, orChange: boolean): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.schedule(forMs, () => this.#wake())
      const unwatch = orChange ? this.shard.watch(() => this.#wake()) : () => {}
      this.#wake = () => {
        this.#wake = () => {}
        cancel()
        unwatch()
        resolve()
      }
    })
  }
}
