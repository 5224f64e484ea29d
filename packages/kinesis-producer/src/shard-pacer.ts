import { kinesisQuotas } from '@org/kinesis-core'

const RECORDS_PER_MS = kinesisQuotas.shardWriteRecordsPerSecond / 1_000
const BYTES_PER_MS = kinesisQuotas.shardWriteBytesPerSecond / 1_000

/** The most that leaves at once: one second's allowance, which is also what the service grants after a pause. */
const BURST_MS = 1_000
/** What a throttle leaves of the rate, and how much of the full rate comes back each second. */
const DECREASE = 0.85
const INCREASE_PER_MS = 0.05 / 1_000
/**
 * The limit is one per second, so a shard that is over it may throttle for the rest of the second, whatever is sent by then: one
 * decrease must show its effect before the next, or a moment's excess would cost minutes of recovery.
 */
const DECREASE_INTERVAL_MS = 1_000
const MIN_SHARE = 0.01

/**
 * Keeps one shard within its 1,000 records and 1 MiB per second: two token buckets that must both grant. Others write to the shard
 * as well, so its share of the limit adapts: multiplicative decrease when the service throttles, additive increase while it does not.
 */
export class ShardPacer {
  /** 1 is the shard's whole limit. */
  share = 1
  #records = RECORDS_PER_MS * BURST_MS
  #bytes = BYTES_PER_MS * BURST_MS
  #refilledAtMs: number
  #decreasedAtMs = Number.NEGATIVE_INFINITY

  constructor(nowMs: number) {
    this.#refilledAtMs = nowMs
  }

  refill(nowMs: number): void {
    // A clock that was set back grants nothing, and takes nothing away.
    const elapsedMs = Math.max(0, nowMs - this.#refilledAtMs)
    this.#refilledAtMs = nowMs
    this.share = Math.min(1, this.share + elapsedMs * INCREASE_PER_MS)
    const grantedMs = elapsedMs * this.share
    this.#records = Math.min(RECORDS_PER_MS * BURST_MS, this.#records + grantedMs * RECORDS_PER_MS)
    this.#bytes = Math.min(BYTES_PER_MS * BURST_MS, this.#bytes + grantedMs * BYTES_PER_MS)
  }

  /** Call `refill` first. A record larger than the bucket passes when the bucket is full and leaves a debt. */
  tryTake(sizeBytes: number): boolean {
    if (this.#records < 1 || this.#bytes < Math.min(sizeBytes, BYTES_PER_MS * BURST_MS)) return false
    this.charge(sizeBytes)
    return true
  }

  /** Takes tokens for a record that is sent in any case; may leave a debt. */
  charge(sizeBytes: number): void {
    this.#records -= 1
    this.#bytes -= sizeBytes
  }

  /** How long until `tryTake` grants, from the last refill on. */
  waitMs(sizeBytes: number): number {
    const records = (1 - this.#records) / RECORDS_PER_MS
    const bytes = (Math.min(sizeBytes, BYTES_PER_MS * BURST_MS) - this.#bytes) / BYTES_PER_MS
    return Math.max(0, records, bytes) / this.share
  }

  /**
   * The service throttled a record that was sent at `sentAtMs`: there are no tokens now, and fewer from now on. Requests that were
   * already under way when the rate was lowered say nothing about the new rate.
   */
  throttled(sentAtMs: number, nowMs: number): void {
    this.refill(nowMs)
    this.#records = Math.min(this.#records, 0)
    this.#bytes = Math.min(this.#bytes, 0)
    if (sentAtMs < this.#decreasedAtMs + DECREASE_INTERVAL_MS) return
    this.#decreasedAtMs = nowMs
    this.share = Math.max(MIN_SHARE, this.share * DECREASE)
  }
}
