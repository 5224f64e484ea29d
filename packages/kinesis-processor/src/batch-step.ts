import { refuseUnknownOptions } from '@org/kinesis-core'
import { requireFunction, whole } from './option-checks.js'
import type { RecordPosition } from './stream-record.js'

export interface BatchStepOptions {
  /** Records of one call. @default 100 */
  maxBatchRecords?: number
  /** Calls at once. Records of one partition key are never in two of them. @default 4 */
  maxConcurrency?: number
}

/** What becomes of one record: its value for the next step, undefined to drop it, or an Error that is its own. */
export type BatchStepResult<Out> = Out | undefined | Error

/** Takes many values at a time. Made with `batchStep`. */
export interface BatchStep<In, Out> {
  run(
    values: readonly In[],
    positions: readonly RecordPosition[],
  ): readonly BatchStepResult<Out>[] | Promise<readonly BatchStepResult<Out>[]>
  readonly maxBatchRecords: number
  readonly maxConcurrency: number
}

/**
 * A step that does its work for many records at once, such as one lookup for a hundred of them. The values come in stream order, those of
 * one partition key in one call or in calls one after the other; `run` answers for each, at the same index. An Error in a record's place is
 * that record's: a `PermanentError` rejects it, any other is tried again. What `run` throws is the error of all its records, so a
 * `PermanentError` rejects them all.
 *
 * @throws InvalidOptionError for options that cannot work
 */
export function batchStep<In, Out>(
  run: (
    values: readonly In[],
    positions: readonly RecordPosition[],
  ) => readonly BatchStepResult<Out>[] | Promise<readonly BatchStepResult<Out>[]>,
  options: BatchStepOptions = {},
): BatchStep<In, Out> {
  requireFunction('run', run, 'Pass a function that takes a list of values and gives a list of results.')
  refuseUnknownOptions(options, ['maxBatchRecords', 'maxConcurrency'])
  return {
    run,
    maxBatchRecords: whole('maxBatchRecords', options.maxBatchRecords ?? 100, 1),
    maxConcurrency: whole('maxConcurrency', options.maxConcurrency ?? 4, 1),
  }
}
