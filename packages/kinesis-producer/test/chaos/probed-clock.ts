import type { Clock } from '@org/kinesis-core'

/** More than the records of any scenario. */
const MAX_SPINS = 20_000

/** The producer's own clock over one that others share: it can be set, and tells how many of its timers run. */
export class ProbedClock implements Clock {
  timers = 0
  /** Rejects when timers go off again and again in the same millisecond, which would never end; no more go off then. */
  readonly spinning: Promise<never>
  #spin!: (error: Error) => void
  #spinAtMs = 0
  #spins = 0
  #offsetMs = 0
  readonly #base: Clock

  constructor(base: Clock) {
    this.#base = base
    this.spinning = new Promise((_, reject) => {
      this.#spin = reject
    })
    this.spinning.catch(() => {})
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
      if (!this.#isSpinning()) callback()
    })
    return () => {
      end()
      cancel()
    }
  }

  #isSpinning(): boolean {
    const nowMs = this.#base.now()
    if (nowMs !== this.#spinAtMs) this.#spins = 0
    this.#spinAtMs = nowMs
    if (++this.#spins < MAX_SPINS) return false
    this.#spin(
      new Error(`The producer spins: ${MAX_SPINS} of its timers went off at once, and it sets another one.`),
    )
    return true
  }
}
