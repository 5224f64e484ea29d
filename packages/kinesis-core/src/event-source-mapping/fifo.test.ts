import { describe, expect, it } from 'vitest'
import { Fifo } from './fifo.js'

describe('a first-in first-out queue', () => {
  it('gives everything back in order, however it is filled and emptied', () => {
    const queue = new Fifo<number>()
    const taken: number[] = []
    let pushed = 0
    for (let round = 0; round < 400; round += 1) {
      for (let count = 0; count < 20; count += 1) queue.push(pushed++)
      taken.push(...queue.take(round % 37))
    }
    expect(queue.peek()).toBe(taken.length)
    expect(queue.peek(1)).toBe(taken.length + 1)
    expect(queue.length).toBe(pushed - taken.length)

    taken.push(...queue.take(Number.POSITIVE_INFINITY))

    expect(taken).toEqual(Array.from({ length: pushed }, (_, index) => index))
    expect(queue.length).toBe(0)
    expect(queue.peek()).toBeUndefined()
  })
})
