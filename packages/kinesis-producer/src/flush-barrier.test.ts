import { describe, expect, it } from 'vitest'
import { FlushBarrier } from './flush-barrier.js'

async function isResolved(promise: Promise<void>): Promise<boolean> {
  let resolved = false
  void promise.then(() => {
    resolved = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  return resolved
}

describe('a flush barrier', () => {
  it('is open when nothing has entered', async () => {
    expect(await isResolved(new FlushBarrier().wait())).toBe(true)
  })

  it('waits for those who entered before, and for none who came after', async () => {
    const barrier = new FlushBarrier()
    const before = barrier.enter()
    const flush = barrier.wait()
    const after = barrier.enter()
    expect(barrier.isAwaited(before)).toBe(true)
    expect(barrier.isAwaited(after)).toBe(false)

    barrier.settle(after)
    expect(await isResolved(flush)).toBe(false)
    barrier.settle(before)
    expect(await isResolved(flush)).toBe(true)
  })

  it('lets a later flush wait for what an earlier one waits for', async () => {
    const barrier = new FlushBarrier()
    const first = barrier.enter()
    void barrier.wait()
    const second = barrier.enter()
    const later = barrier.wait()
    const again = barrier.wait()

    barrier.settle(second)
    expect(await isResolved(later)).toBe(false)
    barrier.settle(first)
    expect(await isResolved(later)).toBe(true)
    expect(await isResolved(again)).toBe(true)
    expect(await isResolved(barrier.wait())).toBe(true)
  })
})
