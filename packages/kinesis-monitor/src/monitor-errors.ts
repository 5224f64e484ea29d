import { InvalidOptionError, isThrottlingCode, StreamingError } from '@org/kinesis-core'

/** The stream does not exist in this region and account. */
export class StreamNotFoundError extends StreamingError {
  override name = 'StreamNotFoundError'
  readonly streamName: string

  constructor(streamName: string, where: string, cause?: unknown) {
    super(
      `Stream ${streamName} was not found ${where}. Check the name, the region and the account: aws kinesis list-streams`,
      { code: 'STREAM_NOT_FOUND', retryable: false, cause },
    )
    this.streamName = streamName
  }
}

/** The service refused the call: `permission` is the IAM action that is missing, `resource` what it is missing on. */
export class PermissionDeniedError extends StreamingError {
  override name = 'PermissionDeniedError'
  readonly permission: string
  readonly resource: string

  constructor(permission: string, resource: string, cause?: unknown) {
    super(
      `The call was denied: ${permission} on ${resource}. Allow this action in the caller's IAM policy.`,
      {
        code: 'PERMISSION_DENIED',
        retryable: false,
        cause,
      },
    )
    this.permission = permission
    this.resource = resource
  }
}

/** No credentials were found (`NO_CREDENTIALS`), or the service does not accept those that were (`CREDENTIALS_REJECTED`). */
export class CredentialsError extends StreamingError {
  override name = 'CredentialsError'
}

/** Nothing answers at the endpoint, or the connection broke. */
export class EndpointUnreachableError extends StreamingError {
  override name = 'EndpointUnreachableError'
  readonly endpoint: string

  constructor(endpoint: string, reason: string, cause?: unknown) {
    super(`${endpoint} cannot be reached (${reason}). Check the endpoint, the region and the network.`, {
      code: 'ENDPOINT_UNREACHABLE',
      retryable: true,
      cause,
    })
    this.endpoint = endpoint
  }
}

/** The service asked for fewer calls, and did so until the retries were used up. */
export class ThrottledError extends StreamingError {
  override name = 'ThrottledError'
  constructor(permission: string, cause?: unknown) {
    super(`${permission} is throttled by the service. Call it less often, or ask for a higher quota.`, {
      code: 'THROTTLED',
      retryable: true,
      cause,
    })
  }
}

/** Any other answer that is not a success; `serviceCode` is the service's own. */
export class ServiceRequestError extends StreamingError {
  override name = 'ServiceRequestError'
  readonly serviceCode: string

  constructor(permission: string, serviceCode: string, message: string, retryable: boolean, cause?: unknown) {
    super(`${permission} failed with ${serviceCode}: ${message}`, {
      code: 'REQUEST_FAILED',
      retryable,
      cause,
    })
    this.serviceCode = serviceCode
  }
}

/** What was being asked when it failed. */
export interface AttemptedCall {
  /** As in an IAM policy: `kinesis:ListShards`. */
  permission: string
  /** The stream that the call was about; undefined for CloudWatch, whose calls name none. */
  streamName?: string | undefined
  region?: string | undefined
  endpoint?: string | undefined
}

const DENIED = new Set([
  'AccessDenied',
  'AccessDeniedException',
  'KMSAccessDeniedException',
  'UnauthorizedOperation',
])

const REJECTED_CREDENTIALS = new Set([
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'MissingAuthenticationTokenException',
  'RequestExpired',
  'RequestTimeTooSkewed',
  'SignatureDoesNotMatch',
  'UnrecognizedClientException',
])

const NETWORK = new Set([
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  'TimeoutError',
])

/** What the SDK throws carries these where it has them; nothing is taken for granted. */
interface SdkErrorShape {
  name?: string
  code?: string
  message?: string
  hostname?: string
  address?: string
  port?: number
  $metadata?: { httpStatusCode?: number; clockSkewCorrected?: boolean }
}

/** Turns whatever a client threw into one of the errors above: one line that names the remedy. */
export function toMonitorError(error: unknown, call: AttemptedCall): StreamingError {
  if (StreamingError.isInstance(error)) return error
  const shape: SdkErrorShape =
    typeof error === 'object' && error !== null ? error : { message: String(error) }
  const name = shape.name ?? 'UnknownError'
  const message = (shape.message ?? '').replace(/\s+/g, ' ').trim()
  const where = call.region === undefined ? '' : `in ${call.region}`

  if (name === 'CredentialsProviderError' || /resolved credential object is not valid/i.test(message)) {
    return new CredentialsError(
      'No AWS credentials were found. Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or pass credentials.',
      { code: 'NO_CREDENTIALS', retryable: false, cause: error },
    )
  }
  if (/region is missing/i.test(message)) {
    return new InvalidOptionError('region', undefined, 'Pass region, or set AWS_REGION.')
  }
  if (name === 'ResourceNotFoundException' && call.streamName !== undefined) {
    return new StreamNotFoundError(call.streamName, where, error)
  }
  if (DENIED.has(name)) return deniedError(name, message, call, error)
  if (REJECTED_CREDENTIALS.has(name)) {
    return new CredentialsError(
      `The credentials were rejected with ${name}. Renew them, and check the clock of this machine.`,
      // The SDK has set its clock by the answer: the next attempt is signed with the right time.
      { code: 'CREDENTIALS_REJECTED', retryable: shape.$metadata?.clockSkewCorrected === true, cause: error },
    )
  }
  const network = [shape.code, name].find((code) => code !== undefined && NETWORK.has(code))
  if (network !== undefined) return new EndpointUnreachableError(endpointOf(shape, call), network, error)
  const status = shape.$metadata?.httpStatusCode
  if (isThrottlingCode(name) || status === 429) return new ThrottledError(call.permission, error)
  return new ServiceRequestError(call.permission, name, message, status !== undefined && status >= 500, error)
}

function deniedError(
  name: string,
  message: string,
  call: AttemptedCall,
  cause: unknown,
): PermissionDeniedError {
  // IAM names both in its message; where it does not, the call itself says what was asked for.
  const told = /not authorized to perform:?\s+([\w-]+:\w+)(?: on resource:?\s+(\S+))?/i.exec(message)
  const permission = told?.[1] ?? (name === 'KMSAccessDeniedException' ? 'kms:Decrypt' : call.permission)
  const resource = told?.[2] ?? (call.streamName === undefined ? '*' : `stream ${call.streamName}`)
  return new PermissionDeniedError(permission, resource, cause)
}

function endpointOf(error: SdkErrorShape, call: AttemptedCall): string {
  if (call.endpoint !== undefined) return call.endpoint
  if (error.hostname !== undefined) return error.hostname
  if (error.address !== undefined) return `${error.address}:${error.port ?? ''}`
  return `The endpoint of ${call.permission.split(':')[0]}${call.region === undefined ? '' : ` in ${call.region}`}`
}
