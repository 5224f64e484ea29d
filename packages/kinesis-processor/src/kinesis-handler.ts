import type { KinesisBatchResponse, KinesisEvent, LambdaContext } from '@org/kinesis-core'
import { Batch } from './batch.js'
import {
  type KinesisHandlerOptions,
  type ResolvedHandlerOptions,
  resolveHandlerOptions,
  type WithSteps,
} from './handler-options.js'
import { processBatch } from './process-batch.js'
import { publish } from './processing-metrics.js'
import type { Step } from './step.js'
import { readEvent } from './stream-record.js'
import { timeLeft } from './time-left.js'

export type KinesisHandler = (event: KinesisEvent, context: LambdaContext) => Promise<KinesisBatchResponse>

type Steps1<T, U> = readonly [Step<T, U>]
type Steps2<T, A, U> = readonly [...Steps1<T, A>, Step<A, U>]
type Steps3<T, A, B, U> = readonly [...Steps2<T, A, B>, Step<B, U>]
type Steps4<T, A, B, C, U> = readonly [...Steps3<T, A, B, C>, Step<C, U>]
type Steps5<T, A, B, C, D, U> = readonly [...Steps4<T, A, B, C, D>, Step<D, U>]
type Steps6<T, A, B, C, D, E, U> = readonly [...Steps5<T, A, B, C, D, E>, Step<E, U>]

/**
 * A Lambda handler for a Kinesis stream. Records of one partition key run in order, keys in parallel; what can never be processed goes
 * to the rejected sink; what may succeed later is named in the response, from where Lambda goes on.
 *
 * The mapping must ask for `ReportBatchItemFailures`: without it Lambda ignores the response, and unresolved records are lost.
 *
 * @throws InvalidOptionError at once for options that cannot work; the handler rejects with UnexpectedEventError for the event of another service
 */
export function kinesisHandler<T>(
  options: KinesisHandlerOptions<T> & Partial<WithSteps<readonly []>>,
): KinesisHandler
export function kinesisHandler<T, U>(
  options: KinesisHandlerOptions<T, U> & WithSteps<Steps1<T, U>>,
): KinesisHandler
export function kinesisHandler<T, A, U>(
  options: KinesisHandlerOptions<T, U> & WithSteps<Steps2<T, A, U>>,
): KinesisHandler
export function kinesisHandler<T, A, B, U>(
  options: KinesisHandlerOptions<T, U> & WithSteps<Steps3<T, A, B, U>>,
): KinesisHandler
export function kinesisHandler<T, A, B, C, U>(
  options: KinesisHandlerOptions<T, U> & WithSteps<Steps4<T, A, B, C, U>>,
): KinesisHandler
export function kinesisHandler<T, A, B, C, D, U>(
  options: KinesisHandlerOptions<T, U> & WithSteps<Steps5<T, A, B, C, D, U>>,
): KinesisHandler
export function kinesisHandler<T, A, B, C, D, E, U>(
  options: KinesisHandlerOptions<T, U> & WithSteps<Steps6<T, A, B, C, D, E, U>>,
): KinesisHandler
export function kinesisHandler<T, U>(
  options: KinesisHandlerOptions<T, U> & Partial<WithSteps<readonly unknown[]>>,
): KinesisHandler {
  const resolved = resolveHandlerOptions(options)
  return async (event, context) => {
    const startedAtMs = resolved.clock.now()
    const leftMs = timeLeft(context, resolved.deadlineMarginMs)
    const batch = new Batch<U>(readEvent(event, resolved.unpack))
    const byEventType = new Map<string, number>()
    try {
      await processBatch(batch, resolved, leftMs, (value) => count(byEventType, resolved.eventType, value))
    } finally {
      report(batch, resolved, byEventType, startedAtMs)
    }
    return respond(batch, resolved)
  }
}

/** Counted as the sink confirms. A metric must not make a stored record fail: a function that throws leaves it out. */
function count<U>(
  byEventType: Map<string, number>,
  eventTypeOf: (value: U) => string | undefined,
  value: U,
): void {
  try {
    const eventType = eventTypeOf(value)
    if (eventType !== undefined) byEventType.set(eventType, (byEventType.get(eventType) ?? 0) + 1)
  } catch {
    // As documented for `eventType`: left out.
  }
}

function respond<T, U>(
  batch: Batch<U>,
  { onUnresolved }: ResolvedHandlerOptions<T, U>,
): KinesisBatchResponse {
  const first = batch.firstUnresolved
  if (first === undefined) return { batchItemFailures: [] }
  const { position } = first.record
  const error = batch.lanes.find(({ head }) => head === first)?.lastError
  try {
    onUnresolved({ position, count: batch.countUnresolved(), error })
  } catch (cause) {
    console.warn('kinesis-processor: onUnresolved threw.', cause)
  }
  return { batchItemFailures: [{ itemIdentifier: position.sequenceNumber }] }
}

function report<T, U>(
  batch: Batch<U>,
  { metrics, clock }: ResolvedHandlerOptions<T, U>,
  byEventType: ReadonlyMap<string, number>,
  startedAtMs: number,
): void {
  if (metrics === undefined) return
  const nowMs = clock.now()
  const oldest = batch.items[0]
  try {
    publish(metrics, {
      received: batch.items.length,
      stored: batch.countResolved('stored'),
      rejected: batch.countResolved('rejected'),
      unresolved: batch.countUnresolved(),
      durationMs: nowMs - startedAtMs,
      iteratorAgeMs: oldest === undefined ? undefined : Math.max(0, nowMs - oldest.record.position.arrivalMs),
      byEventType,
    })
  } catch (error) {
    // Failing the invocation would process the batch again, for want of a number.
    console.warn('kinesis-processor: the metrics of a batch could not be published.', error)
  }
}
