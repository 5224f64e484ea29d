/** What a timestamp counts: `application/x-amz-cbor-1.1` takes whole milliseconds, against RFC 8949; `rpc-v2-cbor` takes seconds. */
export type TimestampUnit = 'milliseconds' | 'seconds'

/** Members that the API has as timestamps; the services give them as epoch seconds. */
export const TIMESTAMP = /(Timestamps?|StartedAt|EndedAt)$/

const EPOCH_TAG = 0xc1

/** CBOR (RFC 8949) of what a service answers: objects without what is undefined, lists, text, bytes, numbers, booleans. */
export function encodeCbor(value: unknown, unit: TimestampUnit): Buffer {
  const writer = new CborWriter(unit)
  writer.value(value, false)
  return writer.bytes
}

class CborWriter {
  #buffer = Buffer.allocUnsafe(4_096)
  #length = 0

  constructor(private readonly unit: TimestampUnit) {}

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }

  value(value: unknown, isTimestamp: boolean): void {
    if (typeof value === 'number') this.#number(value, isTimestamp)
    else if (typeof value === 'string') this.#text(value)
    else if (typeof value === 'boolean') this.#byte(value ? 0xf5 : 0xf4)
    else if (value instanceof Uint8Array) this.#blob(value)
    else if (Array.isArray(value)) {
      this.#head(4, value.length)
      for (const item of value) this.value(item, isTimestamp)
    } else if (typeof value === 'object' && value !== null) this.#map(value)
    else this.#byte(0xf6)
  }

  #map(value: object): void {
    const members = Object.entries(value).filter(([, member]) => member !== undefined)
    this.#head(5, members.length)
    for (const [name, member] of members) {
      this.#text(name)
      this.value(member, TIMESTAMP.test(name))
    }
  }

  #number(value: number, isTimestamp: boolean): void {
    if (isTimestamp) this.#byte(EPOCH_TAG)
    this.#plainNumber(isTimestamp && this.unit === 'milliseconds' ? Math.round(value * 1000) : value)
  }

  #plainNumber(value: number): void {
    if (Number.isSafeInteger(value)) this.#head(value < 0 ? 1 : 0, value < 0 ? -1 - value : value)
    else {
      this.#byte(0xfb)
      this.#reserve(8)
      this.#length = this.#buffer.writeDoubleBE(value, this.#length)
    }
  }

  #text(value: string): void {
    const bytes = Buffer.byteLength(value)
    this.#head(3, bytes)
    this.#reserve(bytes)
    this.#length += this.#buffer.write(value, this.#length, 'utf8')
  }

  #blob(value: Uint8Array): void {
    this.#head(2, value.length)
    this.#reserve(value.length)
    this.#buffer.set(value, this.#length)
    this.#length += value.length
  }

  #head(major: number, argument: number): void {
    const type = major << 5
    this.#reserve(9)
    if (argument < 24) this.#byte(type | argument)
    else if (argument < 0x1_0000_0000) {
      const size = argument < 0x1_00 ? 1 : argument < 0x1_0000 ? 2 : 4
      this.#byte(type | (24 + Math.log2(size)))
      this.#length = this.#buffer.writeUIntBE(argument, this.#length, size)
    } else {
      this.#byte(type | 27)
      this.#length = this.#buffer.writeBigUInt64BE(BigInt(argument), this.#length)
    }
  }

  #byte(byte: number): void {
    this.#reserve(1)
    this.#length = this.#buffer.writeUInt8(byte, this.#length)
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return
    const grown = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + bytes))
    this.bytes.copy(grown)
    this.#buffer = grown
  }
}
