import type { CloseResult, ProducerError, ProducerStats, Receipt } from '../../src/index.ts'
import type { Way } from './traffic-plan.ts'

/** One put, and what the producer said of it. Moments count what happened, so that two in the same millisecond are told apart. */
export interface Put {
  /** From 0, in the order of the puts. */
  number: number
  partitionKey: string
  explicitHashKey: string | undefined
  /** The bytes that the stream must hold. */
  data: Uint8Array
  /** It must be refused, whatever happens. */
  isBad: boolean
  way: Way
  /** Nobody is told of this record in particular but where it fails: delivered is what was taken and did not. */
  isBlind: boolean
  atMs: number
  moment: number
  settledAtMs?: number
  isDelivered: boolean
  /** Where it was delivered and is not blind. */
  receipt?: Receipt
  error?: ProducerError
  /** When the producer gave it up, by its own hook. */
  failedMoments: number[]
}

export interface Flush {
  /** Puts before it. */
  puts: number
  calledAtMs: number
  /** Of these, those that had not settled when it resolved; undefined until it does. */
  open?: number[]
}

/** Everything that a run of a producer told, for those who judge it afterwards. */
export class Journal {
  readonly puts: Put[] = []
  readonly flushes: Flush[] = []
  /** When a halted key was let go on, as a moment. */
  readonly resumed: { partitionKey: string; moment: number }[] = []
  readonly batches = { sent: 0, delivered: 0, retried: 0, unverified: 0 }
  /** What the hook told of records that are sent again. */
  retriedByHook = 0
  /** What `putAll` told that was not so. */
  readonly wrongTallies: string[] = []
  /** Callbacks that were called for a put which had settled. */
  readonly settledTwice: number[] = []
  /** Failures that the hook told of, and no put was for. */
  readonly strayFailures: string[] = []
  startedAtMs = 0
  peakBufferedBytes = 0
  /** When `close()` was called, as a moment. */
  closingMoment: number | undefined
  closed: CloseResult | undefined
  stats: ProducerStats | undefined
  /** Timers of the producer that still ran when it was closed. */
  timersLeft: number | undefined
  #moment = 0

  moment(): number {
    return ++this.#moment
  }
}

/** Accepted means: not refused before anything was queued. The hook tells of accepted records alone. */
export function isRefused({ error, failedMoments }: Put): boolean {
  return error !== undefined && failedMoments.length === 0
}
