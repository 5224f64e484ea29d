import { resolve } from 'node:path'
import { type Clock, StreamingError } from '@org/kinesis-core'
import { ProducerClosedError } from '../producer-errors.js'
import { lockDirectory } from './directory-lock.js'
import { type Disk, systemDisk } from './disk.js'
import { makeDirectory } from './make-directory.js'
import { newSegmentName, Segment, segmentPaths } from './segment.js'
import { FRAME_HEADER_BYTES, HEADER_BYTES, sealFrame } from './segment-format.js'
import { SegmentList } from './segment-list.js'
import { SegmentWriter } from './segment-writer.js'
import { SettledFile } from './settled-file.js'
import { SettledRecords } from './settled-records.js'
import type { SpoolDamage } from './spool-damage.js'
import {
  cannotOpen,
  recordIsTooLarge,
  SpoolError,
  spoolIsFull,
  stateIsUnknown,
  writeFailed,
} from './spool-error.js'
import type { ResolvedSpoolOptions } from './spool-options.js'
import { maxPayloadBytes, type RecoveredRecord, type SpoolRecord, writeRecord } from './spool-record.js'
import { SpoolUpkeep } from './spool-upkeep.js'
import { readStoredSegments, unsettledRecords } from './stored-segments.js'

/** A larger buffer is made for one record and not kept. */
const MAX_KEPT_BUFFER_BYTES = 1024 * 1024

export interface SpoolContext {
  clock: Clock
  /** Called once, when a sync failed and the spool takes nothing any more. */
  onFailed?: (error: SpoolError) => void
  /** @default the system's */
  disk?: Disk
}

type ActiveSegment = Segment & { readonly writer: SegmentWriter }

export interface SpoolStats {
  segments: number
  bytes: number
  /** Records that are not settled, the recovered ones among them. */
  unsettled: number
}

/**
 * Admitted records on disk until they are settled: what a process did not settle, the next one sends. Nothing that was appended is
 * lost with a process; some of what it settled is given again, because settlements are written down a little later.
 */
export class Spool {
  /** What the process before admitted and did not settle, in append order. To be read once, a segment at a time. */
  readonly recovered: AsyncIterable<RecoveredRecord> = {
    [Symbol.asyncIterator]: () => this.#readRecovered(),
  }
  readonly #options: ResolvedSpoolOptions
  readonly #context: SpoolContext
  readonly #disk: Disk
  readonly #upkeep: SpoolUpkeep
  readonly #unlock: () => void
  readonly #stored: readonly Segment[]
  readonly #segments: SegmentList
  readonly #report: SpoolDamage[]
  #active: ActiveSegment | undefined
  #last: Segment | undefined
  #next: number
  #buffer = Buffer.allocUnsafeSlow(64 * 1024)
  #failure: SpoolError | undefined
  #closing: Promise<void> | undefined

  static async open(options: ResolvedSpoolOptions, context: SpoolContext): Promise<Spool> {
    const directory = resolve(options.directory)
    const disk = context.disk ?? systemDisk
    let unlock: (() => void) | undefined
    try {
      makeDirectory(directory, options.fsync === 'never' ? undefined : disk)
      unlock = await lockDirectory(directory)
      const stored = await readStoredSegments(directory, disk)
      return new Spool({ ...options, directory }, context, unlock, stored)
    } catch (error) {
      unlock?.()
      if (StreamingError.isInstance(error)) throw error
      throw cannotOpen(directory, 'Give a directory that this process may read and write.', error)
    }
  }

