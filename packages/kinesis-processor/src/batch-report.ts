import type { Batch } from './batch.js'
import type { ReasonCode } from './errors.js'

/** What one invocation did. Records are user records: the members of an aggregate, the parts of what `unpack` takes apart. */
export interface BatchReport {
  received: number
  stored: number
  rejected: number
  /** By a step or a decoder that gave undefined. */
  dropped: number
  /** Passed over, because the batch held the same record of the same producer before. */
  deduplicated: number
  unresolved: number
  /** Tries again within the invocation, each record counted as often as it was tried again. */
  retried: number
  /** Records before the checkpoint: those that Lambda does not deliver again. */
  checkpointAdvance: number
  /** How old the batch's oldest record was at the end, in milliseconds since its arrival; undefined for an empty batch. */
  iteratorAgeMs: number | undefined
  durationMs: number
  /** Decoding and steps, all tries together. */
  stepsDurationMs: number
  /** Writes to the sink, all tries together. */
  sinkDurationMs: number
  /** The first invocation of this handler. */
  isColdStart: boolean
  rejectedByReason: Partial<Record<ReasonCode, number>>
  /** What `eventType` says of the stored records. */
  storedByEventType: ReadonlyMap<string, number>
}

/** What the batch itself tells at the end; the rest is seen while it is worked on. */
export function countsOf<U>(
  batch: Batch<U>,
  nowMs: number,
): Pick<
  BatchReport,
  | 'received'
  | 'stored'
  | 'rejected'
  | 'dropped'
  | 'deduplicated'
  | 'unresolved'
  | 'checkpointAdvance'
  | 'iteratorAgeMs'
> {
  const { items } = batch
  const oldest = items[0]
  const stoppedAt = batch.firstUnresolved?.record.position.sequenceNumber
  return {
    received: items.length,
    ...batch.count(),
    // The whole aggregate comes again, also its members in front of the unresolved one.
    checkpointAdvance:
      stoppedAt === undefined
        ? items.length
        : items.findIndex(({ record }) => record.position.sequenceNumber === stoppedAt),
    iteratorAgeMs: oldest === undefined ? undefined : Math.max(0, nowMs - oldest.record.position.arrivalMs),
  }
}
