import { hash } from 'node:crypto'
import {
  aggregatedRecordFields,
  MAGIC,
  MD5_BYTES,
  type RecordTag,
  recordFields,
  tagFields,
} from './format.js'
import { LENGTH_DELIMITED, VARINT, varintSize, writeVarint } from './protobuf.js'

/** A member of an aggregate; a string is packed as UTF-8. */
export interface AggregateMember {
  readonly partitionKey: string
  /** Decimal; overrides the hash of the partition key. */
  readonly explicitHashKey?: string | undefined
  readonly data: Uint8Array | string
  readonly tags?: readonly RecordTag[] | undefined
}

const INITIAL_BYTES = 2_048
const NO_TAGS: readonly RecordTag[] = []

/** All field numbers of the format are below 16, so every field starts with one byte. */
const RECORD_HEAD = (aggregatedRecordFields.records << 3) | LENGTH_DELIMITED
const KEY_INDEX_HEAD = (recordFields.partitionKeyIndex << 3) | VARINT
const HASH_KEY_INDEX_HEAD = (recordFields.explicitHashKeyIndex << 3) | VARINT
const DATA_HEAD = (recordFields.data << 3) | LENGTH_DELIMITED
const fieldBytes = (length: number) => 1 + varintSize(length) + length
/** Of a record, in front of its data. */
const headBytes = (dataBytes: number, otherBytes: number, tagsBytes: number) =>
  1 + varintSize(otherBytes + fieldBytes(dataBytes)) + otherBytes - tagsBytes + 1 + varintSize(dataBytes)
/** The heads of a record and of its data, at their longest. */
const MAX_HEAD_BYTES = 32

/**
 * Packs user records one by one into an aggregated record that KPL-aware consumers (KCL, Firehose, Lambda with enhanced fan-out,
 * aws-kinesis-agg, our processor) unpack. It knows at every moment exactly how large the aggregate would be. Members are encoded as they
 * come, so a full aggregate needs no second pass and no object for each member.
 *
 * Whoever sends it must see to it that every member's hash key lies in the shard that the container goes to:
 * KCL drops the whole container otherwise.
 */
export class AggregateBuilder {
  /** Members so far. */
  count = 0
  /** Their data alone. */
  dataBytes = 0
  /** The encoded records; the tables are written in front of them at the end. */
  #records = Buffer.allocUnsafeSlow(INITIAL_BYTES)
  #recordsBytes = 0
  #lastDataAt = 0
  #lastDataBytes = 0
  readonly #keys = new StringTable(aggregatedRecordFields.partitionKeyTable)
  readonly #hashKeys = new StringTable(aggregatedRecordFields.explicitHashKeyTable)

  /** Size of what `finish` would return, in bytes. */
  get sizeBytes(): number {
    return MAGIC.length + this.#keys.bytes + this.#hashKeys.bytes + this.#recordsBytes + MD5_BYTES
  }

  /** The data of the member that was added last: a view, good until the next call. */
  get lastData(): Uint8Array {
    return this.#records.subarray(this.#lastDataAt, this.#lastDataAt + this.#lastDataBytes)
  }

  /** Adds a member; or answers false and changes nothing, where the aggregate would be larger than `maxBytes` with it. */
  add(member: AggregateMember, maxBytes = Number.POSITIVE_INFINITY): boolean {
    const { partitionKey, explicitHashKey, data, tags = NO_TAGS } = member
    const keyIndex = this.#keys.indexOf(partitionKey)
    const hashKeyIndex = explicitHashKey === undefined ? -1 : this.#hashKeys.indexOf(explicitHashKey)
    let otherBytes = 1 + varintSize(keyIndex)
    if (hashKeyIndex >= 0) otherBytes += 1 + varintSize(hashKeyIndex)
    let tagsBytes = 0
    for (const tag of tags) tagsBytes += fieldBytes(tagBytes(tag))
    otherBytes += tagsBytes

    const isText = typeof data === 'string'
    const longest = isText ? data.length * 3 : data.byteLength
    this.#reserve(this.#recordsBytes + MAX_HEAD_BYTES + longest + otherBytes)
    const target = this.#records
    const dataBytes = isText ? this.#writeText(data, otherBytes, tagsBytes) : longest
    const recordBytes = otherBytes + fieldBytes(dataBytes)
    const keyBytes = this.#keys.stage(keyIndex, partitionKey)
    const hashKeyBytes =
      explicitHashKey === undefined ? 0 : this.#hashKeys.stage(hashKeyIndex, explicitHashKey)
    if (this.sizeBytes + fieldBytes(recordBytes) + keyBytes + hashKeyBytes > maxBytes) return false

    this.#keys.append(partitionKey, keyBytes)
    if (explicitHashKey !== undefined) this.#hashKeys.append(explicitHashKey, hashKeyBytes)
    let at = this.#recordsBytes
    target[at++] = RECORD_HEAD
    at = writeVarint(target, at, recordBytes)
    target[at++] = KEY_INDEX_HEAD
    at = writeVarint(target, at, keyIndex)
    if (hashKeyIndex >= 0) {
      target[at++] = HASH_KEY_INDEX_HEAD
      at = writeVarint(target, at, hashKeyIndex)
    }
    target[at++] = DATA_HEAD
    at = writeVarint(target, at, dataBytes)
    if (!isText) target.set(data, at)
    this.#lastDataAt = at
    this.#lastDataBytes = dataBytes
    at += dataBytes
    for (const tag of tags) at = writeTag(target, at, tag)
    this.#recordsBytes = at
    this.count++
    this.dataBytes += dataBytes
    return true
  }

