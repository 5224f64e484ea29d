/**
 * The little of protobuf that the aggregated format needs: varints and length-delimited fields.
 * A library would cost more than the three messages do; the format has been frozen since 2014.
 */

export const LENGTH_DELIMITED = 2
export const VARINT = 0

/** Bytes that `value` takes as a varint. */
export function varintSize(value: number): number {
  if (value < 128) return 1
  let size = 1
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size += 1
  return size
}

export function writeVarint(target: Buffer, offset: number, value: number): number {
  let rest = value
  let at = offset
  // Bit operations are exact up to 2^31 only, and a good deal faster.
  if (rest < 0x4000) {
    if (rest >= 128) target[at++] = (rest & 127) | 128
    target[at++] = rest < 128 ? rest : rest >>> 7
    return at
  }
  while (rest >= 128) {
    target[at++] = (rest % 128) | 128
    rest = Math.floor(rest / 128)
  }
  target[at++] = rest
  return at
}

export class MalformedProtobufError extends Error {}

/** What a message calls a field: its number and its wire type, in one. */
export function tagOf(field: number, wireType: number): number {
  return field * 8 + wireType
}

/**
 * Reads a message, and those in it; every length is checked against the end of the message that it is in, so that no input reads or allocates
 * beyond it.
 */
export class ProtobufReader {
  readonly #bytes: Buffer
  #at = 0
  #end: number

  constructor(bytes: Buffer) {
    this.#bytes = bytes
    this.#end = bytes.length
  }

  get done(): boolean {
    return this.#at >= this.#end
  }

  varint(): number {
    const first = this.#bytes[this.#at]!
    if (first < 128 && this.#at < this.#end) {
      this.#at++
      return first
    }
    let value = 0
    let scale = 1
    for (let count = 0; count < 10; count++) {
      if (this.#at >= this.#end) throw new MalformedProtobufError('a number runs past the end')
      const byte = this.#bytes[this.#at++]!
      value += (byte & 127) * scale
      if (byte < 128) return value
      scale *= 128
    }
    throw new MalformedProtobufError('a number has more than ten bytes')
  }

  /** See `tagOf`. */
  tag(): number {
    const tag = this.varint()
    if (tag < 8) throw new MalformedProtobufError('field number 0')
    return tag
  }

  /** A view of a length-delimited field: no copy. */
  chunk(): Buffer {
    const length = this.varint()
    const start = this.#at
    this.#advance(length)
    return this.#bytes.subarray(start, this.#at)
  }

  /** Goes into a message that is a field of this one; returns what `leave` needs. */
  enter(): number {
    const outerEnd = this.#end
    const length = this.varint()
    if (length > outerEnd - this.#at) throw new MalformedProtobufError('a field runs past the end')
    this.#end = this.#at + length
    return outerEnd
  }

  /** Comes back from a message that has been read to its end. */
  leave(outerEnd: number): void {
    this.#end = outerEnd
  }

  /** Passes over a field that its reader does not know, as protobuf asks of every reader. */
  skip(tag: number): void {
    const wireType = tag % 8
    if (wireType === VARINT) this.varint()
    else if (wireType === LENGTH_DELIMITED) this.#advance(this.varint())
    else if (wireType === 1) this.#advance(8)
    else if (wireType === 5) this.#advance(4)
    else throw new MalformedProtobufError(`wire type ${wireType}`)
  }

  #advance(count: number): void {
    if (count > this.#end - this.#at) throw new MalformedProtobufError('a field runs past the end')
    this.#at += count
  }
}
