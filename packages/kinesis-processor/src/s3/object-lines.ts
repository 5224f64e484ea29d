import { promisify } from 'node:util'
import { gunzip, gzipSync } from 'node:zlib'
import { envelopeLines } from '../rejected/envelope-lines.js'
import { InvalidRejectedRecordError } from '../rejected/parse-rejected-record.js'
import { recordIdentity } from '../rejected-record.js'
import { MAX_OBJECT_BYTES } from './s3-limits.js'

const unzip = promisify(gunzip)

/**
 * The lines of an object, unpacked where it is compressed: by its first bytes, because a key is whatever someone gave.
 *
 * @throws InvalidRejectedRecordError where it cannot be unpacked, or has too much in it
 */
export async function unpack(bytes: Buffer): Promise<Buffer> {
  if (!isGzip(bytes)) return bytes
  try {
    return await unzip(bytes, { maxOutputLength: MAX_OBJECT_BYTES })
  } catch (cause) {
    const message = `The object is no gzip of at most ${MAX_OBJECT_BYTES} bytes: ${(cause as Error).message}`
    throw new InvalidRejectedRecordError(message, cause)
  }
}

export function packLike(original: Buffer, lines: Buffer): Buffer {
  return isGzip(original) ? gzipSync(lines) : lines
}

/** All lines but those of some records, byte for byte; empty where none is left. */
export async function linesWithout(lines: Buffer, removed: ReadonlySet<string>): Promise<Buffer> {
  const left: Buffer[] = []
  for await (const { record, offset, length } of envelopeLines([lines])) {
    if (record !== undefined && removed.has(recordIdentity(record))) continue
    left.push(lines.subarray(offset, offset + length), Buffer.from('\n'))
  }
  return Buffer.concat(left)
}

function isGzip(bytes: Buffer): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b
}
