import type { ProducerError } from './producer-errors.js'
import type { SpoolStats } from './spool/spool.js'

/** Counters since the producer was made, and what it holds now. */
export interface ProducerStats {
  /** Records accepted, which is `delivered + failed + pending`. */
  put: number
  delivered: number
  failed: number
  /** Accepted and not yet settled. */
  pending: number
  /** Puts refused before anything was queued: invalid, too large, buffer or spool full, key halted, closed. */
  refused: number
  /** Attempts beyond the first, summed over records. */
  retried: number
  /** Attempts that the service throttled, summed over records. */
  throttled: number
  /** PutRecords requests sent. */
  requests: number
  /** Of these, the ones that failed as a whole. */
  failedRequests: number
  inFlightRequests: number
  /** What counts against `maxBufferedBytes`. */
  bufferedBytes: number
  /** Records that wait for room in the buffer. */
  waitingForRoom: number
  /** Shards that are paced; 0 until the shards are known. */
  shards: number
  haltedKeys: number
  /** Of those in `put`, the ones that a process before had left in the spool. */
  recovered: number
  /** What the spool holds; undefined without one, and until it is open. */
  spool: SpoolStats | undefined
}

/** A record that `close` gave up, or that failed while it drained. What it gave up a spool has as well: the next process sends it. */
export interface UndeliveredRecord {
  partitionKey: string
  explicitHashKey?: string
  /** As it would have been sent. */
  data: Uint8Array
  error: ProducerError
}

export interface CloseOptions {
  /** Give up what has not settled after so many milliseconds; a spool keeps it for the next process. @default none: every record ends by its `recordTtlMs` */
  deadlineMs?: number
}

export interface CloseResult {
  /** In `put` order, where they were given up together. */
  undelivered: UndeliveredRecord[]
}
