import { crc32 } from 'node:zlib'

/** Lengths of the message and of its headers, and the checksum of both. */
const PRELUDE_BYTES = 12
const CHECKSUM_BYTES = 4
const STRING_HEADER = 7

/**
 * One message of `application/vnd.amazon.eventstream`. Only strings are needed of the header types, and Node has the checksum: the
 * SDK's own codec would be 6 MB of dependency for this.
 */
export function eventStreamMessage(headers: Readonly<Record<string, string>>, payload: Buffer): Buffer {
  const encoded = Buffer.concat(Object.entries(headers).map(([name, value]) => stringHeader(name, value)))
  const total = PRELUDE_BYTES + encoded.length + payload.length + CHECKSUM_BYTES
  const message = Buffer.allocUnsafe(total)
  message.writeUInt32BE(total, 0)
  message.writeUInt32BE(encoded.length, 4)
  message.writeUInt32BE(crc32(message.subarray(0, 8)), 8)
  message.set(encoded, PRELUDE_BYTES)
  message.set(payload, PRELUDE_BYTES + encoded.length)
  const end = total - CHECKSUM_BYTES
  message.writeUInt32BE(crc32(message.subarray(0, end)), end)
  return message
}

function stringHeader(name: string, value: string): Buffer {
  const nameBytes = Buffer.from(name)
  const valueBytes = Buffer.from(value)
  const header = Buffer.allocUnsafe(1 + nameBytes.length + 3 + valueBytes.length)
  let at = header.writeUInt8(nameBytes.length, 0)
  at += nameBytes.copy(header, at)
  at = header.writeUInt8(STRING_HEADER, at)
  at = header.writeUInt16BE(valueBytes.length, at)
  valueBytes.copy(header, at)
  return header
}
