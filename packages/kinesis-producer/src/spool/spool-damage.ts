import { closeSync, constants, openSync } from 'node:fs'
import { join } from 'node:path'
import { type Disk, writeAll } from './disk.js'

/**
 * `'torn-tail'`: the last file ends amid a frame. A process that was killed in mid-write leaves that, and the append had not returned;
 * after a failure of the machine it may be what had not been synced.
 * `'cut-off'`: a segment ends before its records do, though others follow it. `bytes` is 0 where it ends between two records.
 * `'bad-checksum'`, `'bad-frame'`, `'bad-header'`: bytes that are not what was written.
 * `'unreadable'`: the disk did not give the file; it is left where it is.
 */
export type SpoolDamageReason =
  | 'torn-tail'
  | 'cut-off'
  | 'bad-checksum'
  | 'bad-frame'
  | 'bad-header'
  | 'unreadable'

/** Bytes that the process before left and that are no records. All others were read. */
export interface SpoolDamage {
  /** Name of the file. One that ends in `.settled` held no records: what it cost is that some are sent again. */
  segment: string
  offset: number
  bytes: number
  reason: SpoolDamageReason
  /** The file that keeps the bytes, each at its own offset; undefined where they are still in the segment only. */
  keptIn: string | undefined
}

/** Copies the damaged bytes out of a file that will be deleted; returns where to, or undefined where the disk refuses. */
export function keepAside(
  disk: Disk,
  directory: string,
  segment: string,
  contents: Buffer,
  ranges: readonly { offset: number; bytes: number }[],
): string | undefined {
  const path = join(directory, `${segment}.corrupt`)
  // What an earlier start kept stays in it.
  const isKept = change(disk, path, constants.O_RDWR | constants.O_CREAT, (file) => {
    for (const { offset, bytes } of ranges) {
      writeAll(disk, file, contents.subarray(offset, offset + bytes), bytes, offset)
    }
    disk.syncDirectoryNow(directory)
  })
  return isKept ? path : undefined
}

/** What is torn is read once: behind it nothing is appended, but other segments follow. A disk that refuses shows it again to the next start. */
export function cutTail(disk: Disk, path: string, bytes: number): void {
  change(disk, path, constants.O_RDWR, (file) => disk.truncate(file, bytes))
}

function change(disk: Disk, path: string, flags: number, write: (file: number) => void): boolean {
  try {
    const file = openSync(path, flags, 0o600)
    try {
      write(file)
      disk.syncNow(file)
    } finally {
      closeSync(file)
    }
    return true
  } catch {
    return false
  }
}
