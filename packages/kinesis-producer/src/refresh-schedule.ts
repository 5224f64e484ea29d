import { type BackoffPolicy, backoffDelayMs } from '@org/kinesis-core'

/** Between two listings at least; doubled, up to the maximum, while listings fail or bring nothing new. */
const MIN_INTERVAL_MS = 1_000
const MAX_INTERVAL_MS = 30_000

/**
 * When to ask for something about the stream: its shards at the start and on evidence that the map is old, itself where a record or an
 * aggregate depends on it. Evidence that a fresh answer does not resolve (a listing lags behind a reshard, or the stream ignores keys) must
 * not become a call per request, so the interval grows.
 */
export class RefreshSchedule {
  #wanted: boolean
  #underWay = false
  #fruitless = 0
  #notBeforeMs = Number.NEGATIVE_INFINITY

  /** @param wanted whether to ask at the start */
  constructor(wanted: boolean) {
    this.#wanted = wanted
  }

  /** When to ask next; Infinity while there is no reason to, or an answer is awaited. */
  get dueAtMs(): number {
    return this.#wanted && !this.#underWay ? this.#notBeforeMs : Number.POSITIVE_INFINITY
  }

  isDue(nowMs: number): boolean {
    return nowMs >= this.dueAtMs
  }

  started(): void {
    this.#wanted = false
    this.#underWay = true
  }

  /** There is a reason to ask (again). */
  want(): void {
    this.#wanted = true
  }

  succeeded(changed: boolean, nowMs: number): void {
    this.#underWay = false
    this.#fruitless = changed ? 0 : this.#fruitless + 1
    this.#notBeforeMs = nowMs + this.#intervalMs()
  }

  failed(nowMs: number): void {
    this.#underWay = false
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
