import { ManualClock } from '@org/kinesis-core/testing'
import type { RecordPosition } from '@org/kinesis-processor'
import { describe, expect, it } from 'vitest'
import { boundedEventType, enrichBy, normalise, toItem } from './processed-event.js'

const position: RecordPosition = {
  streamArn: 'arn:aws:kinesis:us-east-1:000000000000:stream/s',
  streamName: 's',
  shardId: 'shardId-000000000000',
  sequenceNumber: '42',
  subSequenceNumber: 0,
  partitionKey: 'u',
  arrivalMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
}

const event = {
  event_id: 'e1',
  user_id: '  user_0001 ',
  event_type: 'page_view',
  timestamp: '2015-05-17T12:05:03.123456789+02:00',
  value: 1.1,
  metadata: { device: 'mobile' },
}

describe('normalise', () => {
  it('trims the user, writes the type in capitals, and holds the instant in UTC', () => {
    expect(normalise(event, position)).toEqual({
      ...event,
      user_id: 'user_0001',
      event_type: 'PAGE_VIEW',
      event_time: '2015-05-17T10:05:03.123456Z',
    })
  })

  it('takes the arrival for a missing timestamp', () => {
    const { timestamp: _, ...timeless } = event

    expect(normalise(timeless, position).event_time).toBe('2026-01-02T03:04:05.678000Z')
  })

  it('gives an event without an id the same id at every retry, and another at another place', () => {
    const { event_id: _, ...anonymous } = event
    const id = normalise(anonymous, position).event_id

    expect(normalise(anonymous, position).event_id).toBe(id)
    expect(normalise(anonymous, { ...position, subSequenceNumber: 1 }).event_id).not.toBe(id)
    expect(id).toMatch(/^[0-9a-f-]{36}$/)
  })
})

describe('toItem', () => {
  const item = toItem(enrichBy(new ManualClock(Date.UTC(2026, 0, 2)))(normalise(event, position)), position)

  it('has a range key that sorts as time and ends in the id', () => {
    expect(item.timestamp).toBe('2015-05-17T10:05:03.123456Z#e1')
  })

  it('expires thirty days after the arrival, however old the event is, in seconds', () => {
    expect(item.ttl).toBe(Math.floor(Date.UTC(2026, 1, 1, 3, 4, 5, 678) / 1000))
  })

  it('says when and by which version it was processed, and from where it came', () => {
    expect(item).toMatchObject({
      processed_at: '2026-01-02T00:00:00.000Z',
      processing_version: '1.0',
      shard_id: position.shardId,
      sequence_number: '42',
      metadata: { device: 'mobile' },
    })
  })
})

describe('boundedEventType', () => {
  it.each([
    ['page_view', 'PAGE_VIEW'],
    ['Share', 'SHARE'],
    ['get', 'OTHER'],
    ['x'.repeat(200), 'OTHER'],
  ])('counts %s as %s', (type, dimension) => {
    expect(boundedEventType(normalise({ ...event, event_type: type }, position))).toBe(dimension)
  })
})
