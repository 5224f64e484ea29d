import {
  DescribeStreamSummaryCommand,
  KinesisClient,
  type StreamDescriptionSummary,
} from '@aws-sdk/client-kinesis'
import { StreamingError } from '@org/kinesis-core'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { classifyAwsError } from '../aws-error.js'
import type { StreamIdentity } from '../put-records-transport.js'
import type { Connection } from './connection.js'

/** What is known of the stream; nothing where one may put records but not ask. */
export interface StreamFacts {
  openShards?: number
  maxRecordBytes?: number
}

const TIMEOUT_MS = 5_000

/** Asks for the stream once, so that whatever is wrong is said before anything is read. */
export async function checkStream(
  stream: StreamIdentity,
  connection: Connection,
  environment: NodeJS.ProcessEnv,
): Promise<StreamFacts> {
  // HTTP/1.1: its errors say why a connection failed; those of HTTP/2 say that a stream was cancelled.
  const client = new KinesisClient({ ...connection, maxAttempts: 2, requestHandler: new NodeHttpHandler() })
  const input = 'streamName' in stream ? { StreamName: stream.streamName } : { StreamARN: stream.streamArn }
  try {
    const output = await client.send(new DescribeStreamSummaryCommand(input), {
      abortSignal: AbortSignal.timeout(TIMEOUT_MS),
    })
    return factsOf(output.StreamDescriptionSummary)
  } catch (error) {
    const fault = faultOf(error, stream, connection, environment.AWS_PROFILE)
    if (fault === undefined) return {}
    throw fault
  } finally {
    client.destroy()
  }
}

function factsOf(summary: StreamDescriptionSummary | undefined): StreamFacts {
  const { StreamName: name, StreamStatus: status, OpenShardCount, MaxRecordSizeInKiB } = summary ?? {}
  if (status === 'CREATING' || status === 'DELETING')
    throw cannotPut(`The stream ${name} is ${status}. Wait until it is ACTIVE, or name another one.`)
  return {
    ...(OpenShardCount === undefined ? {} : { openShards: OpenShardCount }),
    ...(MaxRecordSizeInKiB === undefined ? {} : { maxRecordBytes: MaxRecordSizeInKiB * 1024 }),
  }
}

/** Undefined where the question was refused and records may still be taken: who may only put, or asks among many. */
function faultOf(
  error: unknown,
  stream: StreamIdentity,
  { endpoint }: Connection,
  profile: string | undefined,
): StreamingError | undefined {
  if (StreamingError.isInstance(error)) return error
  const place = endpoint ?? 'AWS'
  const name = error instanceof Error ? error.name : ''
  if (name === 'TimeoutError' || name === 'AbortError') {
    const text = `${place} did not answer within ${TIMEOUT_MS / 1000} s.`
    return cannotPut(`${text} Check --endpoint-url, --region and the network.`, error)
  }
  if (name === 'CredentialsProviderError') {
    const whose = profile ? ` of the profile ${profile}` : ''
    const remedy = 'Log in, pass --profile, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.'
    return cannotPut(`There are no AWS credentials${whose}. ${remedy}`, error)
  }
  const { kind, message } = classifyAwsError(error, stream, 'kinesis:DescribeStreamSummary')
  if (message.startsWith('No AWS region'))
    return cannotPut('There is no AWS region. Pass --region, or set AWS_REGION.', error)
  if (name.startsWith('AccessDenied') || kind === 'throttled') return undefined
  const remedy = kind === 'rejected' ? '' : ' Check --endpoint-url and --region.'
  return cannotPut(`${place}: ${message}${remedy}`, error)
}

function cannotPut(message: string, cause?: unknown): StreamingError {
  return new StreamingError(message, { code: 'NO_STREAM', retryable: false, cause })
}
