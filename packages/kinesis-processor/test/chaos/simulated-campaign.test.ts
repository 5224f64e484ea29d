import { forEachSeed } from '@org/kinesis-local'
import { describe, expect, it } from 'vitest'
import { runSeed } from './run-seed.js'

const command = 'pnpm --filter @org/kinesis-processor exec vitest run test/chaos/simulated-campaign.test.ts'
/** Far more than one takes, which is a fraction of a second. */
const SEED_LIMIT_MS = 10_000

describe('a handler among faults, simulated', () => {
  const count = Number(process.env.SEEDS ?? 200)

  it('loses nothing, keeps the order of keys, rejects what is bad, and goes on when the faults end', {
    timeout: count * SEED_LIMIT_MS,
  }, async () => {
    const totals = {
      events: 0,
      stored: 0,
      rejected: 0,
      deadLettered: 0,
      failedInvocations: 0,
      retried: 0,
      deduplicated: 0,
    }
    await forEachSeed({ count, command }, async (seed) => {
      const report = await runSeed(seed)
      for (const name of Object.keys(totals) as (keyof typeof totals)[]) totals[name] += report[name]
    })
    if (process.env.SEED !== undefined) return
    // A campaign in which nothing happens would show nothing.
    expect(totals.events).toBeGreaterThan(50 * count)
    expect(totals.stored).toBeGreaterThan(50 * count)
    expect(totals.rejected).toBeGreaterThan(4 * count)
    expect(totals.deadLettered).toBeGreaterThan(count)
    expect(totals.failedInvocations).toBeGreaterThan(5 * count)
    expect(totals.retried).toBeGreaterThan(20 * count)
    expect(totals.deduplicated).toBeGreaterThan(count)
  })

  it('does the same for the same seed', async () => {
    for (const seed of [1, 2, 3]) expect(await runSeed(seed)).toEqual(await runSeed(seed))
  })
})
