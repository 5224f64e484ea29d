import { describe, expect, it } from 'vitest'
import { entryOutcome } from './entry-outcome.js'

describe('one entry of an answer', () => {
  it('is delivered where it has a shard and a sequence number', () => {
    expect(entryOutcome({ shardId: 'shardId-0', sequenceNumber: '1' })).toEqual({
      shardId: 'shardId-0',
      sequenceNumber: '1',
    })
  })

  it.each([
    ['ProvisionedThroughputExceededException', 'throttled'],
    ['RequestThrottledException', 'throttled'],
    ['InternalFailure', 'transient'],
  ])('with the code %s was not stored, and is %s', (errorCode, kind) => {
    expect(entryOutcome({ errorCode, errorMessage: 'why' })).toMatchObject({
      kind,
      reason: errorCode,
      maybeDelivered: false,
    })
  })

  it.each([undefined, null, {}, { shardId: 'shardId-0' }, { shardId: 0, sequenceNumber: 1 }, 'delivered'])(
    'that is %j may have been stored',
    (result) => {
      expect(entryOutcome(result as never)).toMatchObject({
        kind: 'transient',
        reason: 'MalformedResponse',
        maybeDelivered: true,
      })
    },
  )
})
