import {
  DescribeStreamSummaryCommand,
  KinesisClient,
  type KinesisClientConfig,
} from '@aws-sdk/client-kinesis'
import { InvalidOptionError, StreamingError } from '@org/kinesis-core'
import { NodeHttpHandler } from '@smithy/node-http-handler'

export type ConnectionOptions = Pick<KinesisClientConfig, 'region' | 'endpoint' | 'credentials'>

/**
 * How to reach the stream. A service on this machine takes any keys, so where none are configured it gets some: nobody should need an account
 * to talk to their own laptop.
 */
export function connectionOptions(
  endpointUrl: string | undefined,
  region: string | undefined,
  environment: NodeJS.ProcessEnv,
): ConnectionOptions {
  const url = endpointUrl ?? endpointOf(environment)
  const isLocal = url !== undefined && ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(url).hostname)
  const hasKeys = ['AWS_ACCESS_KEY_ID', 'AWS_PROFILE', 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'].some(
    (name) => environment[name],
  )
  return {
    ...(url === undefined ? {} : { endpoint: url }),
    ...(region !== undefined
      ? { region }
      : isLocal && !environment.AWS_REGION
        ? { region: 'us-east-1' }
        : {}),
    ...(isLocal && !hasKeys ? { credentials: { accessKeyId: 'local', secretAccessKey: 'local' } } : {}),
  }
}

function endpointOf(environment: NodeJS.ProcessEnv): string | undefined {
  for (const name of ['AWS_ENDPOINT_URL_KINESIS', 'AWS_ENDPOINT_URL']) {
    const value = environment[name]
    // Set and empty is how a shell unsets it for one command.
    if (!value) continue
    if (URL.canParse(value)) return value
    throw new InvalidOptionError(name, value, 'Give a URL such as http://127.0.0.1:4566, or unset it.')
  }
  return undefined
}

const CHECK_TIMEOUT_MS = 5_000

/** Asks for the stream once, so that whatever is wrong is said before anything is generated; gives the number of its open shards. */
export async function checkStream(streamName: string, connection: ConnectionOptions): Promise<number> {
  // HTTP/1.1: its errors say why a connection failed; those of HTTP/2 say that a stream was cancelled.
  const client = new KinesisClient({ ...connection, maxAttempts: 1, requestHandler: new NodeHttpHandler() })
  try {
    const { StreamDescriptionSummary } = await client.send(
      new DescribeStreamSummaryCommand({ StreamName: streamName }),
      {
        abortSignal: AbortSignal.timeout(CHECK_TIMEOUT_MS),
      },
    )
    return StreamDescriptionSummary?.OpenShardCount ?? 1
  } catch (error) {
    throw connectionError(error as Error, streamName, connection)
  } finally {
    client.destroy()
  }
}

function connectionError(
  error: Error & { code?: string },
  streamName: string,
  { endpoint }: ConnectionOptions,
): StreamingError {
  const place = endpoint === undefined ? 'AWS' : String(endpoint)
  const fail = (code: string, message: string) =>
    new StreamingError(message, { code, retryable: false, cause: error })
  const { name, message } = error
  if (name === 'ResourceNotFoundException') {
    return fail(
      'NO_STREAM',
      `There is no stream ${streamName} at ${place}. Create it, or check --stream-name and --region.`,
    )
  }
  if (name === 'ValidationException') {
    return fail(
      'BAD_STREAM_NAME',
      `${JSON.stringify(streamName)} is no name of a stream. Give --stream-name 1 to 128 letters, digits, _ . and -.`,
    )
  }
  if (name === 'CredentialsProviderError' || /credentials/i.test(message)) {
    return fail(
      'NO_CREDENTIALS',
      'There are no AWS credentials. Set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or log in.',
    )
  }
  if (/region is missing/i.test(message))
    return fail('NO_REGION', 'There is no region. Pass --region, or set AWS_REGION.')
  if (/AccessDenied|UnrecognizedClient|InvalidSignature|ExpiredToken/.test(name)) {
    return fail(
      'DENIED',
      `${place} denies kinesis:DescribeStreamSummary on ${streamName} (${name}). Check the credentials and their policy.`,
    )
  }
  if (name === 'TimeoutError' || name === 'AbortError') {
    return fail(
      'UNREACHABLE',
      `${place} did not answer within ${CHECK_TIMEOUT_MS / 1000} s. Check --endpoint-url and the network.`,
    )
  }
  const reason = error.code ?? (message.split('\n')[0] || name)
  return fail(
    'UNREACHABLE',
    `${place} cannot be reached (${reason}). Start it, or check --endpoint-url and --region.`,
  )
}
