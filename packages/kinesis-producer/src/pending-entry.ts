import type { AggregateBuilder } from '@org/kinesis-core'
import type { DeliveryAttempt, Receipt } from './delivery-report.js'
import type { Landed } from './entry-outcome.js'
import type { HashedKey } from './hashed-key.js'
import type { ProducerError } from './producer-errors.js'
import { notify } from './producer-hooks.js'
import type { OutgoingEntry } from './put-records-transport.js'
import type { CheckedRecord } from './record-input.js'
import type { ShardLane } from './shard-lane.js'
import type { KeyBucket } from './shard-map.js'

/** Where an entry is: in exactly one of these places until it has settled. */
export type Place =
  | 'admission'
  | 'admitted'
  | 'open'
  | 'key'
  | 'limit'
  | 'lane'
  | 'backoff'
  | 'in-flight'
  | 'unverified'
  | 'settled'

/**
 * What an entry costs besides its bytes: this object, its view of the data, a receipt. Counted, because the bound on memory would otherwise not hold
 * for small records.
 */
export const ENTRY_OVERHEAD_BYTES = 512
/** What each further receipt of an aggregate costs until it is there. */
const RECEIPT_OVERHEAD_BYTES = 384
/** What each further position in the spool costs. */
const POSITION_BYTES = 8

/** Text is kept as it is up to here. */
const MAX_TEXT_LENGTH = 4_096

export type Resolve = (receipt: Receipt) => void
export type Reject = (error: ProducerError) => void

export const NO_DATA = new Uint8Array()

/**
 * One entry of a PutRecords request between the first `put` and its outcome: one record of the user's, or an aggregate of many. The links
 * make it a member of lists without an allocation per membership.
 */
export class PendingEntry implements OutgoingEntry {
  /** As sent: of the record, or of its aggregate. */
  partitionKey: string
  explicitHashKey: string | undefined
  /** What `data` says, as long as nobody has asked: many small buffers would be a good part of what a record costs. */
  text: string | undefined = undefined
  #data: Uint8Array = NO_DATA
  /** Where its first record falls; where all of them fall, unless they are of a bucket. */
  readonly key: HashedKey
  readonly keyBytes: number
  /** What the service counts: data and partition key. */
  sizeBytes = 0
  /** Data of its user records, once it is sealed. */
  userBytes = 0
  /** Of the first record: an entry expires with the oldest that it holds. */
  readonly putAtMs: number
  readonly expiresAtMs: number
  /** User records in it. */
  count = 1
  isAggregate = false
  /** While the entry is open: takes further records. */
  builder: AggregateBuilder | undefined = undefined
  /** Open, although its linger is over: its key has another entry under way. */
  isOverdue = false
  /** Of an aggregate of several keys: all of them fall into this. */
  bucket: KeyBucket | undefined = undefined
  /** Two for each record, in their order; undefined where nobody asked for a receipt. */
  settlers: (Resolve | Reject | undefined)[] | undefined = undefined
  /** Where the spool has each record, in their order; undefined without a spool. */
  positions: number[] | undefined = undefined

  place: Place = 'admitted'
  attempts = 0
  history: readonly DeliveryAttempt[] = []
  maybeDelivered = false
  lastFault: Error | undefined = undefined
  /** Which flush waits for it. */
  epoch = 0
  lane: ShardLane | undefined = undefined
  /** Where it landed, as long as it is not certain that this is the shard of all its records. */
  landed: Landed | undefined = undefined
  /** Listings since then in which that shard was not. */
  looks = 0

  previous: PendingEntry | undefined = undefined
  next: PendingEntry | undefined = undefined
  older: PendingEntry | undefined = undefined
  younger: PendingEntry | undefined = undefined
  aging = false
  /** What it was last counted with, see `RecordBuffer`. */
  chargedBytes = 0

