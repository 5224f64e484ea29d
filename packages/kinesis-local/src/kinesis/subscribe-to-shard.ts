import { kinesisQuotas } from '@org/kinesis-core'
import { ServiceError } from '../service.js'
import type { KinesisContext } from './kinesis-context.js'
import { refuseDryRun } from './refuse-dry-run.js'
import { missing, Request } from './request.js'
import { ITERATOR_TYPES, startingCounter } from './shard-iterator.js'
import type { BlobForm } from './shard-log.js'
import { ShardSubscription, type SubscribeToShardEvent } from './shard-subscription.js'
import { consumerWithArn, type StreamConsumer } from './stream-consumer.js'

/** Subscribes a consumer to a shard; a subscription of theirs that is five seconds old gives way. */
export function subscribeToShard(
  context: KinesisContext,
  request: Request,
  form: BlobForm,
): ShardSubscription {
  const { streams, clock, metrics } = context
  const { stream, consumer } = consumerWithArn(context, request.string('ConsumerARN'))
  const shard = streams.shardOf(stream, request.string('ShardId'))
  const starting = request.object('StartingPosition')
  if (starting === undefined) throw missing('StartingPosition')
  const position = new Request(starting)
  const nowMs = clock.now()
  const counter = startingCounter(stream, shard, nowMs, {
    operation: 'SubscribeToShard',
    type: position.oneOf('Type', ITERATOR_TYPES),
    sequenceNumber: position.optionalString('SequenceNumber'),
    timestampMs: position.optionalTimestampMs('Timestamp'),
  })
  const status = consumer.status.at(nowMs)
  if (status !== 'ACTIVE') {
    throw new ServiceError(
      'ResourceInUseException',
      `Consumer ${consumer.arn} is not ACTIVE, instead in state ${status}.`,
    )
  }
  refuseDryRun(request)
  const earlier = consumer.subscriptions.get(shard.shardId)
  if (earlier !== undefined && nowMs - earlier.startedAtMs < kinesisQuotas.resubscribeAfterMs) {
    metrics.consumerSubscribed(stream, consumer.name, false, nowMs)
    throw anotherSubscription(consumer, shard.shardId)
  }
  earlier?.end(anotherSubscription(consumer, shard.shardId))
  const subscription = new ShardSubscription(context, stream, shard, consumer, counter, form)
  consumer.subscriptions.set(shard.shardId, subscription)
  metrics.consumerSubscribed(stream, consumer.name, true, nowMs)
  return subscription
}

/** The events under the name that the API has for them. */
export function asEventStream(
  subscription: ShardSubscription,
): AsyncIterable<{ SubscribeToShardEvent: SubscribeToShardEvent }> {
  return {
    [Symbol.asyncIterator]() {
      const events = subscription[Symbol.asyncIterator]()
      return {
        async next() {
          const next = await events.next()
          return next.done ? next : { done: false, value: { SubscribeToShardEvent: next.value } }
        },
        async return() {
          await events.return?.()
          return { done: true, value: undefined }
        },
      }
    },
  }
}

/** What the readers of a consumer hear when it, or its stream, is gone. */
export function endSubscriptions({ arn, subscriptions }: StreamConsumer): void {
  const gone = new ServiceError('ResourceNotFoundException', `Consumer ${arn} not found.`)
  for (const subscription of subscriptions.values()) subscription.end(gone)
}

function anotherSubscription({ arn }: StreamConsumer, shardId: string): ServiceError {
  return new ServiceError(
    'ResourceInUseException',
    `Another active subscription exists for this consumer: ${arn} and shard ${shardId}.`,
  )
}
