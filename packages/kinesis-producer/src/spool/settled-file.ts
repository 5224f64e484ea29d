import { closeSync, openSync } from 'node:fs'
import { type Disk, writeAll } from './disk.js'
import {
  encodeHeader,
  FRAME_HEADER_BYTES,
  HEADER_BYTES,
  type SegmentHeader,
  sealFrame,
} from './segment-format.js'

/** The file beside a segment that notes which of its records are settled. It is there from the first that is written down. */
export class SettledFile {
  readonly path: string
  readonly #salt: number
  readonly #first: number
  #bytes: number
  #frames: number

  constructor(path: string, { salt, first }: Pick<SegmentHeader, 'salt' | 'first'>, bytes = 0, frames = 0) {
    this.path = path
    this.#salt = salt
    this.#first = first
    this.#bytes = bytes
    this.#frames = frames
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Throws where it is not kept. What is left of it then is written over by the next, and would be no frame to a reader. */
  append(disk: Disk, runs: readonly number[]): void {
    const isNew = this.#bytes === 0
    const header = isNew ? HEADER_BYTES : 0
    const frameBytes = FRAME_HEADER_BYTES + runs.length * 4
    const bytes = Buffer.alloc(header + frameBytes)
    const frame = bytes.subarray(header)
    let at = FRAME_HEADER_BYTES
    for (const number of runs) at = frame.writeUInt32LE(number, at)
    sealFrame(frame, frameBytes, this.#salt, this.#frames)
    if (isNew) {
      encodeHeader({ kind: 'settled', salt: this.#salt, first: this.#first, previous: undefined }).copy(bytes)
    }
    const file = openSync(this.path, isNew ? 'w' : 'r+', 0o600)
    try {
      writeAll(disk, file, bytes, bytes.length, this.#bytes)
    } finally {
      closeSync(file)
    }
    this.#bytes += bytes.length
    this.#frames++
  }

  sync(disk: Disk): void {
    if (this.#bytes === 0) return
    const file = openSync(this.path, 'r+')
    try {
      disk.syncNow(file)
    } finally {
      closeSync(file)
    }
  }
}

export function decodeRuns(payload: Buffer): { first: number; length: number }[] {
  const runs: { first: number; length: number }[] = []
  for (let at = 0; at + 8 <= payload.length; at += 8) {
    runs.push({ first: payload.readUInt32LE(at), length: payload.readUInt32LE(at + 4) })
  }
  return runs
}
