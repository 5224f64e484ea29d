import { hash } from 'node:crypto'
import {
  aggregatedRecordFields,
  MAGIC,
  MD5_BYTES,
  type RecordTag,
  recordFields,
  tagFields,
  type UserRecord,
} from './format.js'
import { LENGTH_DELIMITED, MalformedProtobufError, ProtobufReader, tagOf, VARINT } from './protobuf.js'

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
  const messageEnd = bytes.length - MD5_BYTES
  if (messageEnd < MAGIC.length || !beginsWithMagic(bytes)) return { kind: 'plain' }
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const message = buffer.subarray(MAGIC.length, messageEnd)
  if (!hash('md5', message, 'buffer').equals(buffer.subarray(messageEnd))) return { kind: 'plain' }
  try {
    return { kind: 'aggregated', records: readAggregatedRecord(message) }
  } catch (error) {
    if (error instanceof MalformedProtobufError) return { kind: 'corrupt', reason: error.message }
    throw error
  }
}

/** Most records are no aggregates, and that is to cost them nothing. */
function beginsWithMagic(bytes: Uint8Array): boolean {
  for (let at = 0; at < MAGIC.length; at++) if (bytes[at] !== MAGIC[at]) return false
  return true
}

const NO_TAGS: readonly RecordTag[] = Object.freeze([])
const KEYS = tagOf(aggregatedRecordFields.partitionKeyTable, LENGTH_DELIMITED)
const HASH_KEYS = tagOf(aggregatedRecordFields.explicitHashKeyTable, LENGTH_DELIMITED)
const RECORDS = tagOf(aggregatedRecordFields.records, LENGTH_DELIMITED)
const KEY_INDEX = tagOf(recordFields.partitionKeyIndex, VARINT)
const HASH_KEY_INDEX = tagOf(recordFields.explicitHashKeyIndex, VARINT)
const DATA = tagOf(recordFields.data, LENGTH_DELIMITED)
const TAGS = tagOf(recordFields.tags, LENGTH_DELIMITED)
const TAG_KEY = tagOf(tagFields.key, LENGTH_DELIMITED)
const TAG_VALUE = tagOf(tagFields.value, LENGTH_DELIMITED)

/** The tables come first, wherever they stand: the records refer to them. */
function readAggregatedRecord(message: Buffer): DecodedRecord[] {
  const keys: string[] = []
  const hashKeys: string[] = []
  const tables = new ProtobufReader(message)
  while (!tables.done) {
    const tag = tables.tag()
    if (tag === KEYS) keys.push(tables.chunk().toString('utf8'))
    else if (tag === HASH_KEYS) hashKeys.push(tables.chunk().toString('latin1'))
    else tables.skip(tag)
  }
  const records: DecodedRecord[] = []
  const reader = new ProtobufReader(message)
  while (!reader.done) {
    const tag = reader.tag()
    if (tag !== RECORDS) reader.skip(tag)
    else {
      const end = reader.enter()
      records.push(readRecord(reader, keys, hashKeys))
      reader.leave(end)
    }
  }
  return records
}

function readRecord(
  reader: ProtobufReader,
  keys: readonly string[],
  hashKeys: readonly string[],
): DecodedRecord {
  let keyIndex: number | undefined
  let hashKeyIndex: number | undefined
  let data: Buffer | undefined
  let tags: RecordTag[] | undefined
  while (!reader.done) {
    const tag = reader.tag()
    if (tag === KEY_INDEX) keyIndex = reader.varint()
    else if (tag === DATA) data = reader.chunk()
    else if (tag === HASH_KEY_INDEX) hashKeyIndex = reader.varint()
    else if (tag === TAGS) {
      const end = reader.enter()
      const recordTag = readTag(reader)
      reader.leave(end)
      if (tags === undefined) tags = [recordTag]
      else tags.push(recordTag)
    } else reader.skip(tag)
  }
  if (keyIndex === undefined) throw new MalformedProtobufError('a record has no partition key')
  if (data === undefined) throw new MalformedProtobufError('a record has no data')
  const partitionKey = keys[keyIndex]
  if (partitionKey === undefined) {
    throw new MalformedProtobufError(`partition key ${keyIndex} is not in the table`)
  }
  if (hashKeyIndex === undefined) return { partitionKey, data, tags: tags ?? NO_TAGS }
  const explicitHashKey = hashKeys[hashKeyIndex]
  if (explicitHashKey === undefined) {
    throw new MalformedProtobufError(`explicit hash key ${hashKeyIndex} is not in the table`)
  }
  return { partitionKey, explicitHashKey, data, tags: tags ?? NO_TAGS }
}

function readTag(reader: ProtobufReader): RecordTag {
  let key: string | undefined
  let value: string | undefined
  while (!reader.done) {
    const tag = reader.tag()
    if (tag === TAG_KEY) key = reader.chunk().toString('utf8')
    else if (tag === TAG_VALUE) value = reader.chunk().toString('utf8')
    else reader.skip(tag)
  }
  if (key === undefined) throw new MalformedProtobufError('a tag has no key')
  return value === undefined ? { key } : { key, value }
}
