import { gunzipSync } from 'node:zlib'
import { InvalidOptionError, kinesisQuotas, refuseUnknownOptions } from '@org/kinesis-core'
import { undecodable } from './errors.js'
import type { Decoder } from './json-decoder.js'
import { requireFunction, whole } from './option-checks.js'

export interface GunzipOptions {
  /** What a record may unpack to, in bytes; a larger one is rejected as undecodable. @default 10_485_760, the largest record of Kinesis */
  maxBytes?: number
  /** What becomes of a record that is no gzip: it goes to the decoder as it is, or is rejected as undecodable. @default 'pass' */
  plain?: 'pass' | 'reject'
}

export const DEFAULT_MAX_BYTES = kinesisQuotas.maxRecordBytes

/**
 * A decoder for records that are packed with gzip. It unpacks at once, not in a thread of its own: records are small, and handing one over
 * costs more than unpacking it.
 *
 * @throws InvalidOptionError for options that cannot work
 */
export function gunzip<T>(decode: Decoder<T>, options: GunzipOptions = {}): Decoder<T> {
  requireFunction('decode', decode, 'Pass a decoder for what was packed, such as json(schema).')
  refuseUnknownOptions(options, ['maxBytes', 'plain'])
  const { plain = 'pass' } = options
  const maxBytes = whole('maxBytes', options.maxBytes ?? DEFAULT_MAX_BYTES, 1, MAX_OUTPUT_BYTES)
  if (plain !== 'pass' && plain !== 'reject')
    throw new InvalidOptionError('plain', plain, "Give 'pass' or 'reject'.")
  return (data) => {
    if (isGzip(data)) return decode(unpackGzip(data, maxBytes))
    if (plain === 'pass') return decode(data)
    throw undecodable('The record is not packed with gzip.')
  }
}

/** Above this zlib could not give the bytes in one buffer. */
export const MAX_OUTPUT_BYTES = 2 ** 31 - 1

/** Magic number and the one method there is (RFC 1952, 2.3.1). */
export function isGzip(data: Uint8Array): boolean {
  return data[0] === 0x1f && data[1] === 0x8b && data[2] === 0x08
}

/**
 * Stops as soon as there is more than `maxBytes`. The record's last four bytes say what it unpacks to (RFC 1952, 2.3.1): with a buffer of
 * that size nothing is copied. Where they lie, the pieces are joined at the end, which takes twice the output for a moment, and never more
 * than twice `maxBytes`.
 *
 * @throws PermanentError with reason `undecodable`
 */
export function unpackGzip(data: Uint8Array, maxBytes: number): Uint8Array {
  const said =
    data.length < 18 ? 0 : new DataView(data.buffer, data.byteOffset).getUint32(data.length - 4, true)
  // One byte of room, by which zlib sees that it is at the end.
  const chunkSize = Math.max(MIN_CHUNK_BYTES, Math.min(said, maxBytes) + 1)
  try {
    return gunzipSync(data, { maxOutputLength: maxBytes, chunkSize })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
      throw undecodable(`The record unpacks to more than ${maxBytes} bytes.`, cause)
    throw undecodable('The record is broken gzip.', cause)
  }
}

/** Of zlib (Z_MIN_CHUNK). */
const MIN_CHUNK_BYTES = 64
