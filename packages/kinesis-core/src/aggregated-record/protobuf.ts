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

/** Reads one message; every length is checked against the end, so that no input reads or allocates beyond it. */
export class ProtobufReader {
  #at: number

  constructor(
    private readonly bytes: Buffer,
    start = 0,
    private readonly end = bytes.length,
  ) {
    this.#at = start
  }

  get done(): boolean {
    return this.#at >= this.end
  }

  varint(): number {
    let value = 0
    let scale = 1
    for (let count = 0; count < 10; count++) {
      if (this.#at >= this.end) throw new MalformedProtobufError('a number runs past the end')
      const byte = this.bytes[this.#at++]!
      value += (byte & 127) * scale
      if (byte < 128) return value
      scale *= 128
    }
    throw new MalformedProtobufError('a number has more than ten bytes')
  }

  /** Field number and wire type. */
  tag(): { field: number; wireType: number } {
    const tag = this.varint()
    const field = Math.floor(tag / 8)
    if (field === 0) throw new MalformedProtobufError('field number 0')
    return { field, wireType: tag % 8 }
  }

  /** A view of a length-delimited field: no copy. */
  chunk(): Buffer {
    const length = this.varint()
    if (length > this.end - this.#at) throw new MalformedProtobufError('a field runs past the end')
    const chunk = this.bytes.subarray(this.#at, this.#at + length)
    this.#at += length
    return chunk
  }

  /** Passes over a field that this reader does not know, as protobuf asks of every reader. */
  skip(wireType: number): void {
    if (wireType === VARINT) this.varint()
    else if (wireType === LENGTH_DELIMITED) this.chunk()
    else if (wireType === 1) this.#advance(8)
    else if (wireType === 5) this.#advance(4)
    else throw new MalformedProtobufError(`wire type ${wireType}`)
  }

  #advance(count: number): void {
    if (count > this.end - this.#at) throw new MalformedProtobufError('a field runs past the end')
    this.#at += count
  }
}
