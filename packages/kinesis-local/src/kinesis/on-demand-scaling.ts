import { kinesisQuotas } from '@org/kinesis-core'
import type { Shard } from './shard.js'

/** Of an on-demand stream when it is made, and the fewest it is scaled for (developer guide, "How on-demand mode works"). */
export const ON_DEMAND_SHARDS = 4

/** Throughput is measured by the minute, as the service's own metrics are. */
const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const PEAK_DAYS = 30

interface ShardLoad {
  records: number
  bytes: number
  throttled: number
}

/**
 * When an on-demand stream grows. The documented promise is room for double the busiest throughput of the last 30 days, and that hot
 * shards are split. The rule here: when a minute with writes is over, every shard that refused records in it is split, and then the
 * busiest ones until the open shards hold double the busiest minute of 30 days. Shards are never merged.
 */
export class OnDemandScaling {
  #minute = Number.NEGATIVE_INFINITY
  readonly #loads = new Map<Shard, ShardLoad>()
  /** What the busiest minute of a day took, in shards. */
  readonly #peaks = new Map<number, number>()

  /** Notes what a call wrote; call `due` before it. */
  note(shard: Shard, records: number, bytes: number, throttled: number): void {
    const load = this.#loads.get(shard) ?? { records: 0, bytes: 0, throttled: 0 }
    load.records += records
    load.bytes += bytes
    load.throttled += throttled
    this.#loads.set(shard, load)
  }

  /** The shards to split, once when a minute is over; a shard stands in it once, the busiest first. */
  due(stream: { readonly openShards: readonly Shard[] }, warmShards: number, nowMs: number): Shard[] {
    const minute = Math.floor(nowMs / MINUTE_MS)
    if (minute === this.#minute) return []
    const loads = new Map(this.#loads)
    this.#loads.clear()
    const measured = this.#minute
    this.#minute = minute
    if (loads.size === 0) return []
    this.#notePeak(loads, measured * MINUTE_MS)

    const wanted = Math.max(ON_DEMAND_SHARDS, warmShards, 2 * this.#peakShards(nowMs))
    const { openShards } = stream
    const busiest = [...openShards].sort((a, b) => heat(loads.get(b)) - heat(loads.get(a)))
    const hot = busiest.filter((shard) => (loads.get(shard)?.throttled ?? 0) > 0)
    const others = busiest.filter((shard) => !hot.includes(shard))
    const missing = Math.max(0, Math.ceil(wanted) - openShards.length - hot.length)
    return [...hot, ...others.slice(0, missing)]
  }

  #notePeak(loads: ReadonlyMap<Shard, ShardLoad>, atMs: number): void {
    let records = 0
    let bytes = 0
    for (const load of loads.values()) {
      records += load.records
      bytes += load.bytes
    }
    const { shardWriteRecordsPerSecond, shardWriteBytesPerSecond } = kinesisQuotas
    const seconds = MINUTE_MS / 1000
    const shards = Math.max(
      records / seconds / shardWriteRecordsPerSecond,
      bytes / seconds / shardWriteBytesPerSecond,
    )
    const day = Math.floor(atMs / DAY_MS)
    this.#peaks.set(day, Math.max(this.#peaks.get(day) ?? 0, shards))
  }

  #peakShards(nowMs: number): number {
    const oldest = Math.floor(nowMs / DAY_MS) - PEAK_DAYS
    for (const day of this.#peaks.keys()) if (day < oldest) this.#peaks.delete(day)
    return Math.max(0, ...this.#peaks.values())
  }
}

/** What a shard was asked for; refused records count, as they say how much there was. */
function heat(load: ShardLoad | undefined): number {
  if (load === undefined) return 0
  const { shardWriteRecordsPerSecond, shardWriteBytesPerSecond } = kinesisQuotas
  return Math.max(
    (load.records + load.throttled) / shardWriteRecordsPerSecond,
    load.bytes / shardWriteBytesPerSecond,
  )
}
