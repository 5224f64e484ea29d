import { statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Disk } from './disk.js'
import {
  type DamagedRange,
  decodeHeader,
  type FileKind,
  type Frame,
  HEADER_BYTES,
  readFrames,
  type SegmentHeader,
} from './segment-format.js'
import { cutTail, keepAside, type SpoolDamage, type SpoolDamageReason } from './spool-damage.js'
import { cannotOpen } from './spool-error.js'

/** Above what any options make; a larger file is not read into memory. */
const MAX_FILE_BYTES = 320 * 1024 * 1024

export interface FrameFile {
  /** Undefined where it is damaged, or there is none. */
  header: SegmentHeader | undefined
  /** Where the file ends now: what was torn is cut off. */
  bytes: number
  /** The index behind the last frame's. */
  nextIndex: number
  endsDamaged: boolean
  damage: SpoolDamage[]
}

/** Reads a file, one frame at a time for `onFrame`, and keeps what is damaged in it aside. No file is as good as an empty one. */
export async function readFrameFile(
  disk: Disk,
  directory: string,
  file: { name: string; kind: FileKind; salt: number; mayBeTorn: boolean },
  onFrame: (frame: Frame) => void,
): Promise<FrameFile> {
  const path = join(directory, file.name)
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  if (size === 0) return { header: undefined, bytes: 0, nextIndex: 0, endsDamaged: false, damage: [] }
  const contents = size <= MAX_FILE_BYTES ? await readFile(path).catch(() => undefined) : undefined
  if (contents === undefined) return unreadable(file.name, size)

  const header = decodeHeader(contents, file.kind)
  if (header !== 'damaged' && 'unknownVersion' in header) {
    const version = `${file.name} is of version ${header.unknownVersion}, this producer reads version 1`
    throw cannotOpen(directory, `${version}: update it, or give another directory.`)
  }
  const ranges: DamagedRange[] = []
  let nextIndex = 0
  for (const frame of readFrames(contents, header === 'damaged' ? file.salt : header.salt, ranges)) {
    onFrame(frame)
    nextIndex = frame.index + 1
  }
  const incomplete = file.mayBeTorn ? 'torn-tail' : 'cut-off'
  const found: { offset: number; bytes: number; reason: SpoolDamageReason }[] = ranges.map((range) => ({
    ...range,
    reason: range.reason === 'incomplete' ? incomplete : range.reason,
  }))
  if (header === 'damaged') {
    const isShort = contents.length < HEADER_BYTES
    const bytes = Math.min(HEADER_BYTES, contents.length)
    found.unshift({ offset: 0, bytes, reason: isShort ? incomplete : 'bad-header' })
  }
  const keptIn = found.length === 0 ? undefined : keepAside(disk, directory, file.name, contents, found)
  const tail = found.at(-1)
  const isTorn = tail?.reason === 'torn-tail' && keptIn !== undefined
  if (isTorn) cutTail(disk, path, tail.offset)
  return {
    header: header === 'damaged' ? undefined : header,
    bytes: isTorn ? tail.offset : contents.length,
    nextIndex,
    endsDamaged: tail !== undefined && tail.offset + tail.bytes === contents.length,
    damage: found.map((range) => ({ segment: file.name, ...range, keptIn })),
  }
}

function unreadable(segment: string, bytes: number): FrameFile {
  const damage: SpoolDamage = { segment, offset: 0, bytes, reason: 'unreadable', keptIn: undefined }
  return { header: undefined, bytes: 0, nextIndex: 0, endsDamaged: true, damage: [damage] }
}
