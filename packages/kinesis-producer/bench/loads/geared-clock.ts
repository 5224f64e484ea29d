import { type Clock, systemClock } from '@org/kinesis-core'
import { CLOCK_SPEED } from '../sides/fast-options.ts'

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
