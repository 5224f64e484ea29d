import type { Clock } from '@org/kinesis-core'
import type { Disk } from './disk.js'
import type { SegmentWriter } from './segment-writer.js'

export interface SpoolUpkeepOptions {
  clock: Clock
  disk: Disk
  directory: string
  intervalMs: number
  /** Whether changes of the directory are synced. */
  syncs: boolean
  writeDownSettled: () => void
  onSyncFailed: (cause: unknown) => void
}

/**
 * What is done some time after an append or a settlement, for all of them at once. There is a timer only while there is something
 * to do.
 */
export class SpoolUpkeep {
  readonly #options: SpoolUpkeepOptions
  readonly #unsynced = new Set<SegmentWriter>()
  readonly #ended = new Set<SegmentWriter>()
  #directoryChanged = false
  #isWanted = false
  #isStopped = false
  #cancel: (() => void) | undefined
  #running: Promise<void> | undefined

  constructor(options: SpoolUpkeepOptions) {
    this.#options = options
  }

  wrote(writer: SegmentWriter): void {
    this.#unsynced.add(writer)
    this.request()
  }

  /** Nothing is written to it any more: it is closed when it is synced. */
  ended(writer: SegmentWriter): void {
    if (this.#unsynced.has(writer)) this.#ended.add(writer)
    else writer.close()
  }

  directoryChanged(): void {
    if (!this.#options.syncs) return
    this.#directoryChanged = true
    this.request()
  }

  request(): void {
    this.#isWanted = true
    if (this.#cancel !== undefined || this.#running !== undefined || this.#isStopped) return
    this.#cancel = this.#options.clock.schedule(this.#options.intervalMs, () => {
      this.#cancel = undefined
      this.#running = this.#run()
    })
  }

  /** Waits for what is under way. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancel?.()
    await this.#running
  }

  async sync(): Promise<void> {
    for (const writer of [...this.#unsynced]) {
      // What is appended meanwhile is the next round's.
      this.#unsynced.delete(writer)
      await writer.sync()
      if (!this.#unsynced.has(writer) && this.#ended.delete(writer)) writer.close()
    }
    if (!this.#directoryChanged) return
    this.#directoryChanged = false
    await this.#options.disk.syncDirectory(this.#options.directory)
  }

  async #run(): Promise<void> {
    this.#isWanted = false
    try {
      this.#options.writeDownSettled()
      await this.sync()
    } catch (cause) {
      this.#options.onSyncFailed(cause)
    }
    this.#running = undefined
    if (this.#isWanted) this.request()
  }
}
