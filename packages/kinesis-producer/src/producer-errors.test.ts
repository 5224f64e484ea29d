import { StreamingError } from '@org/kinesis-core'
import { describe, expect, it } from 'vitest'
import {
  AttemptsExhaustedError,
  InvalidRecordError,
  KeyHaltedError,
  ProducerClosedError,
  ProducerError,
  QueueFullError,
  RecordExpiredError,
  RecordTooLargeError,
  RequestRejectedError,
} from './producer-errors.js'

const cause = new Error('socket hang up.')

describe('errors', () => {
  it.each<[ProducerError, string, boolean, boolean, string]>([
    [
      new InvalidRecordError('data', 'it is odd', 'Make it even.'),
      'INVALID_RECORD',
      false,
      false,
      'data: it is odd. Make it even.',
    ],
    [new RecordTooLargeError(11, 10), 'RECORD_TOO_LARGE', false, false, 'the limit is 10 bytes'],
    [new QueueFullError(11, 10), 'QUEUE_FULL', true, false, 'Await ready()'],
    [
      new RecordExpiredError({ attempts: 1, recordTtlMs: 9, maybeDelivered: true, cause }),
      'RECORD_EXPIRED',
      true,
      true,
      '(9 ms, 1 attempt). Last failure: socket hang up. Put it again',
    ],
    [
      new AttemptsExhaustedError({ attempts: 3, maybeDelivered: false }),
      'ATTEMPTS_EXHAUSTED',
      true,
      false,
      'in 3 attempts, which is maxAttempts. Put it again',
    ],
    [new KeyHaltedError('a"b'), 'KEY_HALTED', false, false, 'partitionKey "a\\"b" is halted'],
    [
      new RequestRejectedError({ reason: 'Denied', message: 'no', maybeDelivered: true, cause }),
      'REQUEST_REJECTED',
      false,
      true,
      'no',
    ],
    [new ProducerClosedError('closed', { maybeDelivered: true }), 'PRODUCER_CLOSED', false, true, 'closed'],
  ])('%s', (error, code, retryable, maybeDelivered, message) => {
    expect(error).toMatchObject({ code, retryable, maybeDelivered })
    expect(error.message).toContain(message)
    expect(error.name).toBe(error.constructor.name)
    expect(error).toBeInstanceOf(ProducerError)
    expect(StreamingError.isInstance(error)).toBe(true)
  })

  it('carry the failure of the last attempt as their cause', () => {
    expect(new AttemptsExhaustedError({ attempts: 1, maybeDelivered: false, cause }).cause).toBe(cause)
  })
})
