import { describe, expect, it } from 'vitest'
import { RefreshSchedule } from './refresh-schedule.js'

describe('the shards are listed', () => {
  it('at the start, and then only on evidence', () => {
    const refresh = new RefreshSchedule(true)
    expect(refresh.isDue(0)).toBe(true)
    refresh.started()
    expect(refresh.isDue(0)).toBe(false)
    refresh.succeeded(true, 0)
    expect(refresh.isDue(1_000_000)).toBe(false)

    refresh.want()
    expect(refresh.isDue(1_000_000)).toBe(true)
  })

  it('not again within a second, and ever less often while listings bring nothing new', () => {
    const refresh = new RefreshSchedule(true)
    const waits: number[] = []
    let nowMs = 0
    refresh.succeeded(true, nowMs)
    for (let round = 0; round < 7; round++) {
      refresh.want()
      const from = nowMs
      while (!refresh.isDue(nowMs)) nowMs += 500
      waits.push(nowMs - from)
      refresh.started()
      refresh.succeeded(false, nowMs)
    }

    expect(waits).toEqual([1_000, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000])
  })

  it('by one call at a time, however many reasons there are', () => {
    const refresh = new RefreshSchedule(true)
    refresh.started()
    refresh.want()
    expect(refresh.isDue(1_000_000)).toBe(false)

    refresh.succeeded(true, 1_000_000)
    expect(refresh.isDue(1_001_000)).toBe(true)
  })

  it('again after a failure, with growing pauses', () => {
    const refresh = new RefreshSchedule(true)
    refresh.started()
    refresh.failed(0)
    expect([refresh.isDue(999), refresh.isDue(1_000)]).toEqual([false, true])
    refresh.started()
    refresh.failed(1_000)
    expect([refresh.isDue(2_999), refresh.isDue(3_000)]).toEqual([false, true])
  })
})
