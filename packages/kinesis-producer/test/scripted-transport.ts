import { createHash } from 'node:crypto'
import { findHashKeyRange, uniformHashKeyRanges } from '@org/kinesis-core'
import {
  type OpenShard,
  type OutgoingEntry,
  type PutRecordsEntryResult,
  type PutRecordsTransport,
  TransportFault,
} from '../src/put-records-transport.js'

/** What the stream holds, in the order in which it came to hold it. */
export interface StoredRecord {
  shardId: string
  sequenceNumber: string
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

  #store(entry: OutgoingEntry): PutRecordsEntryResult {
    const shards = this.shards instanceof Error ? openShards(1) : this.shards
    const ranges = shards.map((shard) => ({
      shardId: shard.shardId,
      startingHashKey: BigInt(shard.startingHashKey),
      endingHashKey: BigInt(shard.endingHashKey),
    }))
    const digest = createHash('md5').update(entry.partitionKey).digest('hex')
    const hashKey = BigInt(entry.explicitHashKey ?? `0x${digest}`)
    const shardId = findHashKeyRange(ranges, hashKey)!.shardId
    const sequenceNumber = String(this.stored.length + 1)
    const data = Buffer.from(entry.data).toString()
    this.stored.push({ shardId, sequenceNumber, partitionKey: entry.partitionKey, data })
    return { shardId, sequenceNumber }
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
