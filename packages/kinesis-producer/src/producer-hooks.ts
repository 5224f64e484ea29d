import type { ProducerError } from './producer-errors.js'
import type { TransportFault } from './put-records-transport.js'

/** A request that is on its way. */
export interface BatchSentEvent {
  records: number
  /** Data and partition keys. */
  sizeBytes: number
  /** This one included. */
  inFlightRequests: number
}

/** A request that has ended, and what became of its records: `delivered + retried + failed` are those that had not settled before. */
export interface BatchSettledEvent {
  records: number
  sizeBytes: number
  durationMs: number
  delivered: number
  retried: number
  failed: number
  throttled: number
  /** Set where the request failed as a whole. */
  fault?: TransportFault
}

export interface RecordRetriedEvent {
  partitionKey: string
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
