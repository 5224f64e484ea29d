import { resolveDelivery } from '../delivery/delivery-options.js'
import { deliveryPublisher, deliveryStreamArn } from '../delivery/delivery-parts.js'
import { createDeliveryStreamHost, type DeliveryStream } from '../delivery/delivery-stream.js'
import type { HostDependencies } from '../function/host-dependencies.js'
import { type LocalService, ServiceError } from '../service.js'
import { asInvalidArgument, type ConfigurationContext, readDestination } from './delivery-configuration.js'
import { DirectDelivery } from './direct-delivery.js'
import { dataOf, invalidArgument, objectOf, optionalText, text } from './firehose-input.js'
import { deleteTags, listTags, putTags } from './tags.js'

type Input = Record<string, unknown>
type SourceType = 'DirectPut' | 'KinesisStreamAsSource'

export interface FirehoseContext extends ConfigurationContext {
  deps: HostDependencies
}

interface FirehoseStream {
  name: string
  arn: string
  type: SourceType
  createdAtMs: number
  source: Input
  destination: Input
  tags: Map<string, string>
  delivery: DirectDelivery | DeliveryStream
}

/** API reference, PutRecord and PutRecordBatch: before base64. */
const MAX_RECORD_BYTES = 1_000 * 1024
const MAX_BATCH_RECORDS = 500
const MAX_BATCH_BYTES = 4 * 1024 * 1024
/** Of a region (developer guide, "Quota"). */
const MAX_STREAMS = 5_000
const SLOW_DOWN = 'Slow down.'

type Operation = (service: FirehoseService, input: Input) => unknown

/** Firehose with S3 destinations, whose buckets are folders here or buckets of an S3 endpoint. */
export class FirehoseService implements LocalService {
  readonly targetPrefix = 'Firehose_20150804'
  readonly #streams = new Map<string, FirehoseStream>()
  #context: FirehoseContext | undefined

