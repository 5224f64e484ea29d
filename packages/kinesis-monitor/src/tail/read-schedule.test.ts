import { describe, expect, it } from 'vitest'
import { ReadSchedule } from './read-schedule.js'

describe('ReadSchedule', () => {
  it('gives what is due, the earliest first, in whatever order it was added', () => {
    const schedule = new ReadSchedule<{ dueAtMs: number }>()
    for (const dueAtMs of [30, 10, 20, 40]) schedule.add({ dueAtMs })

    const due: number[] = []
    for (let item = schedule.takeDue(30); item !== undefined; item = schedule.takeDue(30))
      due.push(item.dueAtMs)

    expect(due).toEqual([10, 20, 30])
    expect(schedule.nextDueMs).toBe(40)
  })

  it('keeps the order of those that are due at one time', () => {
    const schedule = new ReadSchedule<{ dueAtMs: number; name: string }>()
    schedule.add({ dueAtMs: 1, name: 'first' })
    schedule.add({ dueAtMs: 1, name: 'second' })

    expect(schedule.takeDue(1)?.name).toBe('first')
    expect(schedule.takeDue(1)?.name).toBe('second')
    expect(schedule.nextDueMs).toBeUndefined()
  })
})
