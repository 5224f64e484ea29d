import { kinesisQuotas, parseHashKey } from '@org/kinesis-core'
import { type HashedKey, hashPartitionKey, parseHashedKey } from './hashed-key.js'
import { InvalidRecordError, RecordTooLargeError } from './producer-errors.js'
import { RecentKeys } from './recent-keys.js'

/** What a caller puts. */
export interface ProducerRecord {
  /** 1 to 256 Unicode characters. Order is promised per partition key, where it is promised. */
  partitionKey: string
  /**
   * Bytes are sent as they are and must not be changed until the record has settled; a string is sent as UTF-8, any other
   * object as JSON.
   */
  data: Uint8Array | string | object
  /** Decimal, 0 to 2^128-1: chooses the shard instead of the partition key. */
  explicitHashKey?: string
}

/** A record that can be sent, so far as this can be known beforehand. */
export interface CheckedRecord {
  readonly partitionKey: string
  readonly explicitHashKey: string | undefined
  /** Where it falls: by its explicit hash key, else by its partition key. */
  readonly key: HashedKey
  /** Of the partition key in UTF-8. */
  readonly keyBytes: number
  /** Text is sent as UTF-8; it is encoded where it is needed, at best right into an aggregate. */
  readonly data: Uint8Array | string
}

/** What a record weighs at the most: text takes at most three bytes for each UTF-16 unit. */
export function longestBytes({ data, keyBytes }: Pick<CheckedRecord, 'data' | 'keyBytes'>): number {
  return keyBytes + (typeof data === 'string' ? data.length * 3 : data.byteLength)
}

interface KnownKey {
  key: HashedKey
  keyBytes: number
}

/** Checks everything that can be known before a record is queued. Remembers the keys that it has seen lately. */
export class RecordChecker {
  /** Data and partition key of one record, in bytes. */
  maxRecordBytes: number
  readonly #partitionKeys = new RecentKeys<KnownKey>((partitionKey) => {
    checkPartitionKey(partitionKey)
    return { key: hashPartitionKey(partitionKey), keyBytes: Buffer.byteLength(partitionKey) }
  })
  readonly #explicitHashKeys = new RecentKeys<HashedKey>((explicitHashKey) => {
    checkExplicitHashKey(explicitHashKey)
    return parseHashedKey(explicitHashKey)
  })

  constructor(maxRecordBytes: number) {
    this.maxRecordBytes = maxRecordBytes
  }

  /** Throws what the caller's put rejects with. */
  check(record: ProducerRecord): CheckedRecord {
    if (typeof record !== 'object' || record === null) {
      throw new InvalidRecordError(
        'record',
        `${describe(record)} is not a record`,
        'Pass { partitionKey, data }.',
      )
    }
    const { partitionKey, explicitHashKey } = record
    const known = this.#partitionKeys.get(partitionKey)
    const key = explicitHashKey === undefined ? known.key : this.#explicitHashKeys.get(explicitHashKey)
    const data = readData(record.data)
    const { keyBytes } = known
    // Only text that may be too much is counted.
    if (longestBytes({ data, keyBytes }) > this.maxRecordBytes) {
      const sizeBytes = keyBytes + Buffer.byteLength(data)
      if (sizeBytes > this.maxRecordBytes) throw new RecordTooLargeError(sizeBytes, this.maxRecordBytes)
    }
    return { partitionKey, explicitHashKey, key, keyBytes, data }
  }
}

function checkPartitionKey(partitionKey: unknown): void {
  const limit = kinesisQuotas.maxPartitionKeyLength
  if (typeof partitionKey !== 'string') {
    throw new InvalidRecordError(
      'partitionKey',
      `${describe(partitionKey)} is not a string`,
      `Pass a string of 1 to ${limit} characters.`,
    )
  }
  if (partitionKey.length === 0) {
    throw new InvalidRecordError(
      'partitionKey',
      'it is empty',
      `Pass a string of 1 to ${limit} characters; a random one spreads records over all shards.`,
    )
  }
  // The service counts characters, a string's length counts UTF-16 units: only a long key needs the exact count.
  if (partitionKey.length > limit) {
    const characters = [...partitionKey].length
    if (characters > limit) {
      throw new InvalidRecordError(
        'partitionKey',
        `${characters} characters, the limit is ${limit}`,
        'Shorten the key, or use a hash of it.',
      )
    }
  }
  if (!partitionKey.isWellFormed()) {
    throw new InvalidRecordError(
      'partitionKey',
      `${JSON.stringify(partitionKey)} holds half a surrogate pair, which UTF-8 cannot carry`,
      'Cut keys between characters, or call toWellFormed() on them.',
    )
  }
}

function checkExplicitHashKey(explicitHashKey: unknown): void {
  if (typeof explicitHashKey !== 'string' || parseHashKey(explicitHashKey) === undefined) {
    throw new InvalidRecordError(
      'explicitHashKey',
      `${describe(explicitHashKey)} is not a decimal integer from 0 to 2^128-1 in a string`,
      'Pass the StartingHashKey of a shard, or leave it out to let the partition key choose the shard.',
    )
  }
}

function readData(data: unknown): Uint8Array | string {
  if (data instanceof Uint8Array || typeof data === 'string') return data
  // JSON would make `{}` of these without a word.
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  if (data instanceof ArrayBuffer) return new Uint8Array(data)
  if (typeof data !== 'object' || data === null) {
    throw new InvalidRecordError(
      'data',
      `${describe(data)} cannot be sent`,
      'Pass a Uint8Array, a string, or an object to be sent as JSON.',
    )
  }
  let text: string | undefined
  try {
    text = JSON.stringify(data)
  } catch (cause) {
    throw new InvalidRecordError(
      'data',
      `the object cannot be written as JSON (${cause instanceof Error ? cause.message : String(cause)})`,
      'Pass bytes or a string that you encoded yourself.',
      cause,
    )
  }
  if (text === undefined) {
    throw new InvalidRecordError('data', 'its toJSON() returned nothing', 'Return a value from toJSON().')
  }
  return text
}

function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value)
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object'
  return String(value)
}
