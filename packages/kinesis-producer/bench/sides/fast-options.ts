import { type Clock, systemClock } from '@org/kinesis-core'
import type { KinesisProducerOptions } from '@org/kinesis-producer'
import { CREDENTIALS, REGION, STREAM, type Target } from './side.ts'

/**
 * How many times as fast the producer's clock runs. Sixteen shards take 16,000 records a second, and the producer keeps to that; so that it
 * is measured at work and not at rest, all its machinery runs, and a second has this many.
 */
export const CLOCK_SPEED = 64

/** What a producer is made with that is to be as fast as it can. */
export function fastOptions(
  target: Target,
  options: Partial<KinesisProducerOptions>,
  clock: Clock = fastClock(),
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

export function connectionOptions({ url }: Target) {
  return { streamName: STREAM, endpoint: url, region: REGION, credentials: CREDENTIALS }
}

function fastClock(): Clock {
  return {
    now: () => (performance.timeOrigin + performance.now()) * CLOCK_SPEED,
    schedule: (delayMs, callback) => systemClock.schedule(delayMs / CLOCK_SPEED, callback),
  }
}
