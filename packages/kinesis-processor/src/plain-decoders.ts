import { undecodable } from './errors.js'

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** A decoder that gives the record as text: strict UTF-8, without a byte order mark. What is none is rejected as undecodable. */
export function text(): (data: Uint8Array) => string {
  return decodeText
}

/** A decoder that gives the bytes as they are: a view of the event, not a copy. */
export function bytes(): (data: Uint8Array) => Uint8Array {
  return keepBytes
}

function decodeText(data: Uint8Array): string {
  try {
    return utf8.decode(data)
  } catch (cause) {
    throw undecodable('The record is no UTF-8 text.', cause)
  }
}

function keepBytes(data: Uint8Array): Uint8Array {
  return data
}
