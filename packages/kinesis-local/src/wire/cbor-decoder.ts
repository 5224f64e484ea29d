import { ServiceError } from '../service.js'
import { MAX_BODY_VALUES } from './body-bounds.js'
import type { TimestampUnit } from './cbor-encoder.js'

/** Deeper than any request of the services; recursion ends here. */
const MAX_DEPTH = 64

const BREAK = 0xff
const INDEFINITE = 31
const EPOCH_TAG = 1

/**
 * CBOR (RFC 8949) as clients send it, definite or not, timestamps as `Date`. Nothing is allocated for a length before its bytes are
 * there, so that what is read is never larger than what was sent.
 */
export function decodeCbor(bytes: Buffer, unit: TimestampUnit): unknown {
  const reader = new CborReader(bytes, unit)
  const value = reader.value(0)
  if (!reader.isAtEnd) throw malformed('it goes on after its end')
  return value
}

class CborReader {
  #at = 0
  #values = 0

  constructor(
    private readonly bytes: Buffer,
    private readonly unit: TimestampUnit,
  ) {}

  get isAtEnd(): boolean {
    return this.#at === this.bytes.length
  }

  value(depth: number): unknown {
    if (depth > MAX_DEPTH) throw malformed('it is nested too deep')
    this.#count()
    const initial = this.#byte()
    const major = initial >> 5
    const info = initial & 31
    switch (major) {
      case 0:
        return this.#argument(info)
      case 1:
        return -1 - this.#argument(info)
      case 2:
        return this.#chunks(major, info)
      case 3:
        return this.#chunks(major, info).toString('utf8')
      case 4:
        return this.#items(info, () => this.value(depth + 1))
      case 5:
        return Object.fromEntries(this.#items(info, () => this.#entry(depth + 1)))
      case 6:
        return this.#tagged(this.#argument(info), depth)
      default:
        return this.#simple(info)
    }
  }

  #entry(depth: number): [string, unknown] {
    const key = this.value(depth)
    if (typeof key !== 'string') throw malformed('a key is no text')
    return [key, this.value(depth)]
  }

  #items<T>(info: number, read: () => T): T[] {
    const items: T[] = []
    if (info === INDEFINITE) {
      while (!this.#isBreak()) items.push(read())
      return items
    }
    const count = this.#length(info)
    while (items.length < count) items.push(read())
    return items
  }

  /** Bytes or text, in one piece or in several of the same type. */
  #chunks(major: number, info: number): Buffer {
    if (info !== INDEFINITE) return this.#take(this.#length(info))
    const chunks: Buffer[] = []
    while (!this.#isBreak()) {
      this.#count()
      const initial = this.#byte()
      if (initial >> 5 !== major || (initial & 31) === INDEFINITE)
        throw malformed('a chunk is of another type')
      chunks.push(this.#take(this.#length(initial & 31)))
    }
    return Buffer.concat(chunks)
  }

  #tagged(tag: number, depth: number): unknown {
    const value = this.value(depth + 1)
    if (tag !== EPOCH_TAG) return value
    if (typeof value !== 'number') throw malformed('a timestamp is no number')
    return new Date(this.unit === 'milliseconds' ? value : value * 1000)
  }

  #simple(info: number): unknown {
    switch (info) {
      case 20:
        return false
      case 21:
        return true
      case 22:
      case 23:
        return null
      case 25:
        return half(this.#take(2).readUInt16BE())
      case 26:
        return this.#take(4).readFloatBE()
      case 27:
        return this.#take(8).readDoubleBE()
    }
    throw malformed(`a simple value ${info} has no meaning here`)
  }

  /** An item, or a piece of one. */
  #count(): void {
    this.#values += 1
    if (this.#values > MAX_BODY_VALUES) throw malformed(`it has more than ${MAX_BODY_VALUES} values`)
  }

  /** A length is never more than the bytes that are left: every item takes one. */
  #length(info: number): number {
    const length = this.#argument(info)
    if (length > this.bytes.length - this.#at) throw malformed('it ends too early')
    return length
  }

  #argument(info: number): number {
    if (info < 24) return info
    switch (info) {
      case 24:
        return this.#byte()
      case 25:
        return this.#take(2).readUInt16BE()
      case 26:
        return this.#take(4).readUInt32BE()
      case 27:
        return Number(this.#take(8).readBigUInt64BE())
    }
    throw malformed('a length has no meaning')
  }

  #isBreak(): boolean {
    if (this.#peek() !== BREAK) return false
    this.#at += 1
    return true
  }

  #byte(): number {
    const byte = this.#peek()
    this.#at += 1
    return byte
  }

  #peek(): number {
    const byte = this.bytes[this.#at]
    if (byte === undefined) throw malformed('it ends too early')
    return byte
  }

  #take(length: number): Buffer {
    if (length > this.bytes.length - this.#at) throw malformed('it ends too early')
    this.#at += length
    return this.bytes.subarray(this.#at - length, this.#at)
  }
}

/** Half precision: a sign, five bits of exponent, ten of fraction. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

function malformed(why: string): ServiceError {
  return new ServiceError('SerializationException', `The body is no CBOR: ${why}.`)
}
