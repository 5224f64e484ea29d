import type { KinesisProducerOptions } from '@org/kinesis-producer'
import { CLOCK_SPEED, type GearedClock } from './geared-clock.ts'
import { clientOptions, STREAM, type Target } from './side.ts'

/** What a producer is made with that is to be as fast as it can. */
export function fastOptions(
  target: Target,
  options: Partial<KinesisProducerOptions>,
  clock: GearedClock,
): KinesisProducerOptions {
  return {
    ...connectionOptions(target),
    clock,
    // In the clock's milliseconds, what the defaults are in ours.
    lingerMs: 20 * CLOCK_SPEED,
    requestTimeoutMs: 10_000 * CLOCK_SPEED,
    recordTtlMs: 120_000 * CLOCK_SPEED,
    ...options,
  }
}

export function connectionOptions(target: Target) {
  return { streamName: STREAM, ...clientOptions(target) }
}
