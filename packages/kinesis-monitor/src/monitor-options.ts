import {
  type Clock,
  InvalidOptionError,
  refuseUnknownOptions,
  systemClock,
  type TopologyManifest,
} from '@org/kinesis-core'
import type { AwsClients, AwsConnection } from './aws-clients.js'
import { awsMonitorSource } from './aws-monitor-source.js'
import { cliSuffix } from './health/wording.js'
import type { MonitorSource } from './monitor-source.js'
import { NO_NEIGHBOURS, neighboursOf, resolveStreamName, type StreamNeighbours } from './stream-neighbours.js'

export interface KinesisMonitorOptions extends AwsConnection {
  /** The stream to watch. @default the only stream of `topology` */
  streamName?: string | undefined
  /**
   * The manifest of the pipeline, as the CDK app and a local run write it. Gives the region and the endpoint, the functions and
   * delivery streams to look at, and the number of consumers.
   */
  topology?: TopologyManifest | undefined
  /** Clients to use in place of our own; they are not closed by `close`. */
  clients?: Partial<AwsClients> | undefined
  /** Where everything is read from, in place of the AWS APIs. @default awsMonitorSource */
  source?: MonitorSource | undefined
  /** @default the system's */
  clock?: Clock | undefined
}

const OPTION_NAMES: readonly (keyof KinesisMonitorOptions)[] = [
  'streamName',
  'topology',
  'region',
  'endpoint',
  'credentials',
  'clients',
  'source',
  'clock',
]

export interface ResolvedKinesisMonitorOptions {
  streamName: string
  neighbours: StreamNeighbours
  source: MonitorSource
  /** Does nothing to a source that the caller brought. */
  closeSource: () => void
  clock: Clock
  cliSuffix: string
}

/** `others`: names of options that are resolved elsewhere, where the caller gives them together. */
export function resolveKinesisMonitorOptions(
  options: KinesisMonitorOptions,
  others: readonly string[] = [],
): ResolvedKinesisMonitorOptions {
  refuseUnknownOptions(options, [...OPTION_NAMES, ...others])
  const { topology, clients, clock = systemClock } = options
  const connection = resolveConnection(options)
  const streamName = resolveStreamName(options.streamName, topology)
  const source = options.source ?? awsMonitorSource({ ...connection, clients, clock })
  return {
    streamName,
    neighbours: topology === undefined ? NO_NEIGHBOURS : neighboursOf(streamName, topology),
    source,
    closeSource: options.source === undefined ? () => source.close() : () => {},
    clock,
    cliSuffix: cliSuffix(connection.region, connection.endpoint),
  }
}

function resolveConnection({ topology, ...options }: KinesisMonitorOptions): AwsConnection {
  const endpoint = options.endpoint ?? topology?.endpointUrl
  if (endpoint !== undefined && !URL.canParse(endpoint)) {
    throw new InvalidOptionError('endpoint', endpoint, 'Use a URL such as http://127.0.0.1:4567.')
  }
  // A local run takes any key; nobody should need an account to watch it.
  const localKeys = { accessKeyId: 'local', secretAccessKey: 'local' }
  return {
    region: options.region ?? topology?.region,
    endpoint,
    credentials: options.credentials ?? (topology?.kind === 'local' ? localKeys : undefined),
  }
}
