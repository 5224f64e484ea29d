import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  renameSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'

/** A file that grows by whole entries. Its name appears when its first entries are in it, so that a segment is never without them. */
export class SegmentFile {
  readonly #file: number
  #bytes = 0
  #unsynced = false
  #syncing = false
  #closed = false

  constructor(
    readonly path: string,
    beginning: readonly Buffer[],
  ) {
    const incomplete = `${path}.incomplete`
    this.#file = openSync(incomplete, 'w', 0o600)
    try {
      for (const entry of beginning) this.append(entry)
      fsyncSync(this.#file)
      renameSync(incomplete, path)
      syncFolder(dirname(path))
    } catch (error) {
      // A disk that is full is tried again with every call.
      closeSync(this.#file)
      throw error
    }
    this.#unsynced = false
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Once it returns the entry is with the operating system, and outlives this process. */
  append(entry: Buffer): void {
    try {
      for (let at = 0; at < entry.length; )
        at += writeSync(this.#file, entry, at, entry.length - at, this.#bytes + at)
    } catch (error) {
      // What follows a part of an entry would be lost with it.
      ftruncateSync(this.#file, this.#bytes)
      throw error
    }
    this.#bytes += entry.length
    this.#unsynced = true
  }

  /** Lets the disk have it, without waiting. */
  syncLater(): void {
    if (!this.#unsynced || this.#syncing) return
    this.#unsynced = false
    this.#syncing = true
    fdatasync(this.#file, () => {
      this.#syncing = false
      if (this.#closed) closeSync(this.#file)
    })
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    fdatasyncSync(this.#file)
    // A file that is being written back is closed when that is done.
    if (!this.#syncing) closeSync(this.#file)
  }
}

/** The new name is durable only when its folder is. Windows cannot open folders, and does not need it. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
