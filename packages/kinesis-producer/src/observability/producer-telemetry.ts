import type { Channel } from 'node:diagnostics_channel'
import type { Batch, BatchOutcome } from '../batch.js'
import type { DeliveryEvents } from '../delivery-outcomes.js'
import { type EntryMember, membersOf } from '../entry-members.js'
import type { KinesisProducer } from '../kinesis-producer.js'
import type { PendingEntry } from '../pending-entry.js'
import type { ProducerError } from '../producer-errors.js'
import { notify, type ProducerHooks } from '../producer-hooks.js'
import type { UndeliveredRecord } from '../producer-report.js'
import type { StreamIdentity, TransportFault } from '../put-records-transport.js'
import type { ShardMap } from '../shard-map.js'
import type { SpoolDamage } from '../spool/spool-damage.js'
import { channels } from './diagnostics-channels.js'
import { MetricsRecorder } from './metrics-recorder.js'
import { OperatorLog, type ProducerLog } from './producer-log.js'
import type { ProducerMetrics } from './producer-metrics.js'

export interface ProducerTelemetryOptions {
  stream: StreamIdentity
  hooks: ProducerHooks
  log: ProducerLog | undefined
}

/** Tells everyone who listens what happens in a producer: its hooks, the process's diagnostics channels, the log and the metrics. */
export class ProducerTelemetry implements Omit<DeliveryEvents, 'spooledSettled'> {
  failedRequests = 0
  /** For the watch of the stream: what it finds missing goes to the log and the channels as well. */
  readonly watchHooks: Pick<ProducerHooks, 'onPacingUnavailable' | 'onAggregationUnavailable'>
  readonly #hooks: ProducerHooks
  readonly #origin: { producer: KinesisProducer; streamName: string }
  readonly #metrics = new MetricsRecorder()
  readonly #log: OperatorLog | undefined
  #undelivered: UndeliveredRecord[] | undefined
  #requests = 0
  readonly #requestNumbers = new WeakMap<Batch, number>()

  constructor(producer: KinesisProducer, { stream, hooks, log }: ProducerTelemetryOptions) {
    const streamName = nameOf(stream)
    this.#origin = { producer, streamName }
    this.#hooks = hooks
    this.#log = log === undefined ? undefined : new OperatorLog(log, streamName)
    this.watchHooks = {
      onPacingUnavailable: (event) => {
        this.#log?.pacingUnavailable(event.cause)
        this.#tell(channels.pacingUnavailable, hooks.onPacingUnavailable, event)
      },
      onAggregationUnavailable: (event) => {
        this.#log?.aggregationUnavailable(event)
        this.#tell(channels.aggregationUnavailable, hooks.onAggregationUnavailable, event)
      },
    }
  }

  batchSent(batch: Batch, inFlightRequests: number): void {
    const request = ++this.#requests
    this.#requestNumbers.set(batch, request)
    const event = { request, ...sizeOf(batch), inFlightRequests }
    this.#tell(channels.batchSent, this.#hooks.onBatchSent, event)
  }

  batchSettled(batch: Batch, outcome: BatchOutcome, nowMs: number): void {
    if (outcome.fault !== undefined) this.failedRequests++
    const size = sizeOf(batch)
    const durationMs = nowMs - batch.sentAtMs
    this.#metrics.requestEnded({ ...size, durationMs })
    const { misplaced: _, ...fate } = outcome
    const event = { request: this.#requestNumbers.get(batch)!, ...size, durationMs, ...fate }
    this.#tell(channels.batchSettled, this.#hooks.onBatchSettled, event)
  }

  delivered(entry: PendingEntry, shardId: string): void {
    this.#metrics.delivered(entry, shardId)
  }

  attemptFailed(entry: PendingEntry, fault: TransportFault): void {
    this.#metrics.attemptFailed(entry, fault)
    this.#log?.attemptFailed(entry.count, fault, entry.lane?.shardId)
  }

  retrying(entry: PendingEntry, fault: TransportFault, delayMs: number): void {
    this.#metrics.retrying(entry)
    const { partitionKey, count: records, attempts } = entry
    const event = { partitionKey, records, attempts, delayMs, fault }
    this.#tell(channels.recordRetried, this.#hooks.onRecordRetried, event)
  }

  failed(entry: PendingEntry, error: ProducerError): void {
    this.#metrics.failed(entry)
    this.#log?.failed(entry.count, error)
    const isWatched = this.#hooks.onRecordFailed !== undefined || channels.recordFailed.hasSubscribers
    if (!isWatched && this.#undelivered === undefined) return
    for (const member of membersOf(entry)) this.recordFailed(member, error)
  }

  /** Of an entry, or of one that never came to be. */
  recordFailed({ partitionKey, explicitHashKey, data }: EntryMember, error: ProducerError): void {
    const member = { partitionKey, ...(explicitHashKey === undefined ? {} : { explicitHashKey }), data }
    this.#undelivered?.push({ ...member, error })
    this.#tell(channels.recordFailed, this.#hooks.onRecordFailed, { partitionKey, data, error })
  }

  /** Every record that fails from now on is added to what this returns. */
  collectUndelivered(): UndeliveredRecord[] {
    this.#undelivered ??= []
    return this.#undelivered
  }

  /** False where neither a hook nor the log has it: somebody should. */
  spoolDamaged(damage: SpoolDamage): boolean {
    this.#log?.spoolDamaged(damage)
    this.#tell(channels.spoolDamage, this.#hooks.onSpoolDamage, damage)
    return this.#log !== undefined || this.#hooks.onSpoolDamage !== undefined
  }

  spoolFailed(error: ProducerError): void {
    this.#log?.spoolFailed(error)
    this.#tell(channels.spoolFailed, this.#hooks.onSpoolFailed, { error })
  }

  useShardMap(map: ShardMap, nowMs: number): void {
    this.#metrics.useShardMap(map, nowMs)
    this.#log?.useShardMap(map)
  }

  /** Logs what has been counted since it last did, where enough time has passed, or where nothing comes after this. */
  report(nowMs: number, isLast = false): void {
    this.#log?.report(nowMs, isLast)
  }

  metrics(records: { put: number; pending: number }, nowMs: number): ProducerMetrics {
    return this.#metrics.snapshot(this.#origin.streamName, records, nowMs)
  }

  #tell<Event extends object>(channel: Channel, hook: ((event: Event) => void) | undefined, event: Event) {
    if (channel.hasSubscribers) channel.publish({ ...event, ...this.#origin })
    notify(hook, event)
  }
}

function sizeOf({ entries, records, sizeBytes }: Batch) {
  return { records, entries: entries.length, sizeBytes }
}

function nameOf(stream: StreamIdentity): string {
  return 'streamName' in stream
    ? stream.streamName
    : stream.streamArn.slice(stream.streamArn.indexOf('/') + 1)
}
