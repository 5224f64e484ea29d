import { kinesisQuotas, parseHashKey } from '@org/kinesis-core'
import { InvalidRecordError, RecordTooLargeError } from './producer-errors.js'

/** What a caller puts. */
export interface ProducerRecord {
  /** 1 to 256 Unicode characters. Order is promised per partition key, where it is promised. */
  partitionKey: string
  /**
   * Bytes are sent as they are and must not be changed until the put has settled; a string is sent as UTF-8, any other
   * object as JSON.
   */
  data: Uint8Array | string | object
  /** Decimal, 0 to 2^128-1: chooses the shard instead of the partition key. */
  explicitHashKey?: string
}

/** A record that can be sent: checked, and its data in bytes. */
export interface EncodedRecord {
  partitionKey: string
  explicitHashKey: string | undefined
  data: Uint8Array
  /** What the service counts: data and partition key in UTF-8. */
  sizeBytes: number
}

/** Checks everything that can be known before a record is queued; throws what the caller's put rejects with. */
export function encodeRecord(record: ProducerRecord, limits: { maxRecordBytes: number }): EncodedRecord {
  if (typeof record !== 'object' || record === null) {
    throw new InvalidRecordError(
      'record',
      `${describe(record)} is not a record`,
      'Pass { partitionKey, data }.',
    )
  }
  const { partitionKey, explicitHashKey } = record
  checkPartitionKey(partitionKey)
  if (explicitHashKey !== undefined) checkExplicitHashKey(explicitHashKey)
  const data = encodeData(record.data)
  const sizeBytes = data.byteLength + Buffer.byteLength(partitionKey)
  if (sizeBytes > limits.maxRecordBytes) throw new RecordTooLargeError(sizeBytes, limits.maxRecordBytes)
  return { partitionKey, explicitHashKey, data, sizeBytes }
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

function encodeData(data: unknown): Uint8Array {
  if (data instanceof Uint8Array) return data
  if (typeof data === 'string') return Buffer.from(data)
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
  return Buffer.from(text)
}

function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value)
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object'
  return String(value)
}
