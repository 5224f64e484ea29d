import { crc32 } from 'node:zlib'

/**
 * The files of a spool, version 1. Integers are unsigned and little-endian, checksums CRC-32 (zlib).
 *
 *     segment-<first position, 16 digits>-<salt, 8 hexadecimal digits>.records     the records
 *                                                                    .settled     which of them are settled; may be absent
 *
 * Both begin with a header of 40 bytes, which every later version keeps:
 *
 *      0  8  'kinspool'
 *      8  1  version, 1
 *      9  1  kind: 1 records, 2 settled
 *     10  2  0
 *     12  4  salt
 *     16  8  position of the segment's first record
 *     24  8  first position of the segment before it; all ones if there was none
 *     32  4  how many records that one has
 *     36  4  checksum of the 36 bytes before
 *
 * Then frames:
 *
 *      0  4  the salt again
 *      4  4  checksum, begun with the salt, of all that follows in the frame
 *      8  4  length of the payload, at least 1
 *     12  4  index: of the record in the segment, or of the frame in a file of settled ones; it grows
 *     16     payload
 *
 * A record's payload is laid out in spool-record.ts. That of settled ones is a list of runs: index of the first (4), how many (4).
 *
 * The salt is drawn for each segment. It is where reading goes on after damage, and it keeps a record whose data looks like frames
 * from being read as some. It stands in the name too, so that a damaged header costs no record.
 */
export const HEADER_BYTES = 40
export const FRAME_HEADER_BYTES = 16
const MAGIC = Buffer.from('kinspool')
const VERSION = 1
/** The least that a frame takes. */
const MIN_FRAME_BYTES = FRAME_HEADER_BYTES + 1
const NONE = 0xffff_ffff_ffff_ffffn

export type FileKind = 'records' | 'settled'
const KINDS: Record<FileKind, number> = { records: 1, settled: 2 }

export interface SegmentHeader {
  kind: FileKind
  salt: number
  first: number
  /** The segment before: where its records begin, and how many they are. */
  previous: { first: number; count: number } | undefined
}

export function encodeHeader({ kind, salt, first, previous }: SegmentHeader): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES)
  MAGIC.copy(bytes)
  bytes[8] = VERSION
  bytes[9] = KINDS[kind]
  bytes.writeUInt32LE(salt, 12)
  bytes.writeBigUInt64LE(BigInt(first), 16)
  bytes.writeBigUInt64LE(previous === undefined ? NONE : BigInt(previous.first), 24)
  bytes.writeUInt32LE(previous?.count ?? 0, 32)
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 36)), 36)
  return bytes
}

/** `'damaged'` where it is no header; a header of another version is told by its number. */
export function decodeHeader(
  bytes: Buffer,
  kind: FileKind,
): SegmentHeader | 'damaged' | { unknownVersion: number } {
  if (bytes.length < HEADER_BYTES || !MAGIC.equals(bytes.subarray(0, 8))) return 'damaged'
  if (crc32(bytes.subarray(0, 36)) !== bytes.readUInt32LE(36)) return 'damaged'
  if (bytes[8] !== VERSION) return { unknownVersion: bytes[8]! }
  const first = bytes.readBigUInt64LE(16)
  const previous = bytes.readBigUInt64LE(24)
  if (bytes[9] !== KINDS[kind] || first > BigInt(Number.MAX_SAFE_INTEGER)) return 'damaged'
  return {
    kind,
    salt: bytes.readUInt32LE(12),
    first: Number(first),
    previous: previous === NONE ? undefined : { first: Number(previous), count: bytes.readUInt32LE(32) },
  }
}

/** Completes the frame at the start of `bytes`, whose payload is in place. */
export function sealFrame(bytes: Buffer, frameBytes: number, salt: number, index: number): void {
  bytes.writeUInt32LE(salt, 0)
  bytes.writeUInt32LE(frameBytes - FRAME_HEADER_BYTES, 8)
  bytes.writeUInt32LE(index, 12)
  bytes.writeUInt32LE(crc32(bytes.subarray(8, frameBytes), salt), 4)
}

/** How many frames so many bytes can hold. */
export function mostFrames(bytes: number): number {
  return Math.ceil(bytes / MIN_FRAME_BYTES)
}

export interface Frame {
  index: number
  payload: Buffer
  /** Where it ends in the file. */
  end: number
}

export interface DamagedRange {
  offset: number
  bytes: number
  /** `'incomplete'`: the file ends amid a frame, or in zeros that were never written over. */
  reason: 'incomplete' | 'bad-checksum' | 'bad-frame'
}

/**
 * All intact frames of a file, and between them what is damaged: each stretch of bytes that belongs to no intact frame is one range.
 * Payloads are views of `bytes`, so no length that is read makes anything grow.
 */
export function* readFrames(bytes: Buffer, salt: number, damage: DamagedRange[]): Generator<Frame> {
  let at = HEADER_BYTES
  let least = 0
  while (at < bytes.length) {
    let frame = frameAt(bytes, at, salt, least)
    if (typeof frame === 'string') {
      const reason = frame
      const next = nextFrame(bytes, at + 1, salt, least)
      const range = { offset: at, bytes: (next?.at ?? bytes.length) - at }
      // What is followed by an intact frame is not the end of what was written.
      damage.push({ ...range, reason: next !== undefined && reason === 'incomplete' ? 'bad-frame' : reason })
      if (next === undefined) return
      frame = next.frame
    }
    yield frame
    at = frame.end
    least = frame.index + 1
  }
}

function nextFrame(
  bytes: Buffer,
  from: number,
  salt: number,
  least: number,
): { at: number; frame: Frame } | undefined {
  const marker = markerOf(salt)
  for (let at = bytes.indexOf(marker, from); at !== -1; at = bytes.indexOf(marker, at + 1)) {
    const frame = frameAt(bytes, at, salt, least)
    if (typeof frame !== 'string') return { at, frame }
  }
  return undefined
}

function frameAt(bytes: Buffer, at: number, salt: number, least: number): Frame | DamagedRange['reason'] {
  const left = bytes.length - at
  if (left < FRAME_HEADER_BYTES)
    return isZero(bytes, at) || startsAs(bytes, at, salt) ? 'incomplete' : 'bad-frame'
  if (bytes.readUInt32LE(at) !== salt) return isZero(bytes, at) ? 'incomplete' : 'bad-frame'
  const payloadBytes = bytes.readUInt32LE(at + 8)
  const end = at + FRAME_HEADER_BYTES + payloadBytes
  if (end > bytes.length) return 'incomplete'
  if (crc32(bytes.subarray(at + 8, end), salt) !== bytes.readUInt32LE(at + 4)) return 'bad-checksum'
  const index = bytes.readUInt32LE(at + 12)
  // Each one before it took its bytes: an index beyond them would make the reader count what never was.
  if (payloadBytes === 0 || index < least || index > mostFrames(at - HEADER_BYTES)) return 'bad-frame'
  return { index, payload: bytes.subarray(at + FRAME_HEADER_BYTES, end), end }
}

function startsAs(bytes: Buffer, at: number, salt: number): boolean {
  const there = bytes.subarray(at, at + 4)
  return markerOf(salt).subarray(0, there.length).equals(there)
}

function markerOf(salt: number): Buffer {
  const marker = Buffer.alloc(4)
  marker.writeUInt32LE(salt)
  return marker
}

function isZero(bytes: Buffer, from: number): boolean {
  for (let at = from; at < bytes.length; at++) if (bytes[at] !== 0) return false
  return true
}
