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
import { LENGTH_DELIMITED, MalformedProtobufError, ProtobufReader, VARINT } from './protobuf.js'

export type DecodedRecord = UserRecord & { data: Buffer; tags: readonly RecordTag[] }

/**
 * `plain`: an ordinary record; also one that begins with the magic but whose MD5 does not fit, as KCL reads it.
 * `corrupt`: the MD5 fits, so it was meant as an aggregate, but its content is broken.
 */
export type DecodedAggregate =
  | { kind: 'plain' }
  | { kind: 'aggregated'; records: DecodedRecord[] }
  | { kind: 'corrupt'; reason: string }

/** Unpacks an aggregated record. Never throws; time and memory are bounded by the size of `bytes`; data are views, not copies. */
export function decodeAggregate(bytes: Uint8Array): DecodedAggregate {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const messageEnd = buffer.length - MD5_BYTES
  if (messageEnd < MAGIC.length || !buffer.subarray(0, MAGIC.length).equals(MAGIC)) return { kind: 'plain' }
  const message = buffer.subarray(MAGIC.length, messageEnd)
  if (!createHash('md5').update(message).digest().equals(buffer.subarray(messageEnd)))
    return { kind: 'plain' }
  try {
    return { kind: 'aggregated', records: readAggregatedRecord(message) }
  } catch (error) {
    if (error instanceof MalformedProtobufError) return { kind: 'corrupt', reason: error.message }
    throw error
  }
}

interface RawRecord {
  keyIndex: number | undefined
  hashKeyIndex: number | undefined
  data: Buffer | undefined
  tags: RecordTag[]
}

function readAggregatedRecord(message: Buffer): DecodedRecord[] {
  const keys: string[] = []
  const hashKeys: string[] = []
  const raw: RawRecord[] = []
  const reader = new ProtobufReader(message)
  while (!reader.done) {
    const { field, wireType } = reader.tag()
    if (wireType !== LENGTH_DELIMITED) reader.skip(wireType)
    else if (field === aggregatedRecordFields.partitionKeyTable) keys.push(reader.chunk().toString('utf8'))
    else if (field === aggregatedRecordFields.explicitHashKeyTable)
      hashKeys.push(reader.chunk().toString('latin1'))
    else if (field === aggregatedRecordFields.records) raw.push(readRecord(reader.chunk()))
    else reader.chunk()
  }
  // The tables may follow the records, so indices are looked up at the end.
  return raw.map((record) => resolve(record, keys, hashKeys))
}

function readRecord(message: Buffer): RawRecord {
  const record: RawRecord = { keyIndex: undefined, hashKeyIndex: undefined, data: undefined, tags: [] }
  const reader = new ProtobufReader(message)
  while (!reader.done) {
    const { field, wireType } = reader.tag()
    if (field === recordFields.partitionKeyIndex && wireType === VARINT) record.keyIndex = reader.varint()
    else if (field === recordFields.explicitHashKeyIndex && wireType === VARINT)
      record.hashKeyIndex = reader.varint()
    else if (field === recordFields.data && wireType === LENGTH_DELIMITED) record.data = reader.chunk()
    else if (field === recordFields.tags && wireType === LENGTH_DELIMITED)
      record.tags.push(readTag(reader.chunk()))
    else reader.skip(wireType)
  }
  return record
}

function readTag(message: Buffer): RecordTag {
  let key: string | undefined
  let value: string | undefined
  const reader = new ProtobufReader(message)
  while (!reader.done) {
    const { field, wireType } = reader.tag()
    if (field === tagFields.key && wireType === LENGTH_DELIMITED) key = reader.chunk().toString('utf8')
    else if (field === tagFields.value && wireType === LENGTH_DELIMITED)
      value = reader.chunk().toString('utf8')
    else reader.skip(wireType)
  }
  if (key === undefined) throw new MalformedProtobufError('a tag has no key')
  return value === undefined ? { key } : { key, value }
}

function resolve(record: RawRecord, keys: readonly string[], hashKeys: readonly string[]): DecodedRecord {
  const { keyIndex, hashKeyIndex, data, tags } = record
  if (keyIndex === undefined) throw new MalformedProtobufError('a record has no partition key')
  if (data === undefined) throw new MalformedProtobufError('a record has no data')
  const partitionKey = keys[keyIndex]
  if (partitionKey === undefined)
    throw new MalformedProtobufError(`partition key ${keyIndex} is not in the table`)
  if (hashKeyIndex === undefined) return { partitionKey, data, tags }
  const explicitHashKey = hashKeys[hashKeyIndex]
  if (explicitHashKey === undefined) {
    throw new MalformedProtobufError(`explicit hash key ${hashKeyIndex} is not in the table`)
  }
  return { partitionKey, explicitHashKey, data, tags }
}
