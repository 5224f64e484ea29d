import type { PendingEntry } from '../pending-entry.js'
import type { TransportFault } from '../put-records-transport.js'
import type { ShardMap } from '../shard-map.js'
import { DeliveryCounters } from './delivery-counters.js'
import { Histogram } from './histogram.js'
import type { ProducerMetrics } from './producer-metrics.js'

/** What a shard that has closed counted is kept for so long after its last record, then it counts for the stream alone. */
const CLOSED_SHARD_KEPT_MS = 10 * 60_000
/** More shards than streams have; a transport that makes up ids must not use up memory. */
const MAX_SHARDS = 20_000

/** Counts what becomes of entries and requests, by shard; the totals of the stream are summed up when somebody asks. */
export class MetricsRecorder {
  readonly #shards = new Map<string, DeliveryCounters>()
  /** Of no known shard, or of one that is not kept any more. */
  readonly #rest = new DeliveryCounters()
  readonly #requestTime = new Histogram()
  readonly #entriesPerRequest = new Histogram()
  readonly #recordsPerRequest = new Histogram()
  #map: ShardMap | undefined

  requestEnded(request: { entries: number; records: number; durationMs: number }): void {
    this.#requestTime.add(request.durationMs)
    this.#entriesPerRequest.add(request.entries)
    this.#recordsPerRequest.add(request.records)
  }

  delivered(entry: PendingEntry, shardId: string): void {
    this.#of(shardId).delivered(entry)
  }

  attemptFailed(entry: PendingEntry, fault: TransportFault): void {
    this.#of(entry.lane?.shardId).attemptFailed(entry, fault)
  }

  retrying(entry: PendingEntry): void {
    this.#of(entry.lane?.shardId).retrying(entry)
  }

  failed(entry: PendingEntry): void {
    this.#of(entry.lane?.shardId).failed(entry)
  }

  useShardMap(map: ShardMap, nowMs: number): void {
    this.#map = map
    this.#dropClosed(nowMs)
  }

  snapshot(
    streamName: string,
    { put, pending }: { put: number; pending: number },
    nowMs: number,
  ): ProducerMetrics {
    this.#dropClosed(nowMs)
    const total = new DeliveryCounters()
    total.merge(this.#rest)
    for (const shard of this.#shards.values()) total.merge(shard)
    return {
      streamName,
      stream: {
        UserRecordsReceived: put,
        UserRecordsPending: pending,
        ...total.snapshot(),
        RequestTime: this.#requestTime.distribution(),
        KinesisRecordsPerPutRecordsRequest: this.#entriesPerRequest.distribution(),
        UserRecordsPerPutRecordsRequest: this.#recordsPerRequest.distribution(),
      },
      shards: new Map([...this.#shards].map(([shardId, shard]) => [shardId, shard.snapshot()])),
    }
  }

  #of(shardId: string | undefined): DeliveryCounters {
    if (shardId === undefined) return this.#rest
    let shard = this.#shards.get(shardId)
    if (shard === undefined) {
      if (this.#shards.size >= MAX_SHARDS) return this.#rest
      shard = new DeliveryCounters()
      this.#shards.set(shardId, shard)
    }
    return shard
  }

  #dropClosed(nowMs: number): void {
    // Without a map nobody can tell which shards are open.
    if (this.#map === undefined) return
    for (const [shardId, shard] of this.#shards) {
      if (this.#map.has(shardId) || shard.usedAtMs + CLOSED_SHARD_KEPT_MS > nowMs) continue
      this.#rest.merge(shard)
      this.#shards.delete(shardId)
    }
  }
}
