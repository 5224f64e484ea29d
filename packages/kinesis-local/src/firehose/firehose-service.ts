import { deliveryPublisher, deliveryStreamArn } from '../delivery/delivery-parts.js'
import { numberOf } from '../scalar-input.js'
import { type LocalService, ServiceError } from '../service.js'
import { DirectDelivery } from './direct-delivery.js'
import { dataOf, invalidArgument, objectOf, optionalText, text } from './firehose-input.js'
import {
  DESTINATION_ID,
  describe,
  type FirehoseContext,
  type FirehoseStream,
  type Input,
  openDelivery,
  type SourceType,
} from './firehose-stream.js'
import { deleteTags, listTags, putTags } from './tags.js'

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
  /** Deliveries that write what they took before an update. */
  readonly #finishing = new Set<FirehoseStream['delivery']>()
  #context: FirehoseContext | undefined

  static readonly #operations: Readonly<Record<string, Operation>> = {
    CreateDeliveryStream: (service, input) => service.#create(input),
    DeleteDeliveryStream: (service, input) => service.#delete(input),
    DescribeDeliveryStream: (service, input) => ({ DeliveryStreamDescription: describe(service.#at(input)) }),
    ListDeliveryStreams: (service, input) => service.#list(input),
    UpdateDestination: (service, input) => service.#update(input),
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
    const deliveries = [...this.#streams.values()].map(({ delivery }) => delivery)
    await Promise.all([...deliveries, ...this.#finishing].map((delivery) => delivery.close()))
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
    const source = objectOf(input.KinesisStreamSourceConfiguration)
    const stream: FirehoseStream = {
      name,
      arn: deliveryStreamArn(name, deps),
      type,
      createdAtMs: deps.clock.now(),
      source,
      destination,
      tags: new Map(),
      version: 1,
      delivery: openDelivery({ name, type, source, destination, version: 1 }, context),
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

  /** What the update does not name stays. What was taken before goes where it was to go. */
  #update(input: Input): void {
    const stream = this.#at(input)
    if (text(input, 'CurrentDeliveryStreamVersionId') !== String(stream.version)) {
      throw new ServiceError(
        'ConcurrentModificationException',
        `The version is ${stream.version}, not the one that is given.`,
      )
    }
    if (text(input, 'DestinationId') !== DESTINATION_ID)
      throw invalidArgument(`There is only ${DESTINATION_ID}.`)
    const update = objectOf(input.ExtendedS3DestinationUpdate ?? input.S3DestinationUpdate)
    const destination = { ...stream.destination, ...update }
    const before = stream.delivery
    const next = { ...stream, destination, version: stream.version + 1 }
    Object.assign(stream, next, { delivery: openDelivery(next, this.#context!) })
    const finished = before instanceof DirectDelivery ? before.flush() : before.drain()
    this.#finishing.add(before)
    const close = () => {
      this.#finishing.delete(before)
      return before.close()
    }
    finished.then(close, close)
  }

  #list(input: Input): unknown {
    const { Limit = 10, DeliveryStreamType: type } = input
    const limit = numberOf(Limit)
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

function checkedData(record: unknown, where: string): Uint8Array {
  const data = dataOf(record)
  if (data.byteLength <= MAX_RECORD_BYTES) return data
  throw invalidArgument(
    `1 validation error detected: Value at '${where}.data' failed to satisfy constraint: Member must have length less than or equal to ${MAX_RECORD_BYTES}`,
  )
}
