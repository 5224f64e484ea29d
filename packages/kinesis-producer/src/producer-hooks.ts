import type { ProducerError } from './producer-errors.js'
import type { TransportFault } from './put-records-transport.js'
import type { SpoolDamage } from './spool/spool-damage.js'

/** A request that is on its way. */
export interface BatchSentEvent {
  /** Number of the request, from 1; its `BatchSettledEvent` has the same. */
  request: number
  /** Records of the user's: an aggregate counts with all of its own. */
  records: number
  /** Entries of the request, which are records of Kinesis. */
  entries: number
  /** Data and partition keys. */
  sizeBytes: number
  /** This one included. */
  inFlightRequests: number
}

/** A request that has ended, and what became of its records: `delivered + retried + failed + unverified` are those that had not settled before. */
export interface BatchSettledEvent {
  /** As in its `BatchSentEvent`. */
  request: number
  records: number
  entries: number
  sizeBytes: number
  durationMs: number
  delivered: number
  retried: number
  failed: number
  throttled: number
  /**
   * In aggregates that landed in another shard than expected, as happens while the stream is resharded: once the shards are known anew they
   * are delivered or sent again, without another event.
   */
  unverified: number
  /** Set where the request failed as a whole. */
  fault?: TransportFault
}

export interface RecordRetriedEvent {
  /** Of the record, or of the aggregate that carries it. */
  partitionKey: string
  /** Records that are retried together: 1, or the members of an aggregate. */
  records: number
  /** Attempts so far. */
  attempts: number
  /** Until it may be sent again. */
  delayMs: number
  fault: TransportFault
}

export interface RecordFailedEvent {
  partitionKey: string
  data: Uint8Array
  /** What the put rejects with. */
  error: ProducerError
}

export interface PacingUnavailableEvent {
  cause: Error
}

export interface AggregationUnavailableEvent {
  /** `auto-distribution`: the stream distributes records itself, and its consumers drop aggregates. `unknown`: it cannot be told. */
  reason: 'auto-distribution' | 'unknown'
  cause?: Error
}

export interface SpoolFailedEvent {
  /** What puts reject with from now on. */
  error: ProducerError
}

/**
 * Called as things happen, on the path of the records: keep them short. A hook that throws does not disturb the producer, it becomes
 * a process warning.
 */
export interface ProducerHooks {
  onBatchSent?: (event: BatchSentEvent) => void
  onBatchSettled?: (event: BatchSettledEvent) => void
  onRecordRetried?: (event: RecordRetriedEvent) => void
  /** Every record that was accepted and not delivered, also those that nobody awaits. */
  onRecordFailed?: (event: RecordFailedEvent) => void
  /** Once: the shards cannot be listed, so records are sent without pacing per shard until they can. */
  onPacingUnavailable?: (event: PacingUnavailableEvent) => void
  /** Once, with `aggregation`: records are sent one by one, for good or until it is known that the stream takes aggregates. */
  onAggregationUnavailable?: (event: AggregationUnavailableEvent) => void
  /**
   * With `spool`: bytes were found that are no records, as a process leaves them that is killed amid a write. Everything else is sent.
   * Without this hook, and without a log, it is a process warning.
   */
  onSpoolDamage?: (event: SpoolDamage) => void
  /** Once, with `spool`: it could not be opened, or takes nothing more. What was accepted is still sent. */
  onSpoolFailed?: (event: SpoolFailedEvent) => void
}

/** Calls a hook and keeps its exceptions from the producer. */
export function notify<E>(hook: ((event: E) => void) | undefined, event: E): void {
  if (hook === undefined) return
  try {
    hook(event)
  } catch (error) {
    process.emitWarning(error instanceof Error ? error : String(error), { code: 'KINESIS_PRODUCER_HOOK' })
  }
}
