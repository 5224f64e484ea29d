import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  fsync,
  fsyncSync,
  ftruncateSync,
  openSync,
  writeSync,
} from 'node:fs'
import { promisify } from 'node:util'

/** What can fail while records are written: an argument, so that a test can have a disk that is full or broken. */
export interface Disk {
  /** Returns how many bytes it wrote. */
  write(file: number, bytes: Uint8Array, offset: number, length: number, at: number): number
  truncate(file: number, bytes: number): void
  syncNow(file: number): void
  sync(file: number): Promise<void>
  /** Makes the names in it durable. */
  syncDirectoryNow(directory: string): void
  syncDirectory(directory: string): Promise<void>
}

export const systemDisk: Disk = {
  write: writeSync,
  truncate: ftruncateSync,
  syncNow: fdatasyncSync,
  sync: promisify(fdatasync),
  syncDirectoryNow(directory) {
    const file = openDirectory(directory)
    if (file === undefined) return
    try {
      fsyncSync(file)
    } catch (error) {
      refuseUnlessUnsupported(error)
    } finally {
      closeSync(file)
    }
  },
  async syncDirectory(directory) {
    const file = openDirectory(directory)
    if (file === undefined) return
    await promisify(fsync)(file)
      .catch(refuseUnlessUnsupported)
      .finally(() => closeSync(file))
  },
}

/** Windows cannot open directories, and does not need it. */
function openDirectory(directory: string): number | undefined {
  return process.platform === 'win32' ? undefined : openSync(directory, 'r')
}

/** Some file systems cannot sync directories, and say so. */
function refuseUnlessUnsupported(error: unknown): void {
  if (!['EINVAL', 'ENOTSUP', 'EOPNOTSUPP'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
}

/** Writes all of it or throws; what was written of it until then is still there. */
export function writeAll(disk: Disk, file: number, bytes: Uint8Array, length: number, at: number): void {
  for (let done = 0; done < length; ) {
    const written = disk.write(file, bytes, done, length - done, at + done)
    if (written === 0) throw new Error('The disk took none of the bytes.')
    done += written
  }
}