  private constructor(
    options: ResolvedSpoolOptions,
    context: SpoolContext,
    unlock: () => void,
    stored: Awaited<ReturnType<typeof readStoredSegments>>,
  ) {
    this.#options = options
    this.#context = context
    this.#disk = context.disk ?? systemDisk
    this.#unlock = unlock
    this.#stored = stored.segments
    this.#segments = new SegmentList(stored.segments)
    this.#last = stored.segments.at(-1)
    this.#next = stored.next
    this.#report = stored.damage
    this.#upkeep = new SpoolUpkeep({
      clock: context.clock,
      disk: this.#disk,
      directory: options.directory,
      intervalMs: options.fsyncIntervalMs,
      syncs: options.fsync !== 'never',
      writeDownSettled: () => this.#segments.writeDownSettled(this.#disk),
      onSyncFailed: (cause) => this.#fail('a sync', cause),
    })
  }

  /** The record is with the operating system when it returns; its position, which later ones exceed. Throws `SpoolError`. */
  append(record: SpoolRecord): number {
    if (this.#closing !== undefined) throw new ProducerClosedError('The spool is closed.')
    if (this.#failure !== undefined) throw this.#failure
    const buffer = this.#bufferFor(FRAME_HEADER_BYTES + maxPayloadBytes(record))
    const frameBytes = writeRecord(buffer, FRAME_HEADER_BYTES, record, this.#context.clock.now())
    try {
      return this.#write(buffer, frameBytes)
    } catch (error) {
      if (!(error instanceof SpoolError && error.code === 'SPOOL_FULL' && this.#dropSettled())) throw error
      return this.#write(buffer, frameBytes)
    }
  }

  /** The record is delivered, or its caller knows that it is not: no later process gets it. A second time does nothing. */
  settle(position: number): void {
    const segment = this.#segments.settle(position)
    if (segment === undefined) return
    if (segment.settled.unsettled > 0 || segment === this.#active) this.#upkeep.request()
    else this.#remove(segment)
  }

  /** What was found that is no record. Damage in a segment is found by every start until the segment is gone. */
  get report(): readonly SpoolDamage[] {
    return this.#report
  }

  stats(): SpoolStats {
    const { all, bytes, unsettled } = this.#segments
    return { segments: all.length, bytes, unsettled }
  }

  /** Everything is on the disk and the directory is free when it resolves; it rejects where a sync failed, now or before. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#upkeep.stop()
    this.#endActive()
    this.#segments.writeDownSettled(this.#disk)
    try {
      if (this.#options.fsync !== 'never' && this.#failure === undefined) {
        for (const { settledFile } of this.#segments.all) settledFile.sync(this.#disk)
        await this.#upkeep.sync()
      }
    } catch (cause) {
      this.#fail('a sync', cause)
    } finally {
      for (const { writer } of this.#segments.all) writer?.close()
      this.#unlock()
    }
    if (this.#failure !== undefined) throw this.#failure
  }

  #write(buffer: Buffer, frameBytes: number): number {
    const segment = this.#segmentFor(frameBytes)
    const { writer } = segment
    sealFrame(buffer, frameBytes, segment.salt, segment.settled.count)
    try {
      writer.append(buffer, frameBytes)
    } catch (cause) {
      throw writer.isTorn
        ? this.#fail('cutting off a torn write', cause)
        : writeFailed(this.#options.directory, cause)
    }
    if (this.#options.fsync === 'always') this.#syncNow(writer, frameBytes)
    else if (this.#options.fsync === 'interval') this.#upkeep.wrote(writer)
    this.#segments.appended(segment, frameBytes)
    return this.#next++
  }

  #syncNow(writer: SegmentWriter, frameBytes: number): void {
    try {
      writer.syncNow()
    } catch (cause) {
      writer.takeBack(frameBytes)
      this.#fail('a sync', cause)
      // The disk may have it all the same.
      throw stateIsUnknown(this.#options.directory, { what: 'a sync', cause, maybeDelivered: true })
    }
  }

  #segmentFor(frameBytes: number): ActiveSegment {
    const { directory, maxBytes, segmentBytes } = this.#options
    const leastBytes = HEADER_BYTES + frameBytes
    if (leastBytes > maxBytes) throw recordIsTooLarge(directory, leastBytes, maxBytes)
    // A record that is larger than a segment gets one of its own.
    const active = this.#active
    if (active !== undefined && active.settled.count > 0 && active.writer.bytes + frameBytes > segmentBytes) {
      this.#endActive()
    }
    const more = this.#active === undefined ? leastBytes : frameBytes
    if (this.#segments.bytes + more > maxBytes) throw spoolIsFull(directory, this.#segments.bytes, maxBytes)
    this.#active ??= this.#beginSegment()
    return this.#active
  }

  #beginSegment(): ActiveSegment {
    const { directory, fsync } = this.#options
    const { base, first, salt } = newSegmentName(this.#next)
    const paths = segmentPaths(directory, base)
    const last = this.#last
    const previous = last === undefined ? undefined : { first: last.first, count: last.settled.count }
    let writer: SegmentWriter
    try {
      writer = new SegmentWriter(paths.records, { salt, first, previous }, this.#disk)
    } catch (cause) {
      throw writeFailed(directory, cause)
    }
    const settledFile = new SettledFile(paths.settled, { first, salt })
    const settled = new SettledRecords()
    const segment = new Segment({ first, salt, path: paths.records, settled, settledFile, writer })
    this.#last = segment
    this.#segments.add(segment)
    if (fsync === 'always') {
      try {
        this.#disk.syncDirectoryNow(directory)
      } catch (cause) {
        throw this.#fail('a sync of the directory', cause)
      }
    } else this.#upkeep.directoryChanged()
    return segment as ActiveSegment
  }

  #endActive(): void {
    const active = this.#active
    if (active === undefined) return
    this.#active = undefined
    if (active.settled.unsettled === 0) this.#remove(active)
    else this.#upkeep.ended(active.writer)
  }

  /** Makes room where the segment that is being written holds nothing that is needed. */
  #dropSettled(): boolean {
    if (this.#active === undefined || this.#active.settled.unsettled > 0) return false
    this.#endActive()
    return true
  }

  #remove(segment: Segment): void {
    if (this.#segments.remove(segment)) this.#upkeep.directoryChanged()
    // That its records are settled can still be written down.
    else this.#upkeep.request()
  }

  async *#readRecovered(): AsyncGenerator<RecoveredRecord> {
    for (const segment of this.#stored) {
      if (segment.settled.unsettled === 0) continue
      if (this.#closing !== undefined) throw new ProducerClosedError('The spool is closed.')
      try {
        yield* unsettledRecords(segment, this.#report, (damage) => this.#report.push(damage))
      } catch (cause) {
        const remedy = 'Check the disk; what could not be read is left for the next start.'
        throw cannotOpen(this.#options.directory, remedy, cause)
      }
    }
  }

  #fail(what: string, cause: unknown): SpoolError {
    if (this.#failure === undefined) {
      this.#failure = stateIsUnknown(this.#options.directory, { what, cause })
      this.#context.onFailed?.(this.#failure)
    }
    return this.#failure
  }

  #bufferFor(bytes: number): Buffer {
    if (bytes <= this.#buffer.length) return this.#buffer
    const buffer = Buffer.allocUnsafeSlow(bytes)
    if (bytes <= MAX_KEPT_BUFFER_BYTES) this.#buffer = buffer
    return buffer
  }
}