  /**
   * The aggregate; the builder is empty afterwards and can be used again.
   *
   * @param memory what to write it into, where it is large enough. @default memory of its own
   */
  finish(memory?: Buffer): Buffer {
    const { sizeBytes } = this
    const isLargeEnough = memory !== undefined && memory.length >= sizeBytes
    const aggregate = isLargeEnough ? memory.subarray(0, sizeBytes) : Buffer.allocUnsafeSlow(sizeBytes)
    let at = MAGIC.copy(aggregate)
    at = this.#keys.copy(aggregate, at)
    at = this.#hashKeys.copy(aggregate, at)
    at += this.#records.copy(aggregate, at, 0, this.#recordsBytes)
    hash('md5', aggregate.subarray(MAGIC.length, at), 'buffer').copy(aggregate, at)
    this.clear()
    return aggregate
  }

  clear(): void {
    this.count = 0
    this.dataBytes = 0
    this.#recordsBytes = 0
    this.#lastDataBytes = 0
    this.#keys.clear()
    this.#hashKeys.clear()
  }

  /**
   * Writes the data of the next record. What is in front of them depends on their length, which is known when they are written: so they are
   * written where they belong if they are ASCII, and moved if they are not.
   */
  #writeText(text: string, otherBytes: number, tagsBytes: number): number {
    const target = this.#records
    const guess = this.#recordsBytes + headBytes(text.length, otherBytes, tagsBytes)
    const written = target.write(text, guess)
    const start = this.#recordsBytes + headBytes(written, otherBytes, tagsBytes)
    if (start !== guess) target.copyWithin(start, guess, guess + written)
    return written
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#records.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(bytes, this.#records.length * 2))
    this.#records.copy(larger, 0, 0, this.#recordsBytes)
    this.#records = larger
  }
}

/** Strings that records refer to by index, each held once, in the order of their first use, encoded as they come. */
class StringTable {
  /** What the table takes in the aggregate. */
  bytes = 0
  #indices = new Map<string, number>()
  #encoded = Buffer.allocUnsafeSlow(256)
  readonly #field: number

  constructor(field: number) {
    this.#field = field
  }

  /** The index of a string that is there, or that it would get. */
  indexOf(text: string): number {
    return this.#indices.get(text) ?? this.#indices.size
  }

  /** Encodes a string behind the end of the table, for `append`, and says how many bytes it takes; 0 for one that is there. */
  stage(index: number, text: string): number {
    if (index < this.#indices.size) return 0
    const longest = MAX_HEAD_BYTES + text.length * 3
    if (this.bytes + longest > this.#encoded.length) {
      const larger = Buffer.allocUnsafeSlow((this.bytes + longest) * 2)
      this.#encoded.copy(larger, 0, 0, this.bytes)
      this.#encoded = larger
    }
    return writeText(this.#encoded, this.bytes, this.#field, text) - this.bytes
  }

  /** Takes up what `stage` has encoded. */
  append(text: string, stagedBytes: number): void {
    if (stagedBytes === 0) return
    this.#indices.set(text, this.#indices.size)
    this.bytes += stagedBytes
  }

  copy(target: Buffer, offset: number): number {
    return offset + this.#encoded.copy(target, offset, 0, this.bytes)
  }

  clear(): void {
    this.bytes = 0
    this.#indices.clear()
  }
}

function tagBytes(tag: RecordTag): number {
  const key = fieldBytes(Buffer.byteLength(tag.key))
  return tag.value === undefined ? key : key + fieldBytes(Buffer.byteLength(tag.value))
}

function writeTag(target: Buffer, offset: number, tag: RecordTag): number {
  let at = writeHead(target, offset, recordFields.tags, tagBytes(tag))
  at = writeText(target, at, tagFields.key, tag.key)
  return tag.value === undefined ? at : writeText(target, at, tagFields.value, tag.value)
}

function writeHead(target: Buffer, offset: number, field: number, length: number): number {
  target[offset] = (field << 3) | LENGTH_DELIMITED
  return writeVarint(target, offset + 1, length)
}

function writeText(target: Buffer, offset: number, field: number, text: string): number {
  // Most are short and ASCII: then the length takes one byte, and there is nothing to count beforehand.
  const at = offset + 2
  if (text.length < 43) {
    const written = target.write(text, at)
    target[offset] = (field << 3) | LENGTH_DELIMITED
    target[offset + 1] = written
    return at + written
  }
  const start = writeHead(target, offset, field, Buffer.byteLength(text))
  return start + target.write(text, start)
}
