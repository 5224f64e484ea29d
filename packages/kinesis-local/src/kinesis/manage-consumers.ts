import { kinesisQuotas } from '@org/kinesis-core'
import { ServiceError } from '../service.js'
import type { KinesisContext } from './kinesis-context.js'
import { invalidToken, pageToken, readPageToken, refuseBesideToken } from './page-token.js'
import type { Request } from './request.js'
import type { Stream } from './stream.js'
import { consumerName, consumerOf, StreamConsumer } from './stream-consumer.js'
import type { StreamRegistry } from './stream-registry.js'
import { endSubscriptions } from './subscribe-to-shard.js'
import { addTags } from './tags.js'

/** Of one account, at one time (API reference, RegisterStreamConsumer). */
const MAX_CREATING = 5
/** A page, however many were asked for (API reference, ListStreamConsumers). */
const MAX_PAGE = 100

export function registerStreamConsumer(context: KinesisContext, request: Request): unknown {
  const { streams, clock, transitionMs } = context
  const stream = streams.active(request, 'StreamARN')
  const name = consumerName(request.optionalString('ConsumerName'))
  const tags = request.object('Tags')
  const nowMs = clock.now()
  const registered = consumersOf(stream, nowMs)
  if (registered.some((consumer) => consumer.name === name)) {
    throw new ServiceError(
      'ResourceInUseException',
      `Consumer ${name} is already registered with stream ${stream.settings.name} under account ${streams.accountId}.`,
    )
  }
  const { maxStreamConsumers } = kinesisQuotas
  if (registered.length >= maxStreamConsumers) {
    throw new ServiceError(
      'LimitExceededException',
      `Stream ${stream.settings.name} under account ${streams.accountId} has ${registered.length} registered consumers. Limit: ${maxStreamConsumers}.`,
    )
  }
  const creating = [...streams.all]
    .flatMap((other) => consumersOf(other, nowMs))
    .filter(({ status }) => status.at(nowMs) === 'CREATING')
  if (creating.length >= MAX_CREATING) {
    throw new ServiceError(
      'LimitExceededException',
      `Account ${streams.accountId} has ${MAX_CREATING} consumers in status CREATING, and can have no more at one time.`,
    )
  }
  const consumer = new StreamConsumer(name, stream, creationMs(stream, name, nowMs), transitionMs)
  if (tags !== undefined) addTags(consumer.tags, tags)
  stream.consumers.set(name, consumer)
  return { Consumer: describe(consumer, nowMs) }
}

/** An ARN tells a consumer from an earlier one of its name by the second: one that comes within the same second is of the next. */
function creationMs({ consumersMadeMs }: Stream, name: string, nowMs: number): number {
  const secondOf = (ms: number) => Math.floor(ms / 1000)
  for (const [other, ms] of consumersMadeMs) {
    if (secondOf(ms) < secondOf(nowMs)) consumersMadeMs.delete(other)
  }
  const lastMs = consumersMadeMs.get(name)
  const createdAtMs = lastMs === undefined ? nowMs : (secondOf(lastMs) + 1) * 1000
  consumersMadeMs.set(name, createdAtMs)
  return createdAtMs
}

export function deregisterStreamConsumer(context: KinesisContext, request: Request): undefined {
  const { clock, transitionMs } = context
  const { consumer } = consumerOf(context, request)
  consumer.status.begin('DELETING', clock.now(), transitionMs)
  endSubscriptions(consumer)
}

export function describeStreamConsumer(context: KinesisContext, request: Request): unknown {
  const { stream, consumer } = consumerOf(context, request)
  return {
    ConsumerDescription: { ...describe(consumer, context.clock.now()), StreamARN: stream.settings.arn },
  }
}

export function listStreamConsumers({ streams, clock }: KinesisContext, request: Request): unknown {
  const nowMs = clock.now()
  const stream = streams.checkCreated(streams.withArn(request.string('StreamARN')))
  const after = readAfter(request, streams, stream, nowMs)
  const limit = Math.min(request.optionalInteger('MaxResults', 1, 10_000) ?? MAX_PAGE, MAX_PAGE)
  const rest = consumersOf(stream, nowMs)
    .filter(({ name }) => name > after)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  const page = rest.slice(0, limit)
  return {
    Consumers: page.map((consumer) => describe(consumer, nowMs)),
    ...(rest.length > limit
      ? { NextToken: pageToken({ streamArn: stream.settings.arn, after: page.at(-1)!.name }, nowMs) }
      : {}),
  }
}

/** The consumers of a stream; those whose deletion is over are forgotten. */
export function consumersOf(stream: Stream, nowMs: number): StreamConsumer[] {
  for (const consumer of stream.consumers.values()) {
    if (consumer.status.at(nowMs) === 'DELETED') stream.consumers.delete(consumer.name)
  }
  return [...stream.consumers.values()]
}

function readAfter(request: Request, streams: StreamRegistry, stream: Stream, nowMs: number): string {
  const text = request.optionalString('NextToken')
  if (text === undefined) {
    streams.checkCreationTime(stream, request)
    return ''
  }
  refuseBesideToken(request, ['StreamCreationTimestamp'])
  const { streamArn, after } = readPageToken(text, nowMs)
  if (streamArn !== stream.settings.arn || typeof after !== 'string') throw invalidToken()
  return after
}

function describe({ name, arn, status, createdAtMs }: StreamConsumer, nowMs: number) {
  return {
    ConsumerName: name,
    ConsumerARN: arn,
    ConsumerStatus: status.at(nowMs),
    ConsumerCreationTimestamp: createdAtMs / 1000,
  }
}
