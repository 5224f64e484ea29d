import { CloudWatchClient } from '@aws-sdk/client-cloudwatch'
import { KinesisClient, type KinesisClientConfig } from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'

export interface AwsConnection {
  /** @default the SDK's: AWS_REGION, then the profile's */
  region?: string | undefined
  /** One base URL for Kinesis and CloudWatch. @default the SDK's: AWS_ENDPOINT_URL, then the region's */
  endpoint?: string | undefined
  /** @default the SDK's chain: environment, profile, container, instance */
  credentials?: KinesisClientConfig['credentials'] | undefined
}

export interface AwsClients {
  kinesis: KinesisClient
  cloudWatch: CloudWatchClient
}

/** A connection that does not stand by then will not: a wrong endpoint must not hang the caller. */
const CONNECTION_TIMEOUT_MS = 5_000
const REQUEST_TIMEOUT_MS = 30_000

export function createAwsClients(connection: AwsConnection): AwsClients {
  const config = {
    ...(connection.region === undefined ? {} : { region: connection.region }),
    ...(connection.endpoint === undefined ? {} : { endpoint: connection.endpoint }),
    ...(connection.credentials === undefined ? {} : { credentials: connection.credentials }),
    // Repeating is ours to do: a read that the SDK repeats by itself would take more than its share of a shard's five per second.
    maxAttempts: 1,
  }
  return {
    kinesis: new KinesisClient({ ...config, requestHandler: keepAliveHandler() }),
    cloudWatch: new CloudWatchClient({ ...config, requestHandler: keepAliveHandler() }),
  }
}

/** HTTP/1.1 with kept connections: the SDK's default for Kinesis opens a new session for every request. */
function keepAliveHandler(): NodeHttpHandler {
  return new NodeHttpHandler({
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    throwOnRequestTimeout: true,
    httpAgent: { keepAlive: true, maxSockets: 64 },
    httpsAgent: { keepAlive: true, maxSockets: 64 },
  })
}
