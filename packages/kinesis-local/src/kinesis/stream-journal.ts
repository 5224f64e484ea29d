import type { KinesisContext } from './kinesis-context.js'
import type { Shard } from './shard.js'
import type { NewRecord } from './shard-log.js'
import type { Stream } from './stream.js'

/** Where the service keeps what must survive its process. */
export interface StreamJournal {
  /** Fills the empty service with what was kept, and from then on keeps what it does; returns the names of the streams. */
  attach(context: KinesisContext): ReadonlySet<string>
  /** A record of the running call. */
  record(stream: Stream, shard: Shard, record: NewRecord): void
  /**
   * Keeps the records of the call, or also whatever else it changed. Once it returns, the end of the process does not undo them; where
   * it cannot keep them it throws, and they must not be acknowledged.
   */
  commit(changed: 'records' | 'anything'): void
}

const WRITES: ReadonlySet<string> = new Set(['PutRecord', 'PutRecords'])
const READS = /^(Get|List|Describe|Subscribe)/

/** What an operation may change, or undefined where it changes nothing. */
export function changedBy(operation: string): 'records' | 'anything' | undefined {
  if (WRITES.has(operation)) return 'records'
  return READS.test(operation) ? undefined : 'anything'
}
