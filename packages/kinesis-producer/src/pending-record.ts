import type { ProducerError } from './producer-errors.js'
import type { OutgoingEntry } from './put-records-transport.js'
import type { EncodedRecord } from './record-input.js'
import type { ShardLane } from './shard-lane.js'

/** What the caller gets for a record that is durable in the stream. */
export interface Receipt {
  shardId: string
  sequenceNumber: string
  /** How many requests carried the record; above 1 the stream may hold it more than once. */
  attempts: number
}

/** Where a record is: in exactly one of these places until it has settled. */
export type Place = 'admission' | 'key' | 'lane' | 'backoff' | 'in-flight' | 'settled'

/**
 * What a record costs besides its bytes: this object, its promise, its view of the data. Counted, because the bound on memory
 * would otherwise not hold for small records.
 */
export const RECORD_OVERHEAD_BYTES = 512

/** A record between `put` and its outcome. The links make it a member of lists without an allocation per membership. */
export class PendingRecord implements OutgoingEntry {
  readonly partitionKey: string
  readonly explicitHashKey: string | undefined
  readonly data: Uint8Array
  readonly sizeBytes: number
  readonly putAtMs: number
  readonly expiresAtMs: number
  readonly resolve: (receipt: Receipt) => void
  readonly reject: (error: ProducerError) => void

  place: Place = 'admission'
  attempts = 0
  maybeDelivered = false
  lastFault: Error | undefined = undefined
  /** Which flush waits for it. */
  epoch = 0
  /** 32 hexadecimal digits, computed when a shard map first asks for it. */
  hashKey: string | undefined = undefined
  lane: ShardLane | undefined = undefined

  previous: PendingRecord | undefined = undefined
  next: PendingRecord | undefined = undefined
  older: PendingRecord | undefined = undefined
  younger: PendingRecord | undefined = undefined
  aging = false

  constructor(
    record: EncodedRecord,
    putAtMs: number,
    recordTtlMs: number,
    resolve: (receipt: Receipt) => void,
    reject: (error: ProducerError) => void,
  ) {
    this.partitionKey = record.partitionKey
    this.explicitHashKey = record.explicitHashKey
    this.data = record.data
    this.sizeBytes = record.sizeBytes
    this.putAtMs = putAtMs
    this.expiresAtMs = putAtMs + recordTtlMs
    this.resolve = resolve
    this.reject = reject
  }

  get costBytes(): number {
    return this.sizeBytes + RECORD_OVERHEAD_BYTES
  }
}
