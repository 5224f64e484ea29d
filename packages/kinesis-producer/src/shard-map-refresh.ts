import { type BackoffPolicy, backoffDelayMs } from '@org/kinesis-core'

/** Between two listings at least; doubled, up to the maximum, while listings fail or bring nothing new. */
const MIN_INTERVAL_MS = 1_000
const MAX_INTERVAL_MS = 30_000

/**
 * When to list the shards: at the start, and on evidence that the map is old. Evidence that a fresh listing does not resolve (the
 * listing lags behind a reshard, or the stream ignores keys) must not become a call per request, so the interval grows.
 */
export class ShardMapRefresh {
  #wanted = true
  #fruitless = 0
  #notBeforeMs = Number.NEGATIVE_INFINITY

  isDue(nowMs: number): boolean {
    return this.#wanted && nowMs >= this.#notBeforeMs
  }

  started(): void {
    this.#wanted = false
  }

  /** Records landed where the map does not say. */
  noteEvidence(): void {
    this.#wanted = true
  }

  succeeded(changed: boolean, nowMs: number): void {
    this.#fruitless = changed ? 0 : this.#fruitless + 1
    this.#notBeforeMs = nowMs + this.#intervalMs()
  }

  failed(nowMs: number): void {
    this.#wanted = true
    this.#fruitless++
    this.#notBeforeMs = nowMs + this.#intervalMs()
  }

  #intervalMs(): number {
    // Without jitter: the evidence comes at a time of its own in every producer.
    const policy: BackoffPolicy = { baseMs: MIN_INTERVAL_MS, maxMs: MAX_INTERVAL_MS }
    return backoffDelayMs(Math.max(1, this.#fruitless), policy, () => 1)
  }
}
