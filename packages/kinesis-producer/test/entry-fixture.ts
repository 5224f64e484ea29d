import { hashPartitionKey, parseHashedKey } from '../src/hashed-key.js'
import { PendingEntry } from '../src/pending-entry.js'
import type { CheckedRecord } from '../src/record-input.js'

export function aCheckedRecord(options: Partial<CheckedRecord> = {}): CheckedRecord {
  const { partitionKey = 'k', explicitHashKey, data = '' } = options
  const key = explicitHashKey === undefined ? hashPartitionKey(partitionKey) : parseHashedKey(explicitHashKey)
  return { partitionKey, explicitHashKey, key, keyBytes: Buffer.byteLength(partitionKey), data }
}

/** An entry of any size, whatever its data. */
export function anEntry(sizeBytes: number, record: Partial<CheckedRecord> = {}): PendingEntry {
  const entry = new PendingEntry(aCheckedRecord(record), 0, 1_000)
  entry.sizeBytes = sizeBytes
  return entry
}
