import { refuseUnknownOptions } from '@org/kinesis-core'
import { inParallel } from './in-parallel.js'
import { requireFunction, whole } from './option-checks.js'
import { heldBack, outOfTime, type Sink, type SinkContext, type SinkRecord, type SinkResult } from './sink.js'
import type { RecordPosition } from './stream-record.js'

export interface FunctionSinkOptions {
  /** Partition keys written at once. @default 32 */
  maxConcurrency?: number
}

/**
 * A sink from a function that takes one record, and has stored it when it returns or its promise resolves. Keys run in parallel, records
 * of one key one after the other. A record may come again after a failure: the function should not mind.
 */
export function functionSink<T>(
  write: (value: T, position: RecordPosition) => unknown,
  options: FunctionSinkOptions = {},
): Sink<T> {
  requireFunction('write', write, 'Pass a function that stores one value.')
  refuseUnknownOptions(options, ['maxConcurrency'])
  const maxConcurrency = whole('maxConcurrency', options.maxConcurrency ?? 32, 1)
  return {
    async write(records, context) {
      const results: SinkResult[] = new Array(records.length)
      const byKey = Map.groupBy(records.keys(), (index) => records[index]!.position.partitionKey)
      await inParallel(byKey.values(), maxConcurrency, (lane) =>
        writeLane(lane, records, results, write, context),
      )
      return results
    },
  }
}

async function writeLane<T>(
  lane: readonly number[],
  records: readonly SinkRecord<T>[],
  results: SinkResult[],
  write: (value: T, position: RecordPosition) => unknown,
  context: SinkContext,
): Promise<void> {
  let behind: SinkResult | undefined
  for (const index of lane) {
    if (behind === undefined && context.remainingMs() <= 0) behind = outOfTime()
    if (behind !== undefined) {
      results[index] = behind
      continue
    }
    const { value, position } = records[index]!
    try {
      await write(value, position)
      results[index] = { stored: true }
    } catch (error) {
      results[index] = { stored: false, error }
      behind = heldBack(error)
    }
  }
}
