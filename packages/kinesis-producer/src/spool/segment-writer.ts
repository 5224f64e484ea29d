import { closeSync, openSync, rmSync } from 'node:fs'
import { type Disk, writeAll } from './disk.js'
import { encodeHeader, type SegmentHeader } from './segment-format.js'

/** The file of records that grows. */
export class SegmentWriter {
  readonly #file: number
  readonly #disk: Disk
  #bytes = 0
  #isTorn = false
  #isSyncing = false
  #closesLater = false
  #isClosed = false

  /** Throws, and leaves no file, where the disk refuses. */
  constructor(path: string, header: Omit<SegmentHeader, 'kind'>, disk: Disk) {
    this.#disk = disk
    this.#file = openSync(path, 'wx', 0o600)
    try {
      const bytes = encodeHeader({ kind: 'records', ...header })
      this.append(bytes, bytes.length)
    } catch (error) {
      closeSync(this.#file)
      rmSync(path, { force: true })
      throw error
    }
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Once it returns the operating system has it, and it outlives this process. Throws where nothing of it was kept, or `isTorn`. */
  append(bytes: Uint8Array, length: number): void {
    try {
      writeAll(this.#disk, this.#file, bytes, length, this.#bytes)
    } catch (error) {
      this.#cutAt(this.#bytes)
      throw error
    }
    this.#bytes += length
  }

  /** Takes the last append back; false where the disk refuses that, too. */
  takeBack(length: number): boolean {
    this.#bytes -= length
    return this.#cutAt(this.#bytes)
  }

  /** A part of an append stands at the end, and could not be cut off. */
  get isTorn(): boolean {
    return this.#isTorn
  }

  syncNow(): void {
    this.#disk.syncNow(this.#file)
  }

  async sync(): Promise<void> {
    if (this.#isClosed) return
    this.#isSyncing = true
    try {
      await this.#disk.sync(this.#file)
    } finally {
      this.#isSyncing = false
      if (this.#closesLater) this.close()
    }
  }

  /** At once, or when the sync that is under way is over. */
  close(): void {
    this.#closesLater = this.#isSyncing
    if (this.#isSyncing || this.#isClosed) return
    this.#isClosed = true
    closeSync(this.#file)
  }

  #cutAt(bytes: number): boolean {
    try {
      this.#disk.truncate(this.#file, bytes)
    } catch {
      this.#isTorn = true
    }
    return !this.#isTorn
  }
}
