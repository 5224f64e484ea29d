import { afterEach, describe, expect, it, vi } from 'vitest'
import { forEachSeed } from './for-each-seed.js'

describe('a campaign of seeds', () => {
  afterEach(() => vi.unstubAllEnvs())

  it('stops at the first that fails, and says how to replay it', async () => {
    const seen: number[] = []
    const campaign = forEachSeed({ count: 10, command: 'pnpm vitest run test/orders.test.ts' }, (seed) => {
      seen.push(seed)
      if (seed === 4) throw new Error('an order is lost')
    })

    await expect(campaign).rejects.toThrow(
      'Seed 4 failed: an order is lost\nReplay it alone: SEED=4 pnpm vitest run test/orders.test.ts',
    )
    expect(seen).toEqual([1, 2, 3, 4])
  })

  it('runs one alone where SEED names it', async () => {
    vi.stubEnv('SEED', '77')
    const seen: number[] = []

    await forEachSeed({ count: 10, command: '' }, (seed) => void seen.push(seed))

    expect(seen).toEqual([77])
  })

  it('says what is wrong with SEED', async () => {
    vi.stubEnv('SEED', 'x')

    await expect(forEachSeed({ count: 1, command: '' }, () => {})).rejects.toThrow(/SEED/)
  })
})
