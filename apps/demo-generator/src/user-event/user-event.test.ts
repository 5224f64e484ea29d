import { seededRandom } from '@org/kinesis-core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fallbackEventId, replayEventId } from './event-ids.js'
import { EVENT_TYPES, generateUserEvent, toSortableInstant, userEventSchema } from './user-event.js'

describe('generateUserEvent', () => {
  it('makes events of the documented shape, all of which the schema accepts', () => {
    const random = seededRandom(1)
    for (let i = 0; i < 500; i++) {
      const event = generateUserEvent(random, Date.UTC(2026, 0, 1))

      expect(event.event_id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      expect(event.user_id).toMatch(/^user_(0\d{3}|1000)$/)
      expect(EVENT_TYPES).toContain(event.event_type)
      expect(event.value).toBeGreaterThanOrEqual(1)
      expect(event.value).toBeLessThanOrEqual(100)
      expect(String(event.value)).toMatch(/^\d+(\.\d{1,2})?$/)
      expect(event.timestamp).toBe('2026-01-01T00:00:00.000Z')
      expect(userEventSchema.safeParse(event).success).toBe(true)
    }
  })

  it('repeats itself under the same seed', () => {
    expect(generateUserEvent(seededRandom(7), 0)).toEqual(generateUserEvent(seededRandom(7), 0))
    expect(generateUserEvent(seededRandom(7), 0)).not.toEqual(generateUserEvent(seededRandom(8), 0))
  })
})

describe('userEventSchema', () => {
  const event = { user_id: 'u', event_type: 'click' }

  it('accepts more than is generated, and keeps what it does not know', () => {
    const real = {
      ...event,
      timestamp: '2026-01-01T12:00:00.123456789+02:00',
      colour: 'red',
      metadata: { a: [1] },
    }

    expect(userEventSchema.parse(real)).toEqual(real)
    expect(userEventSchema.parse(event)).toEqual(event)
  })

  it.each([
    ['no user_id', { event_type: 'click' }],
    ['an empty user_id', { ...event, user_id: '  ' }],
    ['a user_id of 257 bytes', { ...event, user_id: `${'ü'.repeat(128)}x` }],
    ['a number for event_type', { ...event, event_type: 1 }],
    ['a date without a time', { ...event, timestamp: '2026-01-01' }],
    ['a text for value', { ...event, value: '1' }],
    ['an infinite value', { ...event, value: Number.POSITIVE_INFINITY }],
    ['a list for metadata', { ...event, metadata: [] }],
    ['no object', 'click'],
  ])('refuses %s', (_, candidate) => {
    expect(userEventSchema.safeParse(candidate).success).toBe(false)
  })
})

describe('toSortableInstant', () => {
  it.each([
    ['2026-01-01T12:00:00Z', '2026-01-01T12:00:00.000000Z'],
    ['2026-01-01t12:00:00z', '2026-01-01T12:00:00.000000Z'],
    ['2026-01-01 12:00:00Z', '2026-01-01T12:00:00.000000Z'],
    ['2026-01-01T00:30:00.5+01:00', '2025-12-31T23:30:00.500000Z'],
    ['2026-01-01T12:00:00.123456789-05:30', '2026-01-01T17:30:00.123456Z'],
    ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00.000000Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000000Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000000Z'],
  ])('reads %s', (text, instant) => {
    expect(toSortableInstant(text)).toBe(instant)
  })

  it.each([
    '',
    'yesterday',
    '2026-01-01',
    '2026-01-01T12:00Z',
    '2026-01-01T12:00:00',
    '2026-02-30T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T12:61:00Z',
    '2026-01-01T12:00:00+24:00',
    '9999-12-31T23:59:59-01:00',
  ])('refuses %j', (text) => {
    expect(toSortableInstant(text)).toBeUndefined()
  })

  it('sorts as text as instants sort in time, whatever their offsets', () => {
    const instant = fc.record({
      ms: fc.integer({ min: Date.UTC(1970, 0, 1), max: Date.UTC(2100, 0, 1) }),
      offsetMinutes: fc.integer({ min: -14 * 60, max: 14 * 60 }),
    })
    const write = ({ ms, offsetMinutes }: { ms: number; offsetMinutes: number }) => {
      const local = new Date(ms + offsetMinutes * 60_000).toISOString().slice(0, -1)
      const size = Math.abs(offsetMinutes)
      const two = (value: number) => String(value).padStart(2, '0')
      return `${local}${offsetMinutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`
    }

    fc.assert(
      fc.property(instant, instant, (a, b) => {
        const [textA, textB] = [toSortableInstant(write(a))!, toSortableInstant(write(b))!]
        expect(Math.sign(a.ms - b.ms)).toBe(textA === textB ? 0 : textA < textB ? -1 : 1)
        expect(Date.parse(textA)).toBe(a.ms)
      }),
    )
  })
})

describe('event ids', () => {
  it('are the same for the same place, and differ between places', () => {
    expect(replayEventId('a.log', 1)).toBe(replayEventId('a.log', 1))
    const ids = [
      replayEventId('a.log', 1),
      replayEventId('a.log', 2),
      replayEventId('b.log', 1),
      fallbackEventId('s', 'shardId-0', '1', 0),
      fallbackEventId('s', 'shardId-0', '1', 1),
      fallbackEventId('s', 'shardId-1', '1', 0),
    ]
    expect(new Set(ids).size).toBe(ids.length)
  })
})
