import { describe, expect, it } from 'vitest'
import { ReadAhead } from './read-ahead.js'

/** Puts until there is no room, and says how many went in. */
async function fill(readAhead: ReadAhead, bytes: number): Promise<number> {
  for (let records = 0; ; records++) {
    const isOpen = await Promise.race([readAhead.room().then(() => true), nextTurn().then(() => false)])
    if (!isOpen) return records
    readAhead.put(bytes)
  }
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

describe('ReadAhead', () => {
  it('is ahead by what the shards take in three seconds, in records or in bytes', async () => {
    expect(await fill(new ReadAhead(1), 100)).toBe(2_000)
    expect(await fill(new ReadAhead(2), 100)).toBe(4_000)
    expect(await fill(new ReadAhead(1), 1024 * 1024)).toBe(2)
  })

  it('has room again when an answer has come, and lets go who waits when it is released', async () => {
    const readAhead = new ReadAhead(1)
    await fill(readAhead, 100)

    const afterAnswer = readAhead.room()
    readAhead.settled(100)
    await afterAnswer
    readAhead.put(100)

    const afterRelease = readAhead.room()
    readAhead.release()
    await afterRelease
  })
})
