/** How much of a standstill is caught up with: the average is kept over pauses of the process, but not over an input that has none. */
const MAX_BURST_MS = 1_000

/**
 * Open loop: a record is due when the rate says so, whatever became of those before it. A token bucket kept as the instant at which the
 * next record is due.
 */
export class RateLimit {
  readonly #intervalMs: number
  #dueMs: number | undefined

  constructor(recordsPerSecond: number) {
    this.#intervalMs = 1_000 / recordsPerSecond
  }

  /** 0: the record is due, and counted. Otherwise how long to wait before asking again. */
  take(nowMs: number): number {
    const dueMs = Math.max(this.#dueMs ?? nowMs, nowMs - MAX_BURST_MS)
    if (dueMs > nowMs) return dueMs - nowMs
    this.#dueMs = dueMs + this.#intervalMs
    return 0
  }
}
