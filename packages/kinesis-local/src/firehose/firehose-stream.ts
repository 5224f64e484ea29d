import { resolveDelivery } from '../delivery/delivery-options.js'
import { createDeliveryStreamHost, type DeliveryStream } from '../delivery/delivery-stream.js'
import type { HostDependencies } from '../function/host-dependencies.js'
import { asInvalidArgument, type ConfigurationContext, readDestination } from './delivery-configuration.js'
import { deliveryWarnings } from './delivery-warnings.js'
import { DirectDelivery } from './direct-delivery.js'
import { invalidArgument, objectOf, text } from './firehose-input.js'

export type Input = Record<string, unknown>
export type SourceType = 'DirectPut' | 'KinesisStreamAsSource'

export interface FirehoseContext extends ConfigurationContext {
  deps: HostDependencies
  /** Told what keeps a delivery from its bucket. */
  onWarning: (message: string) => void
}

export interface FirehoseStream {
  name: string
  arn: string
  type: SourceType
  createdAtMs: number
  source: Input
  destination: Input
  /** Counts the changes of the destination, from 1. */
  version: number
  tags: Map<string, string>
  delivery: DirectDelivery | DeliveryStream
}

export const DESTINATION_ID = 'destinationId-000000000001'

/** From a stream it reads from now on, as the service. */
export function openDelivery(
  {
    name,
    type,
    source,
    destination,
    version,
  }: Pick<FirehoseStream, 'name' | 'type' | 'source' | 'destination' | 'version'>,
  context: FirehoseContext,
): FirehoseStream['delivery'] {
  const { deps, onWarning } = context
  const told = deliveryWarnings(name, onWarning)
  const options = { ...readDestination(destination, context), name }
  return asInvalidArgument(() => {
    if (type === 'DirectPut')
      return new DirectDelivery({ ...resolveDelivery(options, deps.region), version }, deps, told)
    if (type !== 'KinesisStreamAsSource')
      throw invalidArgument(`DeliveryStreamType ${type} is not supported here.`)
    const startingPosition = { atTimestampMs: deps.clock.now() }
    return createDeliveryStreamHost({ ...options, streamName: streamName(source), startingPosition }, deps, {
      version,
    })
  })
}

/** As DescribeDeliveryStream has it. */
export function describe({ name, arn, type, createdAtMs, source, destination, version }: FirehoseStream) {
  return {
    DeliveryStreamName: name,
    DeliveryStreamARN: arn,
    DeliveryStreamStatus: 'ACTIVE',
    DeliveryStreamType: type,
    VersionId: String(version),
    CreateTimestamp: createdAtMs / 1000,
    ...(type === 'DirectPut'
      ? {}
      : {
          Source: {
            KinesisStreamSourceDescription: { ...source, DeliveryStartTimestamp: createdAtMs / 1000 },
          },
        }),
    Destinations: [
      {
        DestinationId: DESTINATION_ID,
        ExtendedS3DestinationDescription: {
          CompressionFormat: 'UNCOMPRESSED',
          EncryptionConfiguration: { NoEncryptionConfig: 'NoEncryption' },
          ...destination,
          BufferingHints: { SizeInMBs: 5, IntervalInSeconds: 300, ...objectOf(destination.BufferingHints) },
        },
      },
    ],
    HasMoreDestinations: false,
  }
}

function streamName(source: Input): string {
  const name = /^arn:[\w-]+:kinesis:[\w-]+:\d{12}:stream\/([\w.-]+)$/.exec(
    text(source, 'KinesisStreamARN'),
  )?.[1]
  if (name === undefined) throw invalidArgument('KinesisStreamARN is no ARN of a stream.')
  return name
}
