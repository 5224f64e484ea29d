import { isPermanent, isTransient, PermanentError } from './errors.js'
import type { Decoder } from './json-decoder.js'

/** Runs a decoder. Where it did not wait for anything, it would fail in the same way next time: the record is undecodable. */
export function decodeOrReject<T>(decode: Decoder<T>, data: Uint8Array): T | Promise<T> {
  let value: T | Promise<T>
  try {
    value = decode(data)
  } catch (cause) {
    throw undecodable(cause)
  }
  return isPromise(value) ? Promise.resolve(value).catch(permanentAsUndecodable) : value
}

function permanentAsUndecodable(error: unknown): never {
  throw isPermanent(error) ? undecodable(error) : error
}

function undecodable(cause: unknown): unknown {
  if (isTransient(cause) || (isPermanent(cause) && cause.reasonCode !== undefined)) return cause
  return new PermanentError('The decoder failed on the record.', { reasonCode: 'undecodable', cause })
}

/** Also of another realm or library. */
export function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && typeof (value as Promise<T>).then === 'function'
}
