/**
 * Open loop: how many events are due at `nowMs` at the asked rate, whatever became of those before. A generator that waited for answers
 * would slow down with the service it is to test.
 */
export function dueEvents(
  startedAtMs: number,
  nowMs: number,
  perSecond: number,
  limit = Number.POSITIVE_INFINITY,
): number {
  // One is due at the start, and one at every interval after it.
  return Math.min(limit, Math.floor(((nowMs - startedAtMs) * perSecond) / 1000) + 1)
}

/** Events of a run of that length: at the rate, and not one more. */
export function totalEvents(perSecond: number, durationSeconds: number): number {
  return Math.max(1, Math.round(perSecond * durationSeconds))
}
