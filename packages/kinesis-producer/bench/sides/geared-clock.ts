import { type Clock, systemClock } from '@org/kinesis-core'

/**
 * How many times as fast the producer's clock runs. Sixteen shards take 16,000 records a second, and the producer keeps to that; so that it
 * is measured at work and not at rest, all its machinery runs, and a second has this many.
 */
export const CLOCK_SPEED = 64

/** Runs true until the producer knows its stream, whose answers would come too late for a fast clock, and fast from then on. */
export class GearedClock implements Clock {
  #speed = 1
  #startedAtMs = performance.timeOrigin
  #trueStartMs = 0

  now(): number {
    return this.#startedAtMs + (performance.now() - this.#trueStartMs) * this.#speed
  }

  schedule(delayMs: number, callback: () => void): () => void {
    return systemClock.schedule(delayMs / this.#speed, callback)
  }

  speedUp(): void {
    this.#startedAtMs = this.now()
    this.#trueStartMs = performance.now()
    this.#speed = CLOCK_SPEED
  }
}
