import { createHash } from 'node:crypto'
import {
  aggregatedRecordFields,
  MAGIC,
  MD5_BYTES,
  type RecordTag,
  recordFields,
  tagFields,
  type UserRecord,
} from './format.js'
import { LENGTH_DELIMITED, VARINT, varintSize, writeVarint } from './protobuf.js'

/**
 * Packs user records into one aggregated record that KPL-aware consumers (KCL, Firehose, Lambda with enhanced fan-out,
 * aws-kinesis-agg, our processor) unpack.
 *
 * Whoever sends it must see to it that every member's hash key lies in the shard that the container goes to:
 * KCL drops the whole container otherwise.
 */
export function encodeAggregate(records: readonly UserRecord[]): Uint8Array {
  const keys = new StringTable()
  const hashKeys = new StringTable()
  const planned = records.map((record) => plan(record, keys, hashKeys))

  let messageBytes = keys.encodedBytes + hashKeys.encodedBytes
  for (const { bytes } of planned) messageBytes += fieldBytes(bytes)

  const target = Buffer.allocUnsafe(MAGIC.length + messageBytes + MD5_BYTES)
  let at = MAGIC.copy(target)
  at = keys.write(target, at, aggregatedRecordFields.partitionKeyTable)
  at = hashKeys.write(target, at, aggregatedRecordFields.explicitHashKeyTable)
  for (const record of planned) at = writeRecord(target, at, record)
  createHash('md5').update(target.subarray(MAGIC.length, at)).digest().copy(target, at)
  return target
}

/** All field numbers of the format are below 16, so every field starts with one byte. */
const fieldBytes = (length: number) => 1 + varintSize(length) + length

interface PlannedRecord {
  keyIndex: number
  hashKeyIndex: number | undefined
  data: Uint8Array
  tags: readonly RecordTag[]
  bytes: number
}

function plan(record: UserRecord, keys: StringTable, hashKeys: StringTable): PlannedRecord {
  const keyIndex = keys.indexOf(record.partitionKey)
  const hashKeyIndex =
    record.explicitHashKey === undefined ? undefined : hashKeys.indexOf(record.explicitHashKey)
  const tags = record.tags ?? []
  let bytes = 1 + varintSize(keyIndex) + fieldBytes(record.data.byteLength)
  if (hashKeyIndex !== undefined) bytes += 1 + varintSize(hashKeyIndex)
  for (const tag of tags) bytes += fieldBytes(tagBytes(tag))
  return { keyIndex, hashKeyIndex, data: record.data, tags, bytes }
}

function tagBytes(tag: RecordTag): number {
  const key = fieldBytes(Buffer.byteLength(tag.key))
  return tag.value === undefined ? key : key + fieldBytes(Buffer.byteLength(tag.value))
}

function writeRecord(target: Buffer, offset: number, record: PlannedRecord): number {
  let at = writeHead(target, offset, aggregatedRecordFields.records, record.bytes)
  at = writeNumber(target, at, recordFields.partitionKeyIndex, record.keyIndex)
  if (record.hashKeyIndex !== undefined) {
    at = writeNumber(target, at, recordFields.explicitHashKeyIndex, record.hashKeyIndex)
  }
  at = writeHead(target, at, recordFields.data, record.data.byteLength)
  target.set(record.data, at)
  at += record.data.byteLength
  for (const tag of record.tags) {
    at = writeHead(target, at, recordFields.tags, tagBytes(tag))
    at = writeText(target, at, tagFields.key, tag.key)
    if (tag.value !== undefined) at = writeText(target, at, tagFields.value, tag.value)
  }
  return at
}

function writeNumber(target: Buffer, offset: number, field: number, value: number): number {
  target[offset] = (field << 3) | VARINT
  return writeVarint(target, offset + 1, value)
}

function writeHead(target: Buffer, offset: number, field: number, length: number): number {
  target[offset] = (field << 3) | LENGTH_DELIMITED
  return writeVarint(target, offset + 1, length)
}

function writeText(target: Buffer, offset: number, field: number, text: string): number {
  const at = writeHead(target, offset, field, Buffer.byteLength(text))
  return at + target.write(text, at)
}

/** Strings that records refer to by index, each held once. */
class StringTable {
  readonly #indices = new Map<string, number>()
  encodedBytes = 0

  indexOf(text: string): number {
    const known = this.#indices.get(text)
    if (known !== undefined) return known
    const index = this.#indices.size
    this.#indices.set(text, index)
    this.encodedBytes += fieldBytes(Buffer.byteLength(text))
    return index
  }

  write(target: Buffer, offset: number, field: number): number {
    let at = offset
    for (const text of this.#indices.keys()) at = writeText(target, at, field, text)
    return at
  }
}
