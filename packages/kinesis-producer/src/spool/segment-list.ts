import type { Disk } from './disk.js'
import type { Segment } from './segment.js'

/** The segments of a spool, the oldest first, and what they come to together. */
export class SegmentList {
  readonly #segments: Segment[]
  #bytes: number
  #unsettled: number

  constructor(segments: readonly Segment[]) {
    this.#segments = [...segments]
    this.#bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0)
    this.#unsettled = segments.reduce((sum, { settled }) => sum + settled.unsettled, 0)
  }

  get bytes(): number {
    return this.#bytes
  }

  get unsettled(): number {
    return this.#unsettled
  }

  get all(): readonly Segment[] {
    return this.#segments
  }

  add(segment: Segment): void {
    this.#segments.push(segment)
    this.#bytes += segment.bytes
  }

  appended(segment: Segment, bytes: number): void {
    segment.settled.add()
    this.#bytes += bytes
    this.#unsettled++
  }

  /** The segment, where there is a record at the position that was not settled. */
  settle(position: number): Segment | undefined {
    const segment = this.#segmentOf(position)
    if (!segment?.settled.settle(position - segment.first)) return undefined
    this.#unsettled--
    return segment
  }

  /** Deletes its files; false where they stay. */
  remove(segment: Segment): boolean {
    if (segment.mustStay) return false
    const { bytes } = segment
    try {
      segment.remove()
    } catch {
      return false
    }
    this.#bytes -= bytes
    this.#segments.splice(this.#segments.indexOf(segment), 1)
    return true
  }

  /** Where the disk refuses, it is tried again with what is settled next; what a crash loses of it is sent again. */
  writeDownSettled(disk: Disk): void {
    for (const segment of this.#segments) {
      const before = segment.settledFile.bytes
      segment.writeDownSettled(disk)
      this.#bytes += segment.settledFile.bytes - before
    }
  }

  #segmentOf(position: number): Segment | undefined {
    if (!Number.isSafeInteger(position)) return undefined
    let low = 0
    let high = this.#segments.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (this.#segments[middle]!.first <= position) low = middle
      else high = middle - 1
    }
    const segment = this.#segments[low]
    return segment !== undefined && segment.first <= position ? segment : undefined
  }
}
