import { describe, expect, it } from 'vitest'
import { toMonitorError } from './monitor-errors.js'

const call = { permission: 'kinesis:ListShards', streamName: 'clicks', region: 'eu-west-1' }

function sdkError(name: string, message = '', more: object = {}): Error {
  return Object.assign(new Error(message), { name }, more)
}

describe('toMonitorError', () => {
  it.each([
    ['a missing stream', sdkError('ResourceNotFoundException'), 'STREAM_NOT_FOUND', false],
    ['a denied call', sdkError('AccessDeniedException'), 'PERMISSION_DENIED', false],
    ['missing credentials', sdkError('CredentialsProviderError'), 'NO_CREDENTIALS', false],
    ['expired credentials', sdkError('ExpiredTokenException'), 'CREDENTIALS_REJECTED', false],
    ['a refused connection', sdkError('Error', '', { code: 'ECONNREFUSED' }), 'ENDPOINT_UNREACHABLE', true],
    ['a connection that times out', sdkError('TimeoutError'), 'ENDPOINT_UNREACHABLE', true],
    ['throttling', sdkError('ProvisionedThroughputExceededException'), 'THROTTLED', true],
    ['throttling by status', sdkError('X', '', { $metadata: { httpStatusCode: 429 } }), 'THROTTLED', true],
    ['a failure inside', sdkError('X', '', { $metadata: { httpStatusCode: 500 } }), 'REQUEST_FAILED', true],
    [
      'a refusal',
      sdkError('ValidationException', '', { $metadata: { httpStatusCode: 400 } }),
      'REQUEST_FAILED',
      false,
    ],
    ['a missing region', sdkError('Error', 'Region is missing'), 'INVALID_OPTION', false],
    ['something that is no error', 'boom', 'REQUEST_FAILED', false],
  ])('tells %s by its code, and whether trying again can help', (_, thrown, code, retryable) => {
    const error = toMonitorError(thrown, call)

    expect(error).toMatchObject({ code, retryable })
    expect(error.message).not.toContain('\n')
  })

  it('names the permission and the resource that IAM names', () => {
    const message =
      'User: arn:aws:iam::123456789012:user/ann is not authorized to perform: kinesis:ListShards on resource: ' +
      'arn:aws:kinesis:eu-west-1:123456789012:stream/clicks because no identity-based policy allows it'

    const error = toMonitorError(sdkError('AccessDeniedException', message), call)

    expect(error).toMatchObject({
      permission: 'kinesis:ListShards',
      resource: 'arn:aws:kinesis:eu-west-1:123456789012:stream/clicks',
    })
  })

  it('names the permission of the call where the service names none', () => {
    const error = toMonitorError(sdkError('AccessDeniedException', 'No.'), call)

    expect(error.message).toContain('kinesis:ListShards on stream clicks')
  })

  it('takes a denied key for what it is: the key is missing, not the read', () => {
    const error = toMonitorError(sdkError('KMSAccessDeniedException'), call)

    expect(error).toMatchObject({ permission: 'kms:Decrypt' })
  })

  it('lets a call go again whose clock the SDK has just corrected', () => {
    const skewed = sdkError('InvalidSignatureException', '', { $metadata: { clockSkewCorrected: true } })

    expect(toMonitorError(skewed, call).retryable).toBe(true)
  })

  it('says which endpoint cannot be reached', () => {
    const refused = sdkError('Error', '', { code: 'ECONNREFUSED', address: '127.0.0.1', port: 4567 })

    expect(toMonitorError(refused, call).message).toContain('127.0.0.1:4567')
    expect(toMonitorError(refused, { ...call, endpoint: 'http://local:1' }).message).toContain(
      'http://local:1',
    )
  })

  it('keeps the message of the service in one line', () => {
    const error = toMonitorError(sdkError('ValidationException', 'first\n  second'), call)

    expect(error.message).toBe('kinesis:ListShards failed with ValidationException: first second')
  })

  it('passes its own errors through', () => {
    const own = toMonitorError(sdkError('AccessDeniedException'), call)

    expect(toMonitorError(own, call)).toBe(own)
  })
})
