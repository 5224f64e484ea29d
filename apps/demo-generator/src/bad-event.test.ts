import { seededRandom } from '@org/kinesis-core'
import { describe, expect, it } from 'vitest'
import { generateBadEvent } from './bad-event.js'
import { userEventSchema } from './user-event/user-event.js'

describe('generateBadEvent', () => {
  const random = seededRandom(3)
  const events = Array.from({ length: 2_000 }, () => generateBadEvent(random, Date.UTC(2026, 0, 1)))

  it('makes every kind', () => {
    expect(new Set(events.map(({ kind }) => kind))).toEqual(
      new Set([
        'broken-json',
        'missing-user-id',
        'missing-event-type',
        'wrong-type',
        'oversized-field',
        'unholdable-number',
        'binary',
      ]),
    )
  })

  it('says truly which of them can be decoded, and none of those is valid', () => {
    for (const { decodable, data, kind } of events) {
      const value = decode(data)
      expect(value !== undefined, kind).toBe(decodable)
      if (value !== undefined) expect(userEventSchema.safeParse(value).success, kind).toBe(false)
    }
  })
})

/** JSON in UTF-8 whose numbers a double can hold. */
function decode(data: Uint8Array): unknown {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(data)
    return /1e999/.test(text) ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}
