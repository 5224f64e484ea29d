import { isThrottlingCode } from '@org/kinesis-core'
import { type StreamIdentity, TransportFault } from './put-records-transport.js'

/** The connection was never made, so nothing can have been stored. */
const NOT_CONNECTED = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
])

/** The signature is too old or too new: the SDK corrects its clock, or renews the credentials, before the next attempt. */
const STALE_SIGNATURE = new Set([
  'ExpiredTokenException',
  'ExpiredToken',
  'RequestExpired',
  'RequestTimeTooSkewed',
  'RequestInTheFuture',
])

/** What was asked for, as IAM policies name it. */
type Permission = 'kinesis:PutRecords' | 'kinesis:ListShards' | 'kinesis:DescribeStreamSummary'

/** What the SDK, the service or the system threw, as a decision. */
export function classifyAwsError(
  error: unknown,
  stream: StreamIdentity,
  permission: Permission,
): TransportFault {
  if (error instanceof TransportFault) return error
  const { name, code, message, statusCode } = facts(error)
  const reason = code ?? name
  const fault = (kind: TransportFault['kind'], text: string, maybeDelivered = false) =>
    new TransportFault(text, { kind, reason, maybeDelivered, cause: error })

  if (isThrottlingCode(name) || statusCode === 429) return fault('throttled', `${reason}: ${message}`)
  if (name === 'CredentialsProviderError' || name === 'TokenProviderError') {
    return fault(
      'rejected',
      `No AWS credentials could be used (${message}). Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE or a role, or pass credentials.`,
    )
  }
  if (message.includes('Region is missing')) {
    return fault('rejected', 'No AWS region is set. Set AWS_REGION or pass region.')
  }
  if (
    STALE_SIGNATURE.has(name) ||
    (name === 'InvalidSignatureException' && /expired|not yet/i.test(message))
  ) {
    return fault('transient', `${reason}: ${message}`)
  }
  if (name === 'ResourceNotFoundException') {
    return fault(
      'rejected',
      `The stream ${nameOf(stream)} was not found (${message}). Create it, or correct its name, the account, the region or the endpoint.`,
    )
  }
  if (name.startsWith('AccessDenied') || name === 'KMSAccessDeniedException') {
    return fault(
      'rejected',
      `Access to the stream ${nameOf(stream)} is denied (${message}). Allow ${permission} on the stream${keyHint(permission)}.`,
    )
  }
  if (name === 'UnrecognizedClientException' || name === 'InvalidSignatureException') {
    return fault(
      'rejected',
      `The service does not accept the AWS credentials (${reason}: ${message}). Check the access key, its secret, the session token and the region.`,
    )
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return fault('rejected', `The service refused the request to ${nameOf(stream)} (${reason}: ${message}).`)
  }
  if (code !== undefined && NOT_CONNECTED.has(code)) {
    return fault('transient', `The endpoint cannot be reached (${reason}: ${message}).`)
  }
  if (code !== undefined && /^(ERR_TLS_CERT|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/.test(code)) {
    return fault('rejected', `The certificate of the endpoint is not trusted (${reason}: ${message}).`)
  }
  // 5xx, resets, broken bodies: the service may have stored the records before it went wrong.
  return fault('transient', `${reason}: ${message}`, true)
}

interface ErrorFacts {
  name: string
  code: string | undefined
  message: string
  statusCode: number | undefined
}

function facts(error: unknown): ErrorFacts {
  if (typeof error !== 'object' || error === null) {
    return { name: 'Error', code: undefined, message: String(error), statusCode: undefined }
  }
  const { name, code, message, $metadata, errors } = error as Record<string, unknown>
  // Node throws an AggregateError without a message where a host has several addresses.
  const first = Array.isArray(errors) && errors[0] instanceof Error ? errors[0].message : ''
  const statusCode = statusCodeOf($metadata)
  return {
    // The SDK's word for an answer without an error code in it, that of a proxy or load balancer say.
    name: typeof name === 'string' && name !== 'Unknown' ? name : `HTTP ${statusCode ?? 'error'}`,
    code: typeof code === 'string' ? code : undefined,
    message: firstLine(typeof message === 'string' && message !== '' ? message : first),
    statusCode,
  }
}

/** The SDK adds hints for its own users on further lines. */
function firstLine(message: string): string {
  return message.split('\n', 1)[0]!.replace(/\.$/, '')
}

function statusCodeOf(metadata: unknown): number | undefined {
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined
}

function keyHint(permission: Permission): string {
  return permission === 'kinesis:PutRecords'
    ? ', and kms:GenerateDataKey on its key where it is encrypted'
    : ''
}

function nameOf(stream: StreamIdentity): string {
  return 'streamName' in stream ? stream.streamName : stream.streamArn
}