  static readonly #operations: Readonly<Record<string, Operation>> = {
    CreateDeliveryStream: (service, input) => service.#create(input),
    DeleteDeliveryStream: (service, input) => service.#delete(input),
    DescribeDeliveryStream: (service, input) => ({ DeliveryStreamDescription: describe(service.#at(input)) }),
    ListDeliveryStreams: (service, input) => service.#list(input),
    PutRecord: (service, input) => service.#putRecord(input),
    PutRecordBatch: (service, input) => service.#putRecordBatch(input),
    TagDeliveryStream: (service, input) => putTags(service.#at(input).tags, input.Tags),
    UntagDeliveryStream: (service, input) => deleteTags(service.#at(input).tags, input.TagKeys),
    ListTagsForDeliveryStream: (service, input) => listTags(service.#at(input).tags),
  }

  /** Where functions, buckets and streams are; nothing can be created before. */
  attach(context: FirehoseContext): void {
    this.#context = context
  }

  call(operation: string, input: Input): unknown {
    if (!Object.hasOwn(FirehoseService.#operations, operation)) {
      throw new ServiceError('UnknownOperationException', `The operation ${operation} is not supported here.`)
    }
    return FirehoseService.#operations[operation]!(this, input) ?? {}
  }

  /** Resolves when everything that was put to a DirectPut stream so far is in objects. */
  async flush(name: string): Promise<void> {
    const { delivery } = this.#at({ DeliveryStreamName: name })
    if (delivery instanceof DirectDelivery) await delivery.flush()
  }

  /** What is buffered is not written. */
  async close(): Promise<void> {
    await Promise.all([...this.#streams.values()].map(({ delivery }) => delivery.close()))
    this.#streams.clear()
  }

  #create(input: Input): unknown {
    const context = this.#context
    if (context === undefined) throw new ServiceError('ServiceUnavailableException', 'Starting.', 503)
    const name = nameOf(input)
    if (this.#streams.has(name)) {
      throw new ServiceError(
        'ResourceInUseException',
        `Firehose ${name} under account ${context.deps.accountId} already exists.`,
      )
    }
    if (this.#streams.size >= MAX_STREAMS) {
      throw new ServiceError('LimitExceededException', `There are ${MAX_STREAMS} delivery streams already.`)
    }
    const { deps } = context
    const type = (optionalText(input, 'DeliveryStreamType') ?? 'DirectPut') as SourceType
    const destination = objectOf(input.ExtendedS3DestinationConfiguration ?? input.S3DestinationConfiguration)
    if (Object.keys(destination).length === 0) {
      throw invalidArgument(
        'ExtendedS3DestinationConfiguration is required: other destinations are not supported here.',
      )
    }
    const options = { ...readDestination(destination, context), name }
    const source = objectOf(input.KinesisStreamSourceConfiguration)
    const stream: FirehoseStream = {
      name,
      arn: deliveryStreamArn(name, deps),
      type,
      createdAtMs: deps.clock.now(),
      source,
      destination,
      tags: new Map(),
      delivery: asInvalidArgument(() => {
        if (type === 'DirectPut') return new DirectDelivery(resolveDelivery(options), deps)
        if (type !== 'KinesisStreamAsSource')
          throw invalidArgument(`DeliveryStreamType ${type} is not supported here.`)
        // As the service, it reads from now on.
        const startingPosition = { atTimestampMs: deps.clock.now() }
        return createDeliveryStreamHost(
          { ...options, streamName: streamName(source), startingPosition },
          deps,
        )
      }),
    }
    putTags(stream.tags, input.Tags ?? [])
    this.#streams.set(name, stream)
    return { DeliveryStreamARN: stream.arn }
  }

  #delete(input: Input): void {
    const { name, delivery } = this.#at(input)
    this.#streams.delete(name)
    void delivery.close()
  }

  #list(input: Input): unknown {
    const { Limit = 10, DeliveryStreamType: type } = input
    const limit = Number(Limit)
    if (!Number.isInteger(limit) || limit < 1 || limit > 10_000)
      throw invalidArgument('Limit must be from 1 to 10000.')
    const after = optionalText(input, 'ExclusiveStartDeliveryStreamName') ?? ''
    const names = [...this.#streams.values()]
      .filter(
        (stream) => stream.name > after && (type === undefined || type === null || stream.type === type),
      )
      .map(({ name }) => name)
      .sort()
    return { DeliveryStreamNames: names.slice(0, limit), HasMoreDeliveryStreams: names.length > limit }
  }

  #putRecord(input: Input): unknown {
    const stream = this.#direct(input)
    const data = checkedData(input.Record, 'record')
    if (stream.delivery.isFull) throw new ServiceError('ServiceUnavailableException', SLOW_DOWN, 503)
    this.#count(stream, [data])
    return { RecordId: stream.delivery.put(data), Encrypted: false }
  }

  /** Records fail one by one when memory is full; a batch that is against the rules fails as a whole. */
  #putRecordBatch(input: Input): unknown {
    const stream = this.#direct(input)
    const records = Array.isArray(input.Records) ? input.Records : []
    if (records.length < 1 || records.length > MAX_BATCH_RECORDS) {
      throw invalidArgument(
        `1 validation error detected: Value at 'records' failed to satisfy constraint: Member must have length from 1 to ${MAX_BATCH_RECORDS}`,
      )
    }
    const data = records.map((record, index) => checkedData(record, `records.${index + 1}.member`))
    const bytes = data.reduce((sum, one) => sum + one.byteLength, 0)
    if (bytes > MAX_BATCH_BYTES) throw invalidArgument('Records size exceeds 4 MB limit')
    const taken: Uint8Array[] = []
    const RequestResponses = data.map((one) => {
      if (stream.delivery.isFull) return { ErrorCode: 'ServiceUnavailableException', ErrorMessage: SLOW_DOWN }
      taken.push(one)
      return { RecordId: stream.delivery.put(one) }
    })
    this.#count(stream, taken)
    return { FailedPutCount: data.length - taken.length, Encrypted: false, RequestResponses }
  }

  #count({ name }: FirehoseStream, data: readonly Uint8Array[]): void {
    const publish = deliveryPublisher(name, this.#context!.deps)
    const bytes = data.reduce((sum, one) => sum + one.byteLength, 0)
    for (const [metric, unit, value] of [
      ['IncomingRecords', 'Count', data.length],
      ['IncomingBytes', 'Bytes', bytes],
      ['IncomingPutRequests', 'Count', 1],
    ] as const) {
      publish(
        {
          namespace: 'AWS/Firehose',
          name: metric,
          unit,
          statistic: 'Sum',
          dimensions: ['DeliveryStreamName'],
        },
        value,
      )
    }
  }

  #direct(input: Input): FirehoseStream & { delivery: DirectDelivery } {
    const stream = this.#at(input)
    if (stream.delivery instanceof DirectDelivery)
      return stream as FirehoseStream & { delivery: DirectDelivery }
    throw invalidArgument('This operation is not permitted on KinesisStreamAsSource delivery stream type.')
  }

  #at(input: Input): FirehoseStream {
    const name = nameOf(input)
    const stream = this.#streams.get(name)
    if (stream !== undefined) return stream
    const account = this.#context?.deps.accountId ?? ''
    throw new ServiceError(
      'ResourceNotFoundException',
      `Firehose ${name} under account ${account} not found.`,
    )
  }
}

function nameOf(input: Input): string {
  const name = text(input, 'DeliveryStreamName')
  if (/^[a-zA-Z0-9_.-]{1,64}$/.test(name)) return name
  throw invalidArgument('DeliveryStreamName must be 1 to 64 letters, digits, hyphens, dots or underscores.')
}

function streamName(source: Input): string {
  const name = /^arn:[\w-]+:kinesis:[\w-]+:\d{12}:stream\/([\w.-]+)$/.exec(
    text(source, 'KinesisStreamARN'),
  )?.[1]
  if (name === undefined) throw invalidArgument('KinesisStreamARN is no ARN of a stream.')
  return name
}

function checkedData(record: unknown, where: string): Uint8Array {
  const data = dataOf(record)
  if (data.byteLength <= MAX_RECORD_BYTES) return data
  throw invalidArgument(
    `1 validation error detected: Value at '${where}.data' failed to satisfy constraint: Member must have length less than or equal to ${MAX_RECORD_BYTES}`,
  )
}

function describe({ name, arn, type, createdAtMs, source, destination }: FirehoseStream) {
  return {
    DeliveryStreamName: name,
    DeliveryStreamARN: arn,
    DeliveryStreamStatus: 'ACTIVE',
    DeliveryStreamType: type,
    VersionId: '1',
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
        DestinationId: 'destinationId-000000000001',
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
