import { randomUUID } from 'node:crypto'
import { type Clock, type HashKeyRange, kinesisQuotas, type Random } from '@org/kinesis-core'
import {
  type DataRecord,
  type DiscardEffect,
  deaggregate,
  failureDocument,
  type InvocationOutcome,
  type InvokeEffect,
  kinesisEventBuilder,
  type MappingEffect,
  ShardMapping,
} from '@org/kinesis-core/event-source-mapping'
import { type Deferred, deferred } from '../function/deferred.js'
import type { HostDependencies } from '../function/host-dependencies.js'
import type { InvocationResult } from '../function/invocation-result.js'
import { deliverDiscard } from './deliver-discard.js'
import type { FailureDestination } from './failure-destination.js'
import type { ResolvedEventSourceMappingOptions } from './mapping-options.js'
import type { MappingTally } from './mapping-tally.js'
import type { ShardConsumer, StreamRecord } from './shard-reader.js'

export interface MappedShardContext {
  shardId: string
  hashKeys: HashKeyRange
  streamArn: string
  options: ResolvedEventSourceMappingOptions
  deps: HostDependencies
  random: Random
  tally: MappingTally
  failureDestination: FailureDestination | undefined
  /** Aborted when the mapping is closed: nothing is started after that. */
  signal: AbortSignal
  resume: () => void
  onError: (error: Error) => void
}

/**
 * Read ahead of the function, so that it need not wait for a poll, of which a shard allows five a second: a page, or two rounds of
 * batches. And no more, so that a slow function does not fill the memory.
 */
const READ_AHEAD_BATCHES = 2
const MIN_READ_AHEAD_RECORDS = kinesisQuotas.maxGetRecords
const READ_AHEAD_BYTES = 16 * 1024 * 1024
/** A batch that is stuck holds what parallel batches resolved behind it; then they wait for it, too. */
const MAX_HELD_BYTES = 4 * READ_AHEAD_BYTES
const HOUR_MS = 3_600_000

/** Drives the state machine of one shard: carries its effects out, and tells it what came of them. */
export class MappedShard implements ShardConsumer {
  #context: MappedShardContext
  #clock: Clock
  #machine: ShardMapping<DataRecord>
  #events: ReturnType<typeof kinesisEventBuilder>
  #cancelWake = () => {}
  #finished: Deferred<void> = deferred()
  #readAheadRecords: number

  constructor(context: MappedShardContext) {
    const { shardId, streamArn, deps, options, signal } = context
    this.#context = context
    this.#clock = deps.clock
    this.#machine = new ShardMapping(options.settings, context.random)
    this.#events = kinesisEventBuilder({ shardId, streamArn, region: deps.region })
    const { batchSize, parallelizationFactor } = options.settings
    this.#readAheadRecords = Math.max(
      READ_AHEAD_BATCHES * batchSize * parallelizationFactor,
      MIN_READ_AHEAD_RECORDS,
    )
    signal.addEventListener('abort', () => this.#cancelWake(), { once: true })
  }

  get checkpoint(): string | undefined {
    return this.#machine.checkpoint
  }

  get expiredRecords(): number {
    return this.#machine.expiredRecords
  }

  get unresolvedRecords(): number {
    return this.#machine.unresolvedRecords
  }

