import { type Clock, type MetricDefinition, systemRandom } from '@org/kinesis-core'
import type { HostDependencies } from '../function/host-dependencies.js'
import type { ResolvedDelivery } from './delivery-options.js'
import type { DeliverySink } from './delivery-sink.js'
import { Transform } from './transform.js'
import { TransformQueue } from './transform-queue.js'

// What deliveries have in common, whether their records come from a Kinesis stream or are put directly.

export function deliveryPublisher(name: string, { metrics, clock }: HostDependencies) {
  return ({ namespace, name: metric, unit }: MetricDefinition, value: number): void =>
    metrics.put({
      namespace,
      name: metric,
      unit,
      value,
      dimensions: { DeliveryStreamName: name },
      timestampMs: clock.now(),
    })
}

export function deliveryTransform(
  { name, transform, transformRetries }: ResolvedDelivery,
  { region, accountId, clock, random = systemRandom }: HostDependencies,
  streamName: string | undefined,
): Transform | undefined {
  if (transform === undefined) return undefined
  const source = {
    deliveryStreamArn: deliveryStreamArn(name, { region, accountId }),
    ...(streamName === undefined
      ? {}
      : { sourceKinesisStreamArn: `arn:aws:kinesis:${region}:${accountId}:stream/${streamName}` }),
    region,
  }
  return new Transform(transform, source, transformRetries, clock, random)
}

export function deliveryStreamArn(
  name: string,
  { region, accountId }: { region: string; accountId: string },
) {
  return `arn:aws:firehose:${region}:${accountId}:deliverystream/${name}`
}

/** A queue before the transform, whose outcomes go into the sink. */
export function transformQueue(
  transform: Transform,
  { transformBufferBytes, transformBufferIntervalMs }: ResolvedDelivery,
  sink: DeliverySink,
  more: { clock: Clock; onProgress: () => void; signal: AbortSignal },
): TransformQueue {
  return new TransformQueue({
    transform: (records) => transform.run(records, more.signal),
    maxBytes: transformBufferBytes,
    maxIntervalMs: transformBufferIntervalMs,
    onOutcome(record, outcome, attemptsMade) {
      if (outcome.kind === 'ok') sink.deliver(record, outcome.data, outcome.partitionKeys)
      else if (outcome.kind === 'dropped') sink.drop(record)
      else sink.fail(record, { ...outcome, outputType: 'processing-failed', attemptsMade })
    },
    ...more,
  })
}

/** How much waits for transforms. */
export function waitingBytes(queues: readonly (TransformQueue | undefined)[]): number {
  return queues.reduce((sum, queue) => sum + (queue?.heldBytes ?? 0), 0)
}

/** No more should be taken: less than all buffers full at once, and nothing would ever fill one. */
export function isDeliveryFull(
  sink: DeliverySink,
  queues: readonly (TransformQueue | undefined)[],
  { transformBufferBytes }: ResolvedDelivery,
): boolean {
  return sink.isFull || waitingBytes(queues) >= (queues.length + 1) * transformBufferBytes * 2
}

export function closeDestination({ store, parquet }: ResolvedDelivery): void {
  store.close?.()
  parquet?.close()
}