  constructor(record: CheckedRecord, putAtMs: number, expiresAtMs: number) {
    this.partitionKey = record.partitionKey
    this.explicitHashKey = record.explicitHashKey
    this.key = record.key
    this.keyBytes = record.keyBytes
    this.putAtMs = putAtMs
    this.expiresAtMs = expiresAtMs
  }

  /** Empty while the entry is open. */
  get data(): Uint8Array {
    if (this.text !== undefined) this.data = Buffer.from(this.text)
    return this.#data
  }

  set data(data: Uint8Array) {
    this.text = undefined
    this.#data = data
  }

  get dataBytes(): number {
    return this.text === undefined ? this.#data.byteLength : this.userBytes
  }

  /** Makes it the entry of this record alone. */
  carry({ data }: Pick<CheckedRecord, 'data'>): void {
    // Text with a single character beyond Latin-1 takes twice its bytes in memory: that must not count for much.
    if (typeof data === 'string' && data.length <= MAX_TEXT_LENGTH) {
      this.text = data
      this.userBytes = Buffer.byteLength(data)
    } else {
      this.data = typeof data === 'string' ? Buffer.from(data) : data
      this.userBytes = this.#data.byteLength
    }
    this.sizeBytes = this.keyBytes + this.userBytes
  }

  /** Makes it the entry of an aggregate: of the keys of a bucket, or of its own key. `memory` as for `AggregateBuilder.finish`. */
  carryAggregate(builder: AggregateBuilder, bucket: KeyBucket | undefined, memory?: Buffer): void {
    this.isAggregate = true
    this.count = builder.count
    this.bucket = bucket
    if (bucket !== undefined) {
      this.partitionKey = bucket.partitionKey
      this.explicitHashKey = bucket.explicitHashKey
    }
    this.userBytes = builder.dataBytes
    this.data = builder.finish(memory)
    this.sizeBytes = this.data.byteLength + (bucket?.partitionKey.length ?? this.keyBytes)
  }

  /** Makes it the first of an aggregate, which has the data from now on. */
  join(builder: AggregateBuilder, bucket: KeyBucket | undefined): void {
    this.builder = builder
    this.bucket = bucket
    this.place = 'open'
    this.isOverdue = false
    this.data = NO_DATA
    this.sizeBytes = builder.sizeBytes + (bucket?.partitionKey.length ?? this.keyBytes)
  }

  /** What it counts against the bound on memory. */
  get costBytes(): number {
    const receipts = this.settlers === undefined ? 0 : (this.count - 1) * RECEIPT_OVERHEAD_BYTES
    const positions = this.positions === undefined ? 0 : (this.count - 1) * POSITION_BYTES
    return this.sizeBytes + ENTRY_OVERHEAD_BYTES + receipts + positions
  }

  /** Notes who waits for the record that was added last, if anybody does. */
  addSettlers(resolve?: Resolve | Reject, reject?: Resolve | Reject): void {
    if (this.settlers === undefined) {
      if (resolve === undefined && reject === undefined) return
      if (this.count === 1) {
        // To push into an empty array would make room for seventeen.
        this.settlers = [resolve, reject]
        return
      }
      // No holes, which flattening would drop.
      this.settlers = new Array((this.count - 1) * 2).fill(undefined)
    }
    this.settlers.push(resolve, reject)
  }

  /** Notes where the spool has the record that was added last. */
  addPosition(position: number | undefined): void {
    if (position === undefined) return
    if (this.positions === undefined) this.positions = [position]
    else this.positions.push(position)
  }

  resolve(receipt: Omit<Receipt, 'subSequenceNumber'>): void {
    const { settlers } = this
    if (settlers === undefined) return
    for (let index = 0; index < settlers.length; index += 2) {
      const resolve = settlers[index] as Resolve | undefined
      if (resolve !== undefined) notify(resolve, { ...receipt, subSequenceNumber: index >> 1 })
    }
  }

  reject(error: ProducerError): void {
    const { settlers } = this
    if (settlers === undefined) return
    for (let index = 1; index < settlers.length; index += 2) {
      notify(settlers[index] as Reject | undefined, error)
    }
  }
}
