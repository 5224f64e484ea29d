import { randomInt } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Disk } from './disk.js'
import type { SegmentWriter } from './segment-writer.js'
import type { SettledFile } from './settled-file.js'
import type { SettledRecords } from './settled-records.js'

const NAME = /^(segment-(\d{16})-([0-9a-f]{8}))\.(records|settled)$/

/** Records that stand together in a file, and are deleted together when the last of them is settled. */
export class Segment {
  /** Position of its first record. */
  readonly first: number
  readonly salt: number
  readonly path: string
  readonly settled: SettledRecords
  readonly settledFile: SettledFile
  /** While records are appended to it. */
  readonly writer: SegmentWriter | undefined
  /** It holds damaged bytes that could not be copied. */
  readonly mustStay: boolean
  readonly #storedBytes: number

  constructor(options: {
    first: number
    salt: number
    path: string
    settled: SettledRecords
    settledFile: SettledFile
    writer?: SegmentWriter
    storedBytes?: number
    mustStay?: boolean
  }) {
    this.first = options.first
    this.salt = options.salt
    this.path = options.path
    this.settled = options.settled
    this.settledFile = options.settledFile
    this.writer = options.writer
    this.mustStay = options.mustStay ?? false
    this.#storedBytes = options.storedBytes ?? 0
  }

  get bytes(): number {
    return (this.writer?.bytes ?? this.#storedBytes) + this.settledFile.bytes
  }

  /** Where the disk refuses, what was settled is left for another try. */
  writeDownSettled(disk: Disk): void {
    if (this.settled.isWrittenDown) return
    const runs = this.settled.runs()
    try {
      if (runs.length > 0) this.settledFile.append(disk, runs)
    } catch {
      return
    }
    this.settled.wroteDown(runs)
  }

  remove(): void {
    this.writer?.close()
    // In this order: without its records the other file means nothing, and the next start removes it.
    rmSync(this.path, { force: true })
    rmSync(this.settledFile.path, { force: true })
  }
}

export interface SegmentName {
  base: string
  first: number
  salt: number
}

/** Reads the name of one of a segment's two files. */
export function parseSegmentFile(file: string): (SegmentName & { kind: 'records' | 'settled' }) | undefined {
  const [, base, first, salt, kind] = NAME.exec(file) ?? []
  if (base === undefined) return undefined
  return { base, first: Number(first), salt: Number.parseInt(salt!, 16), kind: kind as 'records' | 'settled' }
}

export function newSegmentName(first: number): SegmentName {
  // No byte of it is 0, so that stretches of zeros, which failures leave, are passed over fast.
  const salt = Array.from({ length: 4 }, () => randomInt(1, 256)).reduce((sum, byte) => sum * 256 + byte)
  const hex = salt.toString(16).padStart(8, '0')
  return { base: `segment-${String(first).padStart(16, '0')}-${hex}`, first, salt }
}

export function segmentPaths(directory: string, base: string): { records: string; settled: string } {
  return { records: join(directory, `${base}.records`), settled: join(directory, `${base}.settled`) }
}
