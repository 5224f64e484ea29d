import type { RecordPosition } from './stream-record.js'

export interface SinkRecord<T> {
  value: T
  position: RecordPosition
}

/**
 * What became of one record: stored, or an error. A `PermanentError` sends the record to the rejected sink; every other error
 * leaves it to be tried again.
 */
export type SinkResult = { stored: true } | { stored: false; error: unknown }

export interface SinkContext {
  /** Milliseconds that are left for writing. */
  remainingMs(): number
}

/**
 * Where records go. `write` gets records in stream order and answers for each, at the same index. Records of one partition key must
 * be written in this order, and none after one of its key that failed: it answers for those as well, with the same error.
 * When `write` throws, all of its records failed with that error.
 */
export interface Sink<T> {
  write(records: readonly SinkRecord<T>[], context: SinkContext): Promise<readonly SinkResult[]>
}

/** A sink from a function that takes one record. Keys run in parallel, records of one key one after the other. */
export function functionSink<T>(write: (value: T, position: RecordPosition) => unknown): Sink<T> {
  return {
    async write(records) {
      const results: SinkResult[] = new Array(records.length)
      const lanes = Map.groupBy(records.keys(), (index) => records[index]!.position.partitionKey)
      await Promise.all([...lanes.values()].map((lane) => writeLane(lane, records, results, write)))
      return results
    },
  }
}

async function writeLane<T>(
  lane: readonly number[],
  records: readonly SinkRecord<T>[],
  results: SinkResult[],
  write: (value: T, position: RecordPosition) => unknown,
): Promise<void> {
  let failure: SinkResult | undefined
  for (const index of lane) {
    if (failure !== undefined) {
      results[index] = failure
      continue
    }
    const { value, position } = records[index]!
    try {
      await write(value, position)
      results[index] = { stored: true }
    } catch (error) {
      results[index] = { stored: false, error }
      failure = {
        stored: false,
        error: new Error('An earlier record of its partition key failed.', { cause: error }),
      }
    }
  }
}
