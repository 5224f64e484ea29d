import type { KinesisBatchResponse, KinesisEvent, LambdaContext } from '@org/kinesis-core'
import { Batch } from './batch.js'
import { BatchObservation } from './batch-observation.js'
import { type KinesisHandlerOptions, resolveHandlerOptions, type WithSteps } from './handler-options.js'
import { processBatch } from './process-batch.js'
import type { AnyStep } from './step.js'
import { readEvent } from './stream-record.js'
import { timeLeft } from './time-left.js'

export type KinesisHandler = (event: KinesisEvent, context: LambdaContext) => Promise<KinesisBatchResponse>

type Steps1<T, U> = readonly [AnyStep<T, U>]
type Steps2<T, A, U> = readonly [...Steps1<T, A>, AnyStep<A, U>]
type Steps3<T, A, B, U> = readonly [...Steps2<T, A, B>, AnyStep<B, U>]
type Steps4<T, A, B, C, U> = readonly [...Steps3<T, A, B, C>, AnyStep<C, U>]
type Steps5<T, A, B, C, D, U> = readonly [...Steps4<T, A, B, C, D>, AnyStep<D, U>]
type Steps6<T, A, B, C, D, E, U> = readonly [...Steps5<T, A, B, C, D, E>, AnyStep<E, U>]

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
  let isColdStart = true
  return async (event, context) => {
    const observation = new BatchObservation(resolved, isColdStart)
    isColdStart = false
    const leftMs = timeLeft(context, resolved.deadlineMarginMs)
    const batch = new Batch<U>(readEvent(event, resolved.unpack))
    try {
      await processBatch(batch, resolved, leftMs, observation)
    } finally {
      observation.end(batch)
    }
    const first = batch.firstUnresolved
    if (first === undefined) return { batchItemFailures: [] }
    return { batchItemFailures: [{ itemIdentifier: first.record.position.sequenceNumber }] }
  }
}
