export interface Line {
  /** From 1. */
  number: number
  /** Without its end; a view of what was read, so whoever keeps it copies it. */
  bytes: Buffer
  /** Above `bytes.length` where the line is beyond the bound: `bytes` is how it begins then. */
  sizeBytes: number
}

const LF = 0x0a
const CR = 0x0d
const BOM = Buffer.from('\ufeff')

/**
 * Cuts chunks of bytes into lines: LF or CRLF, with or without one at the end, a BOM cut off. Of a line beyond the bound only the size is
 * counted on, so that a line without end does not fill the memory.
 */
export class LineSplitter {
  /** One more byte is held: the bound is on the line without its CR. */
  readonly #maxHeldBytes: number
  #held = Buffer.alloc(0)
  #heldBytes = 0
  #openBytes = 0
  #lines = 0

  constructor(private readonly maxLineBytes: number) {
    this.#maxHeldBytes = maxLineBytes + 1
  }

  push(chunk: Buffer): Line[] {
    const lines: Line[] = []
    let start = 0
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, start)) {
      lines.push(this.#close(chunk.subarray(start, end)))
      start = end + 1
    }
    if (start < chunk.length) this.#hold(chunk.subarray(start))
    return lines
  }

  /** The last line, where the input does not end with a line end. */
  end(): Line[] {
    return this.#openBytes === 0 ? [] : [this.#close(Buffer.alloc(0))]
  }

  #close(last: Buffer): Line {
    this.#lines += 1
    let bytes = last
    let sizeBytes = last.length
    if (this.#openBytes > 0) {
      this.#hold(last)
      bytes = this.#held.subarray(0, this.#heldBytes)
      sizeBytes = this.#openBytes
      // The line keeps the memory; the next one gets its own.
      this.#held = Buffer.alloc(0)
      this.#heldBytes = 0
      this.#openBytes = 0
    }
    if (sizeBytes === bytes.length && bytes.at(-1) === CR) {
      bytes = bytes.subarray(0, -1)
      sizeBytes -= 1
    }
    if (this.#lines === 1 && bytes.subarray(0, BOM.length).equals(BOM)) {
      bytes = bytes.subarray(BOM.length)
      sizeBytes -= BOM.length
    }
    if (sizeBytes > this.maxLineBytes) bytes = bytes.subarray(0, this.maxLineBytes)
    return { number: this.#lines, bytes, sizeBytes }
  }

  #hold(piece: Buffer): void {
    this.#openBytes += piece.length
    const neededBytes = Math.min(this.#heldBytes + piece.length, this.#maxHeldBytes)
    if (neededBytes > this.#held.length) {
      const grown = Buffer.allocUnsafe(Math.max(neededBytes, 2 * this.#held.length))
      this.#held.copy(grown, 0, 0, this.#heldBytes)
      this.#held = grown
    }
    this.#heldBytes += piece.copy(this.#held, this.#heldBytes, 0, neededBytes - this.#heldBytes)
  }
}
