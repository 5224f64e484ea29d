import { forEachSeed } from '@org/kinesis-local'
import { describe, expect, it } from 'vitest'
import { KinesisProducer } from '../../src/index.js'
import { runSeed } from './run-seed.js'

const command = 'pnpm --filter @org/kinesis-producer exec vitest run test/chaos/simulated-campaign.test.ts'
/** Far more than one takes, which is a tenth of a second. */
const SEED_LIMIT_MS = 5_000

describe('a producer among faults, simulated', () => {
  const count = Number(process.env.SEEDS ?? 200)

  it('tells the truth of every record, and keeps the order of keys', {
    timeout: count * SEED_LIMIT_MS,
  }, async () => {
    const totals = { puts: 0, delivered: 0, failed: 0, harmed: 0, reshards: 0 }
    const packing = { packed: 0, aggregates: 0, unverified: 0, strayed: 0, divided: 0 }
    await forEachSeed({ count, command }, async (seed) => {
      const report = await runSeed(seed, 'simulated', KinesisProducer)
      totals.puts += report.puts
      totals.delivered += report.delivered
      totals.failed += report.failed
      totals.harmed += report.harmed
      totals.reshards += report.shards - report.scenario.shards
      for (const name of Object.keys(packing) as (keyof typeof packing)[]) packing[name] += report[name]
    })
    if (process.env.SEED !== undefined) return
    // A campaign in which nothing happens would show nothing.
    expect(totals.delivered).toBeGreaterThan(50 * count)
    expect(totals.failed).toBeGreaterThan(count)
    expect(totals.harmed).toBeGreaterThan(5 * count)
    expect(totals.reshards).toBeGreaterThan(count)
    expect(packing.packed).toBeGreaterThan(20 * count)
    expect(packing.aggregates).toBeGreaterThan(2 * count)
    expect(packing.unverified).toBeGreaterThan(count / 2)
    expect(packing.strayed).toBeGreaterThan(count / 40)
    expect(packing.divided).toBeGreaterThan(0)
  })

  it('does the same for the same seed', async () => {
    for (const seed of [3, 4, 5]) {
      const [one, again] = [
        await runSeed(seed, 'simulated', KinesisProducer),
        await runSeed(seed, 'simulated', KinesisProducer),
      ]
      expect(again).toEqual(one)
    }
  })
})
