import { crc32 } from 'node:zlib'
import type { NewRecord } from '../kinesis/shard-log.js'
import type { PlacedRecord } from '../kinesis/stream-journal.js'

/** A record with the stream, by the journal's own number of it, and the shard that it belongs to. */
export interface JournalRecord extends NewRecord {
  streamId: number
  shardIndex: number
}

export type JournalEntry =
  | { kind: 'state'; state: unknown }
  | { kind: 'records'; records: Iterable<JournalRecord> }

// An entry: the length of its payload, the CRC-32 of that, then the payload, whose first byte is the kind.
const HEADER_BYTES = 8
const STATE = 1
const RECORDS = 2
// Of one record before its key and data: stream, shard, counter, arrival, lengths of key and data.
const RECORD_HEADER_BYTES = 4 + 4 + 8 + 8 + 2 + 4
/** Above any call of the service; a longer one is no entry. */
const MAX_PAYLOAD_BYTES = 256 * 1024 * 1024

export function encodeState(state: unknown): Buffer {
  const json = JSON.stringify(state)
  const bytes = Buffer.byteLength(json)
  const entry = Buffer.allocUnsafe(HEADER_BYTES + 1 + bytes)
  entry.write(json, HEADER_BYTES + 1)
  return seal(entry, STATE)
}

export function encodeRecords(streamId: number, records: readonly PlacedRecord[]): Buffer {
  let bytes = HEADER_BYTES + 1
  for (const { keyBytes, data } of records) bytes += RECORD_HEADER_BYTES + keyBytes + data.length
  const entry = Buffer.allocUnsafe(bytes)
  let at = HEADER_BYTES + 1
  for (const { shard, counter, arrivalMs, partitionKey, keyBytes, data } of records) {
    at = entry.writeUInt32LE(streamId, at)
    at = entry.writeUInt32LE(shard.index, at)
    at = entry.writeDoubleLE(counter, at)
    at = entry.writeDoubleLE(arrivalMs, at)
    at = entry.writeUInt16LE(keyBytes, at)
    at = entry.writeUInt32LE(data.length, at)
    entry.write(partitionKey, at, keyBytes, 'utf8')
    entry.set(data, at + keyBytes)
    at += keyBytes + data.length
  }
  return seal(entry, RECORDS)
}

function seal(entry: Buffer, kind: number): Buffer {
  entry[HEADER_BYTES] = kind
  entry.writeUInt32LE(entry.length - HEADER_BYTES, 0)
  entry.writeUInt32LE(crc32(entry.subarray(HEADER_BYTES)), 4)
  return entry
}

/** The whole entries from the beginning of `bytes`; returns where they end, which is before the end of `bytes` where the rest is none. */
export function* decodeEntries(bytes: Buffer): Generator<JournalEntry, number> {
  let at = 0
  while (at + HEADER_BYTES < bytes.length) {
    const length = bytes.readUInt32LE(at)
    const end = at + HEADER_BYTES + length
    if (length === 0 || length > MAX_PAYLOAD_BYTES || end > bytes.length) return at
    const payload = bytes.subarray(at + HEADER_BYTES, end)
    if (crc32(payload) !== bytes.readUInt32LE(at + 4)) return at
    yield decodePayload(payload)
    at = end
  }
  return at
}

function decodePayload(payload: Buffer): JournalEntry {
  if (payload[0] === STATE) return { kind: 'state', state: JSON.parse(payload.toString('utf8', 1)) }
  return { kind: 'records', records: decodeRecords(payload) }
}

function* decodeRecords(payload: Buffer): Generator<JournalRecord> {
  let at = 1
  while (at < payload.length) {
    const keyBytes = payload.readUInt16LE(at + 24)
    const dataBytes = payload.readUInt32LE(at + 26)
    const keyAt = at + RECORD_HEADER_BYTES
    yield {
      streamId: payload.readUInt32LE(at),
      shardIndex: payload.readUInt32LE(at + 4),
      counter: payload.readDoubleLE(at + 8),
      arrivalMs: payload.readDoubleLE(at + 16),
      partitionKey: payload.toString('utf8', keyAt, keyAt + keyBytes),
      keyBytes,
      data: payload.subarray(keyAt + keyBytes, keyAt + keyBytes + dataBytes),
    }
    at = keyAt + keyBytes + dataBytes
  }
}
