import { describe, expect, it } from 'vitest'
import { type OutgoingEvent, partitionKeyOf } from './outgoing-event.js'

const event: OutgoingEvent = {
  kind: 'good',
  decodable: true,
  eventId: 'an-id',
  userId: 'user_0001',
  sessionId: 'session-1',
  data: Buffer.alloc(0),
}

describe('the partition key of an event', () => {
  it('is its user, or the user in a session where that is asked', () => {
    expect(partitionKeyOf(event, 'user_id')).toBe('user_0001')
    expect(partitionKeyOf(event, 'user_id#session_id')).toBe('user_0001#session-1')
    expect(partitionKeyOf({ ...event, sessionId: undefined }, 'user_id#session_id')).toBe('user_0001')
  })

  it('is its id where it has no user', () => {
    expect(partitionKeyOf({ ...event, userId: '' }, 'user_id')).toBe('an-id')
  })

  it('is cut to what a stream takes, and never in the middle of a character', () => {
    expect(partitionKeyOf({ ...event, userId: 'x'.repeat(300) }, 'user_id')).toBe('x'.repeat(256))
    expect(partitionKeyOf({ ...event, userId: `${'x'.repeat(255)}😀` }, 'user_id')).toBe('x'.repeat(255))
    expect(partitionKeyOf({ ...event, userId: '\ud83d' }, 'user_id')).toBe('\ufffd')
  })
})
