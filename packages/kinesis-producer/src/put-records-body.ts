import type { OutgoingEntry, StreamIdentity } from './put-records-transport.js'

/**
 * What is encoded at a time, a multiple of three: the string between data and body stays in the processor's cache. Five times as much
 * costs a request of 1 MB a tenth of its time; from 1 MiB on V8 keeps strings elsewhere, which is several times slower.
 */
const PIECE_BYTES = 9 * 1024
/** Up to here, records share one call of the encoder: the call costs more than what it does for a small record. */
const SMALL_BYTES = 4 * 1024

const FIRST_ENTRY = Buffer.from('{"Data":"')
const NEXT_ENTRY = Buffer.from(',{"Data":"')
const PARTITION_KEY = Buffer.from('","PartitionKey":')
const EXPLICIT_HASH_KEY = Buffer.from(',"ExplicitHashKey":')
const ENTRY_CHARS = NEXT_ENTRY.length + PARTITION_KEY.length + EXPLICIT_HASH_KEY.length + 1
const QUOTE = 0x22
const BACKSLASH = 0x5c
const EQUALS = 0x3d
const CLOSING_BRACE = 0x7d
const CLOSING_BRACKET = 0x5d

/** Used within one call, and so by every transport. */
const scratch = Buffer.allocUnsafeSlow(PIECE_BYTES)

/** Room that `writePutRecordsBody` may need. */
export function maxPutRecordsBodyBytes(stream: StreamIdentity, entries: readonly OutgoingEntry[]): number {
  let bytes = Buffer.byteLength(opening(stream)) + 2
  for (const entry of entries) bytes += base64Length(entry.dataBytes) + maxFrameBytes(entry)
  return bytes
}

/**
 * Writes the JSON of a PutRecords request and returns its length. The SDK's own serializer walks a schema for every entry, and builds
 * the body as a string of strings; here data goes to where it is sent from with one string between.
 */
export function writePutRecordsBody(
  target: Buffer,
  stream: StreamIdentity,
  entries: readonly OutgoingEntry[],
): number {
  let at = target.write(opening(stream))
  for (let index = 0; index < entries.length; ) {
    const end = endOfGroup(entries, index)
    at =
      end > index
        ? writeGroup(target, at, entries, index, end)
        : writeLarge(target, at, entries[index]!, index)
    index = Math.max(end, index + 1)
  }
  target[at++] = CLOSING_BRACKET
  target[at++] = CLOSING_BRACE
  return at
}

/** How far small records, each padded to a multiple of three bytes, fit into the scratch. */
function endOfGroup(entries: readonly OutgoingEntry[], start: number): number {
  let bytes = 0
  let end = start
  for (; end < entries.length; end++) {
    const { dataBytes } = entries[end]!
    bytes += dataBytes + 2
    if (dataBytes > SMALL_BYTES || bytes > PIECE_BYTES) break
  }
  return end
}

/**
 * Encodes the records at once, to behind the place where the last of them will end, and moves each to its place from there: always
 * to the left, and never over what has not moved yet.
 */
function writeGroup(
  target: Buffer,
  start: number,
  entries: readonly OutgoingEntry[],
  first: number,
  end: number,
): number {
  let raw = 0
  let source = start
  for (let index = first; index < end; index++) {
    const entry = entries[index]!
    if (entry.text === undefined) scratch.set(entry.data, raw)
    else scratch.write(entry.text, raw)
    raw += entry.dataBytes
    while (raw % 3 !== 0) scratch[raw++] = 0
    source += maxFrameBytes(entry)
  }
  target.write(scratch.toString('base64', 0, raw), source, 'latin1')
  let at = start
  for (let index = first; index < end; index++) {
    const entry = entries[index]!
    at = copy(target, at, index === 0 ? FIRST_ENTRY : NEXT_ENTRY)
    const length = base64Length(entry.dataBytes)
    target.copyWithin(at, source, source + length)
    source += length
    at += length
    const rest = entry.dataBytes % 3
    if (rest !== 0) target[at - 1] = EQUALS
    if (rest === 1) target[at - 2] = EQUALS
    at = writeKeys(target, at, entry)
  }
  return at
}

function writeLarge(target: Buffer, start: number, entry: OutgoingEntry, index: number): number {
  const { buffer, byteOffset, byteLength } = entry.data
  const data = Buffer.from(buffer, byteOffset, byteLength)
  let at = copy(target, start, index === 0 ? FIRST_ENTRY : NEXT_ENTRY)
  for (let from = 0; from < byteLength; from += PIECE_BYTES) {
    at += target.write(data.toString('base64', from, from + PIECE_BYTES), at, 'latin1')
  }
  return writeKeys(target, at, entry)
}

function writeKeys(target: Buffer, start: number, entry: OutgoingEntry): number {
  let at = writeString(target, copy(target, start, PARTITION_KEY), entry.partitionKey)
  if (entry.explicitHashKey !== undefined) {
    at = writeString(target, copy(target, at, EXPLICIT_HASH_KEY), entry.explicitHashKey)
  }
  target[at++] = CLOSING_BRACE
  return at
}

/** Character by character where the text needs no escapes: for a short key that is faster than a call. */
function writeString(target: Buffer, start: number, text: string): number {
  let at = start
  target[at++] = QUOTE
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code < 0x20 || code > 0x7e || code === QUOTE || code === BACKSLASH) {
      return start + target.write(JSON.stringify(text), start)
    }
    target[at++] = code
  }
  target[at++] = QUOTE
  return at
}

function copy(target: Buffer, start: number, bytes: Uint8Array): number {
  for (let index = 0; index < bytes.length; index++) target[start + index] = bytes[index]!
  return start + bytes.length
}

/** What an entry has around its data; a character of a key takes six bytes at most, as `\u001f`. */
function maxFrameBytes({ partitionKey, explicitHashKey }: OutgoingEntry): number {
  return ENTRY_CHARS + 6 * (partitionKey.length + (explicitHashKey?.length ?? 0)) + 4
}

function opening(stream: StreamIdentity): string {
  const identity =
    'streamName' in stream
      ? `"StreamName":${JSON.stringify(stream.streamName)}`
      : `"StreamARN":${JSON.stringify(stream.streamArn)}`
  return `{${identity},"Records":[`
}

function base64Length(bytes: number): number {
  return Math.ceil(bytes / 3) * 4
}
