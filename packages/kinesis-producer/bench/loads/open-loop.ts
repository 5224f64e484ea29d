import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'

const PIECES_PER_SECOND = 200

/**
 * Calls `put` so many times a second, by the time that has passed and not by what became of the calls before; resolves after `durationMs`.
 * Stops for a while where `put` says what to wait for.
 *
 * @returns the longest that a call came after its time
 */
export async function openLoop(
  perSecond: number,
  durationMs: number,
  put: (index: number) => Promise<unknown> | undefined,
): Promise<number> {
  let startedAtMs = performance.now()
  let startedAt = 0
  let index = 0
  let latestMs = 0
  const endsAtMs = startedAtMs + durationMs
  for (let nowMs = startedAtMs; nowMs < endsAtMs; nowMs = performance.now()) {
    const due = startedAt + Math.floor(((nowMs - startedAtMs) * perSecond) / 1_000)
    latestMs = Math.max(latestMs, ((due - index) * 1_000) / perSecond)
    let wait: Promise<unknown> | undefined
    // What is overdue comes in pieces, as it would from the network, so that other work goes on meanwhile.
    const until = Math.min(due, index + Math.ceil(perSecond / PIECES_PER_SECOND))
    while (index < until && wait === undefined) wait = put(index++)
    if (wait === undefined) await (index < due ? turn() : sleep(1))
    else {
      await wait
      // What it could not take meanwhile is not made up for.
      startedAtMs = performance.now()
      startedAt = index
    }
  }
  return latestMs
}
