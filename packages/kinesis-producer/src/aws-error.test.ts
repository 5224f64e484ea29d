import { describe, expect, it } from 'vitest'
import { classifyAwsError } from './aws-error.js'
import type { TransportFaultKind } from './put-records-transport.js'

const anError = (name: string, message: string, facts: object = {}) =>
  Object.assign(new Error(message), { name, ...facts })
const answered = (httpStatusCode: number) => ({ $metadata: { httpStatusCode } })

describe('an error of the SDK, the service or the system', () => {
  it.each<[string, unknown, TransportFaultKind, boolean, RegExp]>([
    [
      'throttled by the shard',
      anError('ProvisionedThroughputExceededException', 'Rate exceeded', answered(400)),
      'throttled',
      false,
      /Rate exceeded/,
    ],
    [
      'throttled by the key',
      anError('KMSThrottlingException', 'slow', answered(400)),
      'throttled',
      false,
      /slow/,
    ],
    [
      'throttled by a proxy',
      anError('Unknown', 'UnknownError', answered(429)),
      'throttled',
      false,
      /HTTP 429/,
    ],
    [
      'a missing stream',
      anError('ResourceNotFoundException', 'Stream orders under account 1 not found.', answered(400)),
      'rejected',
      false,
      /stream orders was not found .*Create it/,
    ],
    [
      'denied access',
      anError('AccessDeniedException', 'not authorized', answered(400)),
      'rejected',
      false,
      /Allow kinesis:PutRecords/,
    ],
    [
      'unknown credentials',
      anError('UnrecognizedClientException', 'invalid token', answered(400)),
      'rejected',
      false,
      /does not accept the AWS credentials/,
    ],
    [
      'a wrong secret',
      anError('InvalidSignatureException', 'The signature does not match', answered(403)),
      'rejected',
      false,
      /secret/,
    ],
    [
      'a clock that is off',
      anError('InvalidSignatureException', 'Signature expired: 2026', answered(403)),
      'transient',
      false,
      /Signature expired/,
    ],
    [
      'credentials that ran out',
      anError('ExpiredTokenException', 'expired', answered(400)),
      'transient',
      false,
      /expired/,
    ],
    [
      'no credentials',
      anError('CredentialsProviderError', 'Could not load credentials from any providers'),
      'rejected',
      false,
      /Set AWS_ACCESS_KEY_ID/,
    ],
    ['no region', new Error('Region is missing'), 'rejected', false, /Set AWS_REGION/],
    [
      'a validation error',
      anError('ValidationException', 'too long', answered(400)),
      'rejected',
      false,
      /too long/,
    ],
    ['a server error', anError('InternalFailure', 'oops', answered(500)), 'transient', true, /oops/],
    ['a reset', anError('Error', 'socket hang up', { code: 'ECONNRESET' }), 'transient', true, /ECONNRESET/],
    [
      'nobody listening',
      anError('Error', 'connect ECONNREFUSED 127.0.0.1:1', { code: 'ECONNREFUSED' }),
      'transient',
      false,
      /cannot be reached/,
    ],
    [
      'nobody listening on any address',
      Object.assign(new AggregateError([new Error('connect ECONNREFUSED ::1:1')]), { code: 'ECONNREFUSED' }),
      'transient',
      false,
      /ECONNREFUSED ::1:1/,
    ],
    [
      'an unknown host',
      anError('Error', 'getaddrinfo ENOTFOUND x', { code: 'ENOTFOUND' }),
      'transient',
      false,
      /ENOTFOUND/,
    ],
    [
      'an untrusted certificate',
      anError('Error', 'self-signed certificate', { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }),
      'rejected',
      false,
      /not trusted/,
    ],
    [
      'a truncated body',
      anError(
        'SyntaxError',
        'Unterminated string\n  Deserialization error: to see the raw response…',
        answered(200),
      ),
      'transient',
      true,
      /^SyntaxError: Unterminated string$/,
    ],
    ['something that is no error', 'boom', 'transient', true, /boom/],
  ])('that says %s', (_, error, kind, maybeDelivered, message) => {
    const fault = classifyAwsError(error, { streamName: 'orders' }, 'kinesis:PutRecords')

    expect(fault).toMatchObject({ kind, maybeDelivered, cause: error })
    expect(fault.message).toMatch(message)
  })
})