  /** Age of the oldest record that is not resolved, in milliseconds; 0 where there is none. */
  get iteratorAgeMs(): number {
    const oldest = this.#machine.oldestUnresolved
    return oldest === undefined ? 0 : Math.max(0, this.#clock.now() - oldest.arrivalMs)
  }

  room(): number {
    if (this.#machine.unresolvedBytes >= READ_AHEAD_BYTES || this.#machine.heldBytes >= MAX_HELD_BYTES)
      return 0
    return Math.max(0, this.#readAheadRecords - this.#machine.unresolvedRecords)
  }

  take(records: StreamRecord[]): void {
    const { options, hashKeys, tally } = this.#context
    const units =
      options.consumerArn === undefined
        ? [{ members: records, strays: 0 }]
        : records.map((record) => deaggregate(record, hashKeys))
    const offered = units
      .flatMap(({ members }) => members)
      .map((record) => ({ ...record, payloadBytes: this.#events.payloadBytes(record) }))
    const strays = units.reduce((sum, unit) => sum + unit.strays, 0)
    const filteredBefore = this.#machine.filteredRecords
    const effects = this.#machine.offer(offered, this.#clock.now())
    tally.read(offered.length + strays, { strays, filtered: this.#machine.filteredRecords - filteredBefore })
    this.#perform(effects)
  }

  caughtUp(upToMs: number): void {
    this.#perform(this.#machine.caughtUp(upToMs, this.#clock.now()))
  }

  end(): Promise<void> {
    this.#perform(this.#machine.end(this.#clock.now()))
    return this.#finished.promise
  }

  #perform(effects: MappingEffect<DataRecord>[]): void {
    const { signal } = this.#context
    if (signal.aborted) return
    this.#cancelWake()
    for (const effect of effects) {
      if (effect.kind === 'invoke') void this.#invoke(effect)
      else if (effect.kind === 'discard') void this.#discard(effect)
      else if (effect.kind === 'wake') {
        this.#cancelWake = this.#clock.schedule(Math.max(0, effect.atMs - this.#clock.now()), () =>
          this.#perform(this.#machine.tick(this.#clock.now())),
        )
      }
    }
    if (this.#machine.isFinished) this.#finished.resolve()
    this.#context.resume()
  }

  async #invoke({ id, batch }: InvokeEffect<DataRecord>): Promise<void> {
    const { tally, options, signal, onError } = this.#context
    const { records } = batch
    tally.invoking(records.length)
    const result = await options.function.invoke(this.#events.event(batch))
    if (!result.ok) {
      tally.failed(records.length)
      onError(Object.assign(new Error(result.errorMessage), { name: result.errorType }))
    }
    const last = records.at(-1)
    if (last !== undefined) tally.iteratorAge(last.arrivalMs)
    if (!result.ok) await this.#noticeRetention()
    if (signal.aborted) return
    this.#perform(this.#machine.settle(id, outcomeOf(result), this.#clock.now()))
  }

  /** A failed record that may have expired from the stream: how long that keeps records can change, so it is asked. */
  async #noticeRetention(): Promise<void> {
    if (this.iteratorAgeMs < kinesisQuotas.minRetentionHours * HOUR_MS) return
    const { deps, options, onError } = this.#context
    try {
      const { StreamDescriptionSummary } = (await deps.kinesis.call('DescribeStreamSummary', {
        StreamName: options.streamName,
      })) as { StreamDescriptionSummary: { RetentionPeriodHours: number } }
      const retentionMs = StreamDescriptionSummary.RetentionPeriodHours * HOUR_MS
      this.#perform(this.#machine.retainedFor(retentionMs, this.#clock.now()))
    } catch (error) {
      onError(error instanceof Error ? error : new Error(String(error)))
    }
  }

  async #discard(discard: DiscardEffect<DataRecord>): Promise<void> {
    const { tally, failureDestination, signal } = this.#context
    const delivered = failureDestination !== undefined && (await this.#deliver(failureDestination, discard))
    if (signal.aborted) return
    tally.discarded(discard.batch.records.length, { delivered })
    this.#perform(this.#machine.discarded(discard.id, this.#clock.now()))
  }

  #deliver(destination: FailureDestination, discard: DiscardEffect<DataRecord>): Promise<boolean> {
    const { shardId, streamArn, options, onError, tally } = this.#context
    const document = failureDocument(discard, {
      requestId: randomUUID(),
      functionArn: options.function.arn,
      streamArn,
      shardId,
      nowMs: this.#clock.now(),
      ...(destination.keepsRecords ? { payload: JSON.stringify(this.#events.event(discard.batch)) } : {}),
    })
    return deliverDiscard(document, {
      ...this.#context,
      destination,
      failedDelivery: options.failedDelivery,
      clock: this.#clock,
      onFailed: (error) => {
        tally.deliveryFailed()
        onError(error)
      },
    })
  }
}

function outcomeOf(result: InvocationResult): InvocationOutcome {
  if (result.ok) return { ok: true, payload: result.payload }
  // Refused before they reach the function; a response that is too large comes from it.
  const invoked = result.kind !== 'throttled' && result.errorType !== 'RequestTooLargeException'
  return { ok: false, invoked }
}
