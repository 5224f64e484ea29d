import { describe, expect, it } from 'vitest'
import { ReadAhead } from './read-ahead.js'

/** Puts until there is no room, and says how many went in. */
async function fill(readAhead: ReadAhead, bytes: number): Promise<number> {
  for (let records = 0; ; records++) {
    if (!(await isOpen(readAhead.room()))) return records
    readAhead.put(bytes)
  }
}

function isOpen(room: Promise<void>): Promise<boolean> {
  return Promise.race([room.then(() => true), nextTurn().then(() => false)])
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

describe('ReadAhead', () => {
  it('is ahead by what the shards take in two seconds, in records or in bytes', async () => {
    expect(await fill(new ReadAhead(1), 100)).toBe(2_000)
    expect(await fill(new ReadAhead(2), 100)).toBe(4_000)
    expect(await fill(new ReadAhead(1), 1024 * 1024)).toBe(2)
  })

  it('has room again when an answer has come, and lets go who waits when it is released', async () => {
    const readAhead = new ReadAhead(1)
    await fill(readAhead, 100)

    const afterAnswer = readAhead.room()
    expect(await isOpen(afterAnswer)).toBe(false)
    readAhead.settled(100)
    expect(await isOpen(afterAnswer)).toBe(true)
    readAhead.put(100)

    const afterRelease = readAhead.room()
    expect(await isOpen(afterRelease)).toBe(false)
    readAhead.release()
    expect(await isOpen(afterRelease)).toBe(true)
  })
})
