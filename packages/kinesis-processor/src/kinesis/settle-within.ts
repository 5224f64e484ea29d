import type { Clock } from '@org/kinesis-core'

/** What became of each promise within this time, in milliseconds; undefined for those that are open then. */
export async function settleWithin<R>(
  promises: readonly Promise<R>[],
  timeMs: number,
  clock: Clock,
): Promise<(PromiseSettledResult<R> | undefined)[]> {
  const settled: (PromiseSettledResult<R> | undefined)[] = promises.map(() => undefined)
  const all = Promise.all(
    promises.map(async (promise, place) => {
      const [outcome] = await Promise.allSettled([promise])
      settled[place] = outcome
    }),
  )
  let cancel = () => {}
  const over = new Promise<void>((resolve) => {
    cancel = clock.schedule(timeMs, resolve)
  })
  await Promise.race([all, over])
  cancel()
  // A copy: what settles later changes nothing of what was answered.
  return [...settled]
}
