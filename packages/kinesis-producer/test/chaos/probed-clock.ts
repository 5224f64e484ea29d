import type { Clock } from '@org/kinesis-core'

/** The producer's own clock over one that others share: it can be set, and tells how many of its timers run. */
export class ProbedClock implements Clock {
  timers = 0
  #offsetMs = 0
  readonly #base: Clock

  constructor(base: Clock) {
    this.#base = base
  }

  /** As when somebody sets the clock of a machine: what it reads changes, what was scheduled does not. */
  jump(byMs: number): void {
    this.#offsetMs += byMs
  }

  now(): number {
    return this.#base.now() + this.#offsetMs
  }

  schedule(delayMs: number, callback: () => void): () => void {
    let isOver = false
    const end = () => {
      if (isOver) return
      isOver = true
      this.timers--
    }
    this.timers++
    const cancel = this.#base.schedule(delayMs, () => {
      end()
      callback()
    })
    return () => {
      end()
      cancel()
    }
  }
}
