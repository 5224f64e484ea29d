import { ServiceError } from '../service.js'
import type { KinesisContext } from './kinesis-context.js'
import { constraint, missing, type Request } from './request.js'
import { ResourceStatus } from './resource-status.js'
import type { ShardSubscription } from './shard-subscription.js'
import type { Stream } from './stream.js'

/** A consumer of enhanced fan-out, registered with one stream. */
export class StreamConsumer {
  readonly arn: string
  readonly status: ResourceStatus
  readonly tags = new Map<string, string>()
  policy: string | undefined
  /** The latest of each shard, by its id. */
  readonly subscriptions = new Map<string, ShardSubscription>()

  constructor(
    readonly name: string,
    stream: Stream,
    readonly createdAtMs: number,
    creatingMs: number,
  ) {
    // The instant tells it from an earlier consumer of its name (API reference, Consumer).
    this.arn = `${stream.settings.arn}/consumer/${name}:${Math.floor(createdAtMs / 1000)}`
    this.status = new ResourceStatus(createdAtMs, creatingMs)
  }
}

const CONSUMER_ARN =
  /^(arn:aws[\w-]*:kinesis:[\w-]*:\d{12}:stream\/[a-zA-Z0-9_.-]+)\/consumer\/([a-zA-Z0-9_.-]+):\d+$/

/** The consumer that `ConsumerARN` names, or `StreamARN` and `ConsumerName` together; all three where they agree. */
export function consumerOf(
  context: KinesisContext,
  request: Request,
): { stream: Stream; consumer: StreamConsumer } {
  const arn = request.optionalString('ConsumerARN')
  const streamArn = request.optionalString('StreamARN')
  const name = request.optionalString('ConsumerName')
  const found = arn === undefined ? consumerNamed(context, streamArn, name) : consumerWithArn(context, arn)
  const { stream, consumer } = found
  if (streamArn !== undefined && streamArn !== stream.settings.arn) throw conflict('StreamARN', consumer)
  if (name !== undefined && name !== consumer.name) throw conflict('ConsumerName', consumer)
  return found
}

export function consumerWithArn(
  context: KinesisContext,
  arn: string,
): { stream: Stream; consumer: StreamConsumer } {
  const [, streamArn, name] = CONSUMER_ARN.exec(arn) ?? []
  if (streamArn === undefined || name === undefined) {
    throw constraint(
      'ConsumerARN',
      `'${arn.slice(0, 100)}'`,
      'Member must satisfy regular expression pattern: ^(arn):aws.*:kinesis:.*:\\d{12}:.*stream\\/[a-zA-Z0-9_.-]+\\/consumer\\/[a-zA-Z0-9_.-]+:[0-9]+',
    )
  }
  const found = consumerNamed(context, streamArn, name)
  if (found.consumer.arn !== arn) throw notFound(context, arn)
  return found
}

function consumerNamed(
  context: KinesisContext,
  streamArn: string | undefined,
  name: string | undefined,
): { stream: Stream; consumer: StreamConsumer } {
  if (streamArn === undefined || name === undefined) {
    throw new ServiceError(
      'InvalidArgumentException',
      'Either ConsumerARN or both StreamARN and ConsumerName must be provided.',
    )
  }
  const stream = context.streams.withArn(streamArn)
  const consumer = stream.consumers.get(name)
  if (consumer === undefined || consumer.status.at(context.clock.now()) === 'DELETED') {
    throw notFound(context, name)
  }
  return { stream, consumer }
}

export function consumerName(name: string | undefined): string {
  if (name === undefined) throw missing('ConsumerName')
  if (name.length >= 1 && name.length <= 128 && /^[a-zA-Z0-9_.-]+$/.test(name)) return name
  throw constraint(
    'ConsumerName',
    `'${name.slice(0, 140)}'`,
    'Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+ and have length between 1 and 128',
  )
}

function notFound({ streams }: KinesisContext, what: string): ServiceError {
  return new ServiceError(
    'ResourceNotFoundException',
    `Consumer ${what.slice(0, 300)}, account ${streams.accountId} not found.`,
  )
}

function conflict(field: string, consumer: StreamConsumer): ServiceError {
  return new ServiceError('InvalidArgumentException', `${field} is not that of consumer ${consumer.arn}.`)
}
