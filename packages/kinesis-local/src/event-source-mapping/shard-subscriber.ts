import { backoffDelayMs, type Clock, type Random, sleep } from '@org/kinesis-core'
import type { EventStreamResult, LocalService } from '../service.js'
import {
  hasShardExpired,
  isMissing,
  type ReadingPosition,
  type RecordOutput,
  type ShardFollower,
  ShardReader,
  type ShardReaderOptions,
  streamRecord,
} from './shard-reader.js'

export interface ShardSubscriberOptions extends ShardReaderOptions {
  consumerArn: string
}

/** A refused subscription may come again after five seconds (API reference, SubscribeToShard). */
const RETRY_BACKOFF = { baseMs: 250, maxMs: 5_000 }

interface SubscribeToShardEvent {
  Records: RecordOutput[]
  ContinuationSequenceNumber?: string
  MillisBehindLatest: number
}

/**
 * Follows one shard by enhanced fan-out: records are pushed, the next event is asked for when there is room for it, and after the five minutes
 * that a subscription lasts the next one goes on where it stopped.
 */
export class ShardSubscriber implements ShardFollower {
  #options: ShardSubscriberOptions
  #deps: { kinesis: LocalService; clock: Clock; random: Random }
  #position: ReadingPosition
  /** Aborted when the shard is read no more, or no more by subscription. */
  #unsubscribe = new AbortController()
  #stopped = false
  #drainFromMs = 0
  #hasRoom = () => {}
  /** Reads what a drain must still see, which does not wait to be pushed. */
  #rest: ShardReader | undefined
  #millisBehindLatest: number | undefined

  constructor(
    options: ShardSubscriberOptions,
    deps: { kinesis: LocalService; clock: Clock; random: Random },
  ) {
    this.#options = options
    this.#deps = deps
    this.#position = options.position
  }

  get millisBehindLatest(): number | undefined {
    return this.#rest?.millisBehindLatest ?? this.#millisBehindLatest
  }

  async run(): Promise<void> {
    const { consumer, onError } = this.#options
    const { signal } = this.#unsubscribe
    for (let failures = 0; !signal.aborted; ) {
      try {
        for await (const hasEnded of this.#subscription()) {
          failures = 0
          if (hasEnded) return consumer.end()
        }
      } catch (error) {
        if (signal.aborted) break
        if (isMissing(error) && (await hasShardExpired(this.#deps.kinesis, this.#options)))
          return consumer.end()
        failures += 1
        onError(error instanceof Error ? error : new Error(String(error)))
        const delayMs = backoffDelayMs(failures, RETRY_BACKOFF, this.#deps.random)
        await sleep(this.#deps.clock, delayMs, signal)
      }
    }
    if (this.#stopped) return
    this.#rest = new ShardReader({ ...this.#options, position: this.#position }, this.#deps)
    this.#rest.drain(this.#drainFromMs)
    return this.#rest.run()
  }

  resume(): void {
    if (this.#options.consumer.room() > 0) this.#hasRoom()
    this.#rest?.resume()
  }

  drain(fromMs: number): void {
    this.#drainFromMs = fromMs
    this.#unsubscribe.abort()
    this.#rest?.drain(fromMs)
  }

  stop(): void {
    this.#stopped = true
    this.#unsubscribe.abort()
    this.#rest?.stop()
  }

  /** One subscription, event by event: whether the shard ended with it. */
  async *#subscription(): AsyncGenerator<boolean> {
    const { consumerArn, shardId, consumer } = this.#options
    const { kinesis, clock } = this.#deps
    const { signal } = this.#unsubscribe
    const subscribedAtMs = clock.now()
    const { EventStream } = (await kinesis.call('SubscribeToShard', {
      ConsumerARN: consumerArn,
      ShardId: shardId,
      StartingPosition: startingPosition(this.#position),
    })) as EventStreamResult
    // LATEST a second time would skip what came since the first, of which no event may have told.
    if (this.#position === 'LATEST') this.#position = { atTimestampMs: subscribedAtMs }
    const events = EventStream[Symbol.asyncIterator]()
    const end = () => {
      void events.return?.()
      this.#hasRoom()
    }
    signal.addEventListener('abort', end, { once: true })
    try {
      while (!signal.aborted) {
        if (consumer.room() <= 0) {
          await new Promise<void>((resolve) => {
            this.#hasRoom = resolve
          })
          continue
        }
        const askedAtMs = clock.now()
        const next = await events.next()
        if (next.done) return
        const event = next.value.SubscribeToShardEvent as SubscribeToShardEvent
        yield this.#take(event, askedAtMs)
      }
    } finally {
      signal.removeEventListener('abort', end)
      void events.return?.()
    }
  }

  /** Hands the records on; true where they are the last of the shard. */
  #take(event: SubscribeToShardEvent, askedAtMs: number): boolean {
    const { consumer } = this.#options
    const { Records, ContinuationSequenceNumber, MillisBehindLatest } = event
    this.#millisBehindLatest = MillisBehindLatest
    if (Records.length > 0) consumer.take(Records.map(streamRecord))
    if (ContinuationSequenceNumber === undefined) return true
    this.#position = { afterSequenceNumber: ContinuationSequenceNumber }
    if (MillisBehindLatest === 0) consumer.caughtUp(askedAtMs)
    return false
  }
}

function startingPosition(position: ReadingPosition): Record<string, unknown> {
  if (typeof position === 'string') return { Type: position }
  return 'atTimestampMs' in position
    ? { Type: 'AT_TIMESTAMP', Timestamp: position.atTimestampMs / 1_000 }
    : { Type: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: position.afterSequenceNumber }
}
