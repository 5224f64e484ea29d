import { describe, expect, it } from 'vitest'
import { BodyPool } from './body-pool.js'

const MiB = 1024 * 1024

describe('a pool of bodies', () => {
  it('gives out again what came back, where it is long enough', () => {
    const pool = new BodyPool()
    const first = pool.take(200_000)
    pool.giveBack(first)

    expect(pool.take(first.length + 1) === first).toBe(false)
    expect(pool.take(first.length) === first).toBe(true)
    expect(pool.take(1) === first).toBe(false)
  })

  it('keeps at most 16 MiB that nobody uses, and forgets what has waited longest', () => {
    const pool = new BodyPool()
    const buffers = Array.from({ length: 6 }, () => pool.take(4 * MiB))
    for (const buffer of buffers) pool.giveBack(buffer)

    const again = buffers.map(() => pool.take(4 * MiB))
    expect(buffers.map((buffer) => again.includes(buffer))).toEqual([false, false, true, true, true, true])
  })

  it('takes nothing that is longer than all it keeps', () => {
    const pool = new BodyPool()
    const small = pool.take(1)
    pool.giveBack(small)
    pool.giveBack(pool.take(17 * MiB))

    expect(pool.take(1) === small).toBe(true)
  })
})
