/** Which records of a segment are settled, a bit for each, and which of these bits are still to be written down. */
export class SettledRecords {
  #settled = new Uint8Array(1_024)
  #written = new Uint8Array(1_024)
  #count = 0
  #unsettled = 0
  /** All that is to be written down is within these, the second excluded. */
  #from = Number.POSITIVE_INFINITY
  #to = 0

  /** How many records the segment has, settled or not. */
  get count(): number {
    return this.#count
  }

  get unsettled(): number {
    return this.#unsettled
  }

  get isWrittenDown(): boolean {
    return this.#from >= this.#to
  }

  /** One more record at the end. */
  add(): void {
    this.#reserve(this.#count + 1)
    this.#count++
    this.#unsettled++
  }

  /** As `add`, for records that cannot be read any more: nobody will settle them. */
  addLost(count: number): void {
    this.#reserve(this.#count + count)
    for (; count > 0; count--) {
      setBit(this.#settled, this.#count)
      setBit(this.#written, this.#count)
      this.#count++
    }
  }

  has(index: number): boolean {
    return hasBit(this.#settled, index)
  }

  /** False where there is no such record, or it is settled already. */
  settle(index: number): boolean {
    if (index >= this.#count || hasBit(this.#settled, index)) return false
    setBit(this.#settled, index)
    this.#unsettled--
    if (index < this.#from) this.#from = index
    if (index >= this.#to) this.#to = index + 1
    return true
  }

  /** What is to be written down: the first of each run, and its length. */
  runs(): number[] {
    const runs: number[] = []
    let length = 0
    for (let index = this.#from; index < this.#to; index++) {
      if (hasBit(this.#settled, index) && !hasBit(this.#written, index)) length++
      else if (length > 0) {
        runs.push(index - length, length)
        length = 0
      }
    }
    if (length > 0) runs.push(this.#to - length, length)
    return runs
  }

  wroteDown(runs: readonly number[]): void {
    for (let at = 0; at < runs.length; at += 2) {
      const end = runs[at]! + runs[at + 1]!
      for (let index = runs[at]!; index < end; index++) setBit(this.#written, index)
    }
    this.#from = Number.POSITIVE_INFINITY
    this.#to = 0
  }

  /** From what was written down. Records that the segment does not have any more, after a failure of the machine, are passed over. */
  restore(first: number, length: number): void {
    const end = Math.min(first + length, this.#count)
    for (let index = first; index < end; index++) {
      setBit(this.#written, index)
      if (hasBit(this.#settled, index)) continue
      setBit(this.#settled, index)
      this.#unsettled--
    }
  }

  #reserve(count: number): void {
    if (count <= this.#settled.length * 8) return
    const bytes = Math.max(this.#settled.length * 2, Math.ceil(count / 8))
    this.#settled = grown(this.#settled, bytes)
    this.#written = grown(this.#written, bytes)
  }
}

function grown(bits: Uint8Array<ArrayBuffer>, bytes: number): Uint8Array<ArrayBuffer> {
  const more = new Uint8Array(bytes)
  more.set(bits)
  return more
}

function hasBit(bits: Uint8Array, index: number): boolean {
  return (bits[index >>> 3]! & (1 << (index & 7))) !== 0
}

function setBit(bits: Uint8Array, index: number): void {
  bits[index >>> 3]! |= 1 << (index & 7)
}
