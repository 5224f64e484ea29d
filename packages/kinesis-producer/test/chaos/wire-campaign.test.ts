import { forEachSeed } from '@org/kinesis-local'
import { describe, expect, it } from 'vitest'
import { KinesisProducer } from '../../src/index.js'
import { runSeed } from './run-seed.js'

const command = 'pnpm --filter @org/kinesis-producer exec vitest run test/chaos/wire-campaign.test.ts'
/** Seeds mostly wait: so many at once. */
const LANES = 4
const SEED_LIMIT_MS = 60_000

describe('a producer among faults, on the wire', () => {
  const lanes = process.env.SEED === undefined ? LANES : 1
  const count = Math.ceil(Number(process.env.SEEDS ?? 12) / lanes)

  it('tells the truth of every record, and keeps the order of keys', {
    timeout: count * SEED_LIMIT_MS,
  }, async () => {
    let delivered = 0
    const lane = (index: number) =>
      forEachSeed({ first: 1 + index * count, count, command }, async (seed) => {
        delivered += (await runSeed(seed, 'wire', KinesisProducer)).delivered
      })
    await Promise.all(Array.from({ length: lanes }, (_, index) => lane(index)))
    expect(delivered).toBeGreaterThan(0)
  })
})
