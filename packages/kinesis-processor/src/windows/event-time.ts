/** What an event is to its window, by its own time and that of its arrival alone: the same in each try, in whatever batch and shard. */
export type Timeliness = 'timely' | 'late' | 'ahead'

export interface TimeBounds {
  windowMs: number
  allowedLatenessMs: number
  allowedAheadMs: number
}

/** Of a Date. */
const MAX_TIME_MS = 8.64e15

/** @returns undefined where the time is none that a window could have */
export function placeInTime(
  timeMs: number,
  arrivalMs: number,
  { windowMs, allowedLatenessMs, allowedAheadMs }: TimeBounds,
): { windowStartMs: number; timeliness: Timeliness } | undefined {
  const windowStartMs = Math.floor(timeMs / windowMs) * windowMs
  // Written so that NaN does not pass.
  if (!(Math.abs(windowStartMs) + windowMs <= MAX_TIME_MS)) return undefined
  const isLate = arrivalMs - (windowStartMs + windowMs) > allowedLatenessMs
  const isAhead = timeMs - arrivalMs > allowedAheadMs
  return { windowStartMs, timeliness: isLate ? 'late' : isAhead ? 'ahead' : 'timely' }
}

/** An event that no window counts, because of its time. */
export interface UntimelyEvent<T> {
  /** Whether it arrived more than `allowedLatenessMs` after its window ended, or its time is more than `allowedAheadMs` after its arrival. */
  reason: 'late' | 'ahead'
  value: T
  key: string
  /** Of the event, and when the stream took it, in milliseconds since the epoch. */
  timeMs: number
  arrivalMs: number
  /** Of the window that it belongs to. */
  windowStartMs: number
  windowEndMs: number
}
