import { decodeAggregate, findHashKeyRange, partitionKeyHash, uniformHashKeyRanges } from '@org/kinesis-core'
import {
  type OpenShard,
  type OutgoingEntry,
  type PutRecordsEntryResult,
  type PutRecordsTransport,
  type StreamDescription,
  TransportFault,
} from '../src/put-records-transport.js'

/** What the stream holds, in the order in which it came to hold it. */
export interface StoredRecord {
  shardId: string
  sequenceNumber: string
  subSequenceNumber: number
  partitionKey: string
  data: string
}

/** What the script sees of a request, and can do about it. */
export interface ScriptedRequest {
  /** From 1. */
  number: number
  entries: readonly OutgoingEntry[]
  signal: AbortSignal
  /** Stores an entry, and returns the result that says so. */
  store(entry: OutgoingEntry): PutRecordsEntryResult
}

type Answer = readonly PutRecordsEntryResult[] | Promise<readonly PutRecordsEntryResult[]>

/** The port answered by a script, for tests of decisions and time; the wire is tested against the local service. */
export class ScriptedTransport implements PutRecordsTransport {
  readonly stored: StoredRecord[] = []
  readonly dropped: StoredRecord[] = []
  #lastSequenceNumber = 0
  description: StreamDescription = { maxRecordBytes: 1_048_576, recordDistribution: 'keyed' }
  readonly requests: (readonly OutgoingEntry[])[] = []
  listings = 0
  closed = false
  shards: OpenShard[] | Error
  script: (request: ScriptedRequest) => Answer

  constructor(options: { shards?: number; script?: (request: ScriptedRequest) => Answer } = {}) {
    this.shards = openShards(options.shards ?? 1)
    this.script = options.script ?? storeAll
  }

  async putRecords(_stream: unknown, entries: readonly OutgoingEntry[], signal: AbortSignal) {
    this.requests.push(entries)
    const number = this.requests.length
    return this.script({ number, entries, signal, store: (entry) => this.#store(entry) })
  }

  async listShards() {
    this.listings++
    if (this.shards instanceof Error) throw this.shards
    return this.shards
  }

  close() {
    this.closed = true
  }

  async describeStream(): Promise<StreamDescription> {
    return this.description
  }

  /** Aggregates are unpacked as consumers do it: one with a member of another shard is dropped whole. */
  #store(entry: OutgoingEntry): PutRecordsEntryResult {
    const { shardId } = this.#shardOf(entry.explicitHashKey, entry.partitionKey)
    const sequenceNumber = String(++this.#lastSequenceNumber)
    const decoded = decodeAggregate(entry.data)
    const members = decoded.kind === 'aggregated' ? decoded.records : [entry]
    const isWhole = members.every(
      ({ explicitHashKey, partitionKey }) => this.#shardOf(explicitHashKey, partitionKey).shardId === shardId,
    )
    for (const [subSequenceNumber, { partitionKey, data: bytes }] of members.entries()) {
      const data = Buffer.from(bytes).toString()
      const kept = isWhole ? this.stored : this.dropped
      kept.push({ shardId, sequenceNumber, subSequenceNumber, partitionKey, data })
    }
    return { shardId, sequenceNumber }
  }

  #shardOf(explicitHashKey: string | undefined, partitionKey: string) {
    const shards = this.shards instanceof Error ? openShards(1) : this.shards
    const ranges = shards.map((shard) => ({
      shardId: shard.shardId,
      startingHashKey: BigInt(shard.startingHashKey),
      endingHashKey: BigInt(shard.endingHashKey),
    }))
    const hashKey = explicitHashKey === undefined ? partitionKeyHash(partitionKey) : BigInt(explicitHashKey)
    return findHashKeyRange(ranges, hashKey)!
  }
}

export const storeAll = ({ entries, store }: ScriptedRequest) => entries.map(store)

export const throttledEntry: PutRecordsEntryResult = {
  errorCode: 'ProvisionedThroughputExceededException',
  errorMessage: 'Rate exceeded for shard',
}

export const failedEntry: PutRecordsEntryResult = {
  errorCode: 'InternalFailure',
  errorMessage: 'Internal service failure',
}

export function reset(): TransportFault {
  return new TransportFault('socket hang up', {
    kind: 'transient',
    reason: 'ECONNRESET',
    maybeDelivered: true,
  })
}

/** An answer that does not come until the request is given up. */
export function stall(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
}

export function openShards(count: number, prefix = 'shardId-'): OpenShard[] {
  return uniformHashKeyRanges(count).map((range, index) => ({
    shardId: `${prefix}${String(index).padStart(12, '0')}`,
    startingHashKey: String(range.startingHashKey),
    endingHashKey: String(range.endingHashKey),
  }))
}

/** An explicit hash key in the middle of shard `index` of `count`. */
export function hashKeyIn(index: number, count: number): string {
  const range = uniformHashKeyRanges(count)[index]!
  return String((range.startingHashKey + range.endingHashKey) / 2n)
}
