import { describe, expect, it } from 'vitest'
import { sleep } from './clock.js'
import { ManualClock } from './testing/index.js'

describe('sleep', () => {
  it('ends when its time has come, and not before', async () => {
    const clock = new ManualClock()
    let awake = false
    void sleep(clock, 100).then(() => {
      awake = true
    })

    await clock.advance(99)
    expect(awake).toBe(false)
    await clock.advance(1)
    expect(awake).toBe(true)
  })

  it('ends at once when it is aborted, and leaves no timer behind', async () => {
    const clock = new ManualClock()
    const controller = new AbortController()
    const sleeping = sleep(clock, 1_000, controller.signal)

    controller.abort()
    await sleeping

    expect(clock.pending).toBe(0)
    await sleep(clock, 1_000, controller.signal)
  })
})

describe('ManualClock', () => {
  it('runs callbacks in the order of their due times, also those that callbacks schedule', async () => {
    const clock = new ManualClock(0)
    const ran: string[] = []
    clock.schedule(20, () => ran.push(`b@${clock.now()}`))
    clock.schedule(10, () => {
      ran.push(`a@${clock.now()}`)
      clock.schedule(5, () => ran.push(`nested@${clock.now()}`))
    })
    const cancel = clock.schedule(12, () => ran.push('cancelled'))
    cancel()

    await clock.advance(30)

    expect(ran).toEqual(['a@10', 'nested@15', 'b@20'])
    expect(clock.now()).toBe(30)
  })
})
