import type { KinesisBatchResponse, KinesisEvent, LambdaContext } from '@org/kinesis-core'
import { Batch } from './batch.js'
import {
  type KinesisHandlerOptions,
  type ResolvedHandlerOptions,
  resolveHandlerOptions,
} from './handler-options.js'
import { processBatch } from './process-batch.js'
import { publish } from './processing-metrics.js'

export type KinesisHandler = (event: KinesisEvent, context: LambdaContext) => Promise<KinesisBatchResponse>

/**
 * A Lambda handler for a Kinesis stream. Records of one partition key run in order, keys in parallel; what can never be processed goes
 * to the rejected sink; what may succeed later is named in the response, from where Lambda goes on.
 *
 * The mapping must ask for `ReportBatchItemFailures`: without it Lambda ignores the response, and unresolved records are lost.
 */
export function kinesisHandler<T, U = T>(options: KinesisHandlerOptions<T, U>): KinesisHandler {
  const resolved = resolveHandlerOptions(options)
  return async (event, context) => {
    const startedAtMs = resolved.clock.now()
    const batch = new Batch<U>(event)
    const values = collectEventTypes(resolved)
    try {
      await processBatch(batch, values.options, () => context.getRemainingTimeInMillis())
    } finally {
      report(batch, resolved, values.stored, startedAtMs)
    }
    const { checkpoint } = batch
    return { batchItemFailures: checkpoint === undefined ? [] : [{ itemIdentifier: checkpoint }] }
  }
}

/** Counts event types as the sink confirms them, so that no value is kept longer than its write. */
function collectEventTypes<T, U>(options: ResolvedHandlerOptions<T, U>) {
  const stored = new Map<string, number>()
  if (options.metrics === undefined) return { options, stored }
  const sink: typeof options.sink = {
    async write(records, context) {
      const results = await options.sink.write(records, context)
      for (const [index, { value }] of records.entries()) {
        if (results[index]?.stored !== true) continue
        const eventType = options.eventType(value)
        if (eventType !== undefined) stored.set(eventType, (stored.get(eventType) ?? 0) + 1)
      }
      return results
    },
  }
  return { options: { ...options, sink }, stored }
}

function report<T, U>(
  batch: Batch<U>,
  { metrics, clock }: ResolvedHandlerOptions<T, U>,
  byEventType: ReadonlyMap<string, number>,
  startedAtMs: number,
): void {
  if (metrics === undefined) return
  const nowMs = clock.now()
  const resolvedAs = (as: string) =>
    batch.inState('resolved').filter(({ progress }) => progress.as === as).length
  const oldest = batch.items[0]
  publish(metrics, {
    received: batch.items.length,
    stored: resolvedAs('stored'),
    rejected: resolvedAs('rejected'),
    unresolved: batch.items.length - batch.inState('resolved').length,
    durationMs: nowMs - startedAtMs,
    iteratorAgeMs: oldest === undefined ? undefined : Math.max(0, nowMs - oldest.record.position.arrivalMs),
    byEventType,
  })
}
