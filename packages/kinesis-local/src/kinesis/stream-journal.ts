import type { KinesisContext } from './kinesis-context.js'
import type { Shard } from './shard.js'
import type { NewRecord } from './shard-log.js'
import type { Stream } from './stream.js'

/** A record with the shard that it goes to. */
export interface PlacedRecord extends NewRecord {
  shard: Shard
}

/**
 * Where the service keeps what must survive its process. Once a method returns, the end of the process does not undo what it kept;
 * where it cannot keep it, it throws, and that must not be acknowledged.
 */
export interface StreamJournal {
  /** Fills the empty service with what was kept, and from then on keeps what it does; returns the names of the streams. */
  attach(context: KinesisContext): ReadonlySet<string>
  /** Keeps records before anybody can read them, and shards that the stream got by being written to. */
  write(stream: Stream, records: readonly PlacedRecord[]): void
  /** Keeps whatever else a call changed. */
  commit(): void
}

const READS = /^(Get|List|Describe|Subscribe)/
/** These keep what they write by themselves, before anybody can read it. */
const WRITES = /^PutRecords?$/

/** Whether an operation changes what is kept beside records. */
export function changesStreams(operation: string): boolean {
  return !READS.test(operation) && !WRITES.test(operation)
}
