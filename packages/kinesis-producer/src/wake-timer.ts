import type { Clock } from '@org/kinesis-core'

/** The one timer of a producer: runs while there is something to wait for. */
export class WakeTimer {
  readonly #clock: Clock
  readonly #onWake: () => void
  #armed: { atMs: number; cancel: () => void } | undefined

  constructor(clock: Clock, onWake: () => void) {
    this.#clock = clock
    this.#onWake = onWake
  }

  /** Wakes at that time at the latest; with Infinity, never. */
  arm(atMs: number, nowMs: number): void {
    if (atMs === Number.POSITIVE_INFINITY) {
      this.cancel()
      return
    }
    // A timer that is early costs one look; moving it for every record would cost more.
    if (this.#armed !== undefined && this.#armed.atMs <= atMs) return
    this.cancel()
    const cancel = this.#clock.schedule(Math.max(0, Math.ceil(atMs - nowMs)), () => {
      this.#armed = undefined
      this.#onWake()
    })
    this.#armed = { atMs, cancel }
  }

  cancel(): void {
    this.#armed?.cancel()
    this.#armed = undefined
  }
}
