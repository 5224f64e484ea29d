import type { KinesisClientConfig } from '@aws-sdk/client-kinesis'
import { InvalidOptionError } from '@org/kinesis-core'
import type { StreamIdentity } from '../put-records-transport.js'

export interface ConnectionFlags {
  region?: string
  profile?: string
  endpointUrl?: string
}

export interface Connection {
  region?: string
  endpoint?: string
  credentials?: NonNullable<KinesisClientConfig['credentials']>
}

/**
 * How to reach the stream, by the AWS CLI's rules where the SDK's differ: `--profile` goes before keys in the environment, and
 * AWS_DEFAULT_REGION counts. A service on this machine takes any keys, so where none are configured it gets some.
 */
export function connectionTo(
  stream: StreamIdentity,
  { region, profile, endpointUrl }: ConnectionFlags,
  environment: NodeJS.ProcessEnv,
): Connection {
  if (profile !== undefined) useProfile(profile, environment)
  const endpoint = endpointUrl ?? configuredEndpoint(environment)
  const isLocal =
    endpoint !== undefined && ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(endpoint).hostname)
  const given = region ?? regionOf(stream) ?? (environment.AWS_REGION || environment.AWS_DEFAULT_REGION)
  const isBare = isLocal && !environment.AWS_PROFILE
  const found = given || (isBare ? 'us-east-1' : undefined)
  return {
    ...(found === undefined ? {} : { region: found }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(isBare && !environment.AWS_ACCESS_KEY_ID && !environment.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI
      ? { credentials: { accessKeyId: 'local', secretAccessKey: 'local' } }
      : {}),
  }
}

function useProfile(profile: string, environment: NodeJS.ProcessEnv): void {
  environment.AWS_PROFILE = profile
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN']) {
    delete environment[name]
  }
}

function configuredEndpoint(environment: NodeJS.ProcessEnv): string | undefined {
  const name = ['AWS_ENDPOINT_URL_KINESIS', 'AWS_ENDPOINT_URL'].find((name) => environment[name])
  // Set and empty is how a shell unsets it for one command.
  if (name === undefined) return undefined
  const value = environment[name]!
  if (URL.canParse(value)) return value
  throw new InvalidOptionError(name, value, 'Give a URL such as http://127.0.0.1:4566, or unset it.')
}

function regionOf(stream: StreamIdentity): string | undefined {
  return 'streamArn' in stream ? stream.streamArn.split(':')[3] : undefined
}
