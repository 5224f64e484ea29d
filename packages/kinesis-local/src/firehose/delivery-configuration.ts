import { firehoseQuotas, InvalidOptionError } from '@org/kinesis-core'
import type { DeliveryStreamOptions } from '../delivery/delivery-options.js'
import type { LocalFunction } from '../function/local-function.js'
import { numberOf, textOf } from '../scalar-input.js'
import { invalidArgument, objectOf, optionalText, text } from './firehose-input.js'

type Input = Record<string, unknown>
type Delivery = Omit<DeliveryStreamOptions, 'name' | 'streamName' | 'folder'>

export interface ConfigurationContext {
  functionNamed(name: string): LocalFunction | undefined
  destinationOf(bucket: string): NonNullable<DeliveryStreamOptions['destination']>
}

const MiB = 1024 * 1024
/** With dynamic partitioning (API reference, BufferingHints and DynamicPartitioningConfiguration). */
const MIN_PARTITIONED_MB = 64
const MIN_PARTITIONED_SECONDS = 60

/** Reads an ExtendedS3DestinationConfiguration, and refuses what is not here instead of ignoring it. */
export function readDestination(input: Input, context: ConfigurationContext): Delivery {
  const bucket = /^arn:[\w-]+:s3:::([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])$/.exec(text(input, 'BucketARN'))?.[1]
  if (bucket === undefined) throw invalidArgument('BucketARN is no ARN of a bucket.')
  if (objectOf(input.DataFormatConversionConfiguration).Enabled === true) {
    throw invalidArgument(
      'DataFormatConversionConfiguration names a table of a catalog, and there is none here. In process, createDeliveryStream takes parquet: { columns }.',
    )
  }
  if (input.S3BackupMode === 'Enabled') throw invalidArgument('S3BackupMode is not supported here.')
  const isPartitioned = objectOf(input.DynamicPartitioningConfiguration).Enabled === true
  const extension = optionalText(input, 'FileExtension')
  const timeZone = optionalText(input, 'CustomTimeZone')
  return {
    destination: context.destinationOf(bucket),
    compression: readCompression(input.CompressionFormat),
    dynamicPartitioning: isPartitioned,
    ...readPrefixes(input, isPartitioned),
    ...readBuffering(input.BufferingHints, isPartitioned),
    ...readProcessors(input.ProcessingConfiguration, context),
    ...(extension === undefined || extension === '' ? {} : { fileExtension: extension }),
    ...(timeZone === undefined || timeZone === '' ? {} : { timeZone }),
  }
}

/** What an option cannot be is an argument that cannot be, over the wire. */
export function asInvalidArgument<T>(resolve: () => T): T {
  try {
    return resolve()
  } catch (error) {
    if (error instanceof InvalidOptionError) throw invalidArgument(error.message)
    throw error
  }
}

/** "Understand custom prefixes": the error prefix may be left out only where the prefix has no expressions. */
function readPrefixes(input: Input, isPartitioned: boolean) {
  const prefix = optionalText(input, 'Prefix') ?? ''
  const errorPrefix = optionalText(input, 'ErrorOutputPrefix')
  if (errorPrefix !== undefined && errorPrefix !== '') return { prefix, errorPrefix }
  if (prefix.includes('!{') || isPartitioned) {
    throw invalidArgument('ErrorOutputPrefix cannot be null or empty when Prefix contains expressions.')
  }
  return { prefix, errorPrefix: `${prefix}!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd/HH/}` }
}

function readBuffering(hints: unknown, isPartitioned: boolean) {
  const { SizeInMBs = isPartitioned ? MIN_PARTITIONED_MB : 5, IntervalInSeconds = 300 } = objectOf(hints)
  const size = whole(SizeInMBs, 'BufferingHints.SizeInMBs', isPartitioned ? MIN_PARTITIONED_MB : 1, 128)
  const seconds = whole(
    IntervalInSeconds,
    'BufferingHints.IntervalInSeconds',
    isPartitioned ? MIN_PARTITIONED_SECONDS : 0,
    firehoseQuotas.maxBufferIntervalMs / 1000,
  )
  return { bufferBytes: size * MiB, bufferIntervalMs: seconds * 1000 }
}

function readCompression(format: unknown): 'GZIP' | 'UNCOMPRESSED' {
  if (format === undefined || format === null || format === 'UNCOMPRESSED') return 'UNCOMPRESSED'
  if (format === 'GZIP') return 'GZIP'
  throw invalidArgument(
    `CompressionFormat ${textOf(format).slice(0, 40)} is not supported here; use GZIP or UNCOMPRESSED.`,
  )
}

function readProcessors(configuration: unknown, { functionNamed }: ConfigurationContext): Delivery {
  const { Enabled, Processors } = objectOf(configuration)
  if (Enabled !== true || !Array.isArray(Processors) || Processors.length === 0) return {}
  const [processor, ...others] = Processors.map(objectOf)
  if (others.length > 0 || processor!.Type !== 'Lambda') {
    throw invalidArgument('ProcessingConfiguration: one processor of Type Lambda is supported here.')
  }
  const parameters = new Map(
    (Array.isArray(processor!.Parameters) ? processor!.Parameters : [])
      .map(objectOf)
      .map(({ ParameterName, ParameterValue }) => [textOf(ParameterName), textOf(ParameterValue)]),
  )
  const name = (parameters.get('LambdaArn') ?? '').split(':')[6]
  const transform = name === undefined ? undefined : functionNamed(name)
  if (transform === undefined) {
    throw invalidArgument(
      `There is no function ${name ?? ''}: make it with createFunction before the delivery stream.`,
    )
  }
  const megabytes = numberOf(parameters.get('BufferSizeInMBs') ?? 1)
  const seconds = parameters.get('BufferIntervalInSeconds')
  return {
    transform,
    transformRetries: whole(parameters.get('NumberOfRetries') ?? 3, 'NumberOfRetries', 0, 300),
    transformBufferBytes: megabytes * MiB,
    ...(seconds === undefined
      ? {}
      : { transformBufferIntervalMs: whole(seconds, 'BufferIntervalInSeconds', 0, 900) * 1000 }),
  }
}

function whole(value: unknown, name: string, least: number, most: number): number {
  const number = numberOf(value)
  if (Number.isInteger(number) && number >= least && number <= most) return number
  throw invalidArgument(`${name} must be a whole number from ${least} to ${most}.`)
}
