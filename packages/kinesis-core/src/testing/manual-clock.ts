import type { Clock } from '../clock.js'

/** A clock that a test holds: time moves only by `advance`, and callbacks run in the order of their due times. */
export class ManualClock implements Clock {
  #now: number
  #order = 0
  #pending: { dueMs: number; order: number; callback: () => void }[] = []

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#now = startMs
  }

  now(): number {
    return this.#now
  }

  /** How many callbacks wait. */
  get pending(): number {
    return this.#pending.length
  }

  schedule(delayMs: number, callback: () => void): () => void {
    const timer = { dueMs: this.#now + Math.max(0, delayMs), order: this.#order++, callback }
    this.#pending.push(timer)
    return () => {
      this.#pending = this.#pending.filter((other) => other !== timer)
    }
  }

  /** Moves time on by `byMs`, lets promises settle between callbacks, and runs whatever falls due, also what those schedule. */
  async advance(byMs: number): Promise<void> {
    const until = this.#now + byMs
    await settle()
    for (;;) {
      this.#pending.sort((a, b) => a.dueMs - b.dueMs || a.order - b.order)
      const next = this.#pending[0]
      if (next === undefined || next.dueMs > until) break
      this.#pending.shift()
      this.#now = next.dueMs
      next.callback()
      await settle()
    }
    this.#now = until
  }
}

/** One turn of the event loop: every promise that can settle without time passing has settled. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
