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

const READS = /^(Get|List|Describe|Subscribe)/
/** These keep what they write by themselves, before anybody can read it. */
const WRITES = /^PutRecords?$/

/** Whether an operation changes what is kept beside records. */
export function changesStreams(operation: string): boolean {
  return !READS.test(operation) && !WRITES.test(operation)
}
