import { describe, expect, it } from 'vitest'
import { isThrottlingCode } from './throttling-codes.js'

describe('a throttling code', () => {
  it.each([
    'ProvisionedThroughputExceededException',
    'LimitExceededException',
    'KMSThrottlingException',
    'ThrottlingException',
    'RequestThrottled',
    'RequestThrottledException',
    'SlowDown',
  ])('is %s', (code) => {
    expect(isThrottlingCode(code)).toBe(true)
  })

  it.each(['InternalFailure', 'ResourceNotFoundException', 'KMSAccessDeniedException', '', 'throttling'])(
    'is not %j',
    (code) => {
      expect(isThrottlingCode(code)).toBe(false)
    },
  )
})
