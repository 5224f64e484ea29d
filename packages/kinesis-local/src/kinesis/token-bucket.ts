/** A rate with a burst of `capacity`; time is an argument. */
export class TokenBucket {
  #tokens: number
  #atMs: number

  constructor(
    private readonly perSecond: number,
    private readonly capacity: number,
    nowMs: number,
  ) {
    this.#tokens = capacity
    this.#atMs = nowMs
  }

  has(amount: number, nowMs: number): boolean {
    this.#refill(nowMs)
    return this.#tokens >= amount
  }

  /** Milliseconds until it has that much. */
  waitMs(amount: number, nowMs: number): number {
    this.#refill(nowMs)
    return Math.max(0, Math.ceil(((amount - this.#tokens) * 1000) / this.perSecond))
  }

  /** May leave a debt, which later takers wait for. */
  take(amount: number): void {
    this.#tokens -= amount
  }

  empty(): void {
    this.#tokens = Math.min(this.#tokens, 0)
  }

  #refill(nowMs: number): void {
    // A clock that was set back begins anew from there; to wait until it has caught up could take hours.
    const passedMs = Math.max(0, nowMs - this.#atMs)
    this.#tokens = Math.min(this.capacity, this.#tokens + (passedMs * this.perSecond) / 1000)
    this.#atMs = nowMs
  }
}
