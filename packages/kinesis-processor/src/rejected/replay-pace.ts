import { type Clock, sleep } from '@org/kinesis-core'

/** Timers wake late: so much is caught up with, and no more, or a stall would end in a burst. */
const MAX_CATCH_UP_MS = 100

/** Gives turns evenly, so many a second. */
export class ReplayPace {
  readonly #intervalMs: number
  #nextMs = Number.NEGATIVE_INFINITY

  constructor(
    perSecond: number,
    private readonly clock: Clock,
  ) {
    this.#intervalMs = 1_000 / perSecond
  }

  /** Resolves when it is the caller's turn, or at once when `signal` aborts. */
  async turn(signal: AbortSignal | undefined): Promise<void> {
    const nowMs = this.clock.now()
    const turnMs = Math.max(this.#nextMs, nowMs - MAX_CATCH_UP_MS)
    this.#nextMs = turnMs + this.#intervalMs
    if (turnMs > nowMs) await sleep(this.clock, turnMs - nowMs, signal)
  }
}
