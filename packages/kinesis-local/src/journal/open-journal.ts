import { rmSync } from 'node:fs'
import { InvalidOptionError } from '@org/kinesis-core'
import type { AccountSettings } from '../kinesis/account-settings.js'
import type { KinesisContext } from '../kinesis/kinesis-context.js'
import type { Stream } from '../kinesis/stream.js'
import type { PlacedRecord, StreamJournal } from '../kinesis/stream-journal.js'
import { type StreamState, streamState } from '../kinesis/stream-state.js'
import { ServiceError } from '../service.js'
import { lockFolder } from './folder-lock.js'
import { encodeRecords, encodeState, type JournalRecord } from './journal-entry.js'
import { SegmentFile } from './segment-file.js'
import { readSegment, type StoredSegment, segmentPath, storedSegments } from './stored-segments.js'

export interface JournalOptions {
  folder: string
  /** A segment is ended beyond it, and removed when none of its records is left. */
  segmentBytes: number
  /** How often what was written is synced to the disk. */
  syncIntervalMs: number
  onWarning: (message: string) => void
}

/** What a state entry holds. The first of a segment names all streams that there are, so that the segments before it are not needed for that. */
interface JournalState {
  region?: string
  all?: number[]
  streams?: { id: number; state: StreamState }[]
  gone?: number[]
  account?: AccountSettings['commitment'] | null
}

/** The last counter of each shard, by stream and shard, which a segment has records of. */
type SegmentContents = Map<number, Map<number, number>>

export interface Journal extends StreamJournal {
  close(): void
}

/**
 * The streams and records of a service in a folder: segments of checksummed entries, read when it is attached, then appended to.
 * One process may have it.
 */
export function openJournal(options: JournalOptions): Journal {
  const unlock = lockFolder(options.folder, 'dataDir')
  return new SegmentedJournal(options, unlock)
}

class SegmentedJournal implements Journal {
  readonly #ids = new Map<Stream, number>()
  readonly #streams = new Map<number, Stream>()
  /** What was last written of each stream. */
  readonly #states = new Map<number, string>()
  readonly #shardCounts = new Map<number, number>()
  #account = ''
  #nextId = 1
  readonly #ended: { segment: StoredSegment; contents: SegmentContents }[] = []
  #number = 0
  #segment: SegmentFile | undefined
  #contents: SegmentContents = new Map()
  #context: KinesisContext | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(
    private readonly options: JournalOptions,
    private readonly unlock: () => void,
  ) {}

  attach(context: KinesisContext): ReadonlySet<string> {
    this.#context = context
    this.#replay(context)
    this.#beginSegment()
    this.#timer = setInterval(() => this.#segment?.syncLater(), this.options.syncIntervalMs)
    this.#timer.unref()
    return new Set([...context.streams.all].map(({ settings }) => settings.name))
  }

  write(stream: Stream, records: readonly PlacedRecord[]): void {
    this.#append((segment) => {
      const id = this.#idOf(stream)
      // On-demand streams get shards by being written to, also where none of the records found room.
      if (this.#shardCounts.get(id) !== stream.shards.length) {
        segment.append(encodeState({ streams: [this.#stateOf(id)] }))
      }
      if (records.length === 0) return
      segment.append(encodeRecords(id, records))
      for (const { shard, counter } of records) note(this.#contents, id, shard.index, counter)
    })
  }

  commit(): void {
    this.#append((segment) => {
      const state = this.#changes()
      if (state !== undefined) segment.append(encodeState(state))
    })
  }

  close(): void {
    clearInterval(this.#timer)
    this.#segment?.close()
    this.#segment = undefined
    this.unlock()
  }

  #idOf(stream: Stream): number {
    let id = this.#ids.get(stream)
    if (id === undefined) {
      id = this.#nextId++
      this.#ids.set(stream, id)
      this.#streams.set(id, stream)
    }
    return id
  }

  #append(append: (segment: SegmentFile) => void): void {
    try {
      if (this.#segment === undefined) throw new Error('it is closed.')
      // A segment is ended before the entry that follows it, not behind its last one: once that is written, nothing may fail any more.
      if (this.#segment.bytes > this.options.segmentBytes) this.#beginSegment()
      append(this.#segment)
    } catch (error) {
      // What was written of this state is not known: all of it is written with the next change.
      this.#states.clear()
      this.#shardCounts.clear()
      throw new ServiceError(
        'InternalFailure',
        `The journal in ${this.options.folder} cannot be written: ${(error as Error).message}`,
        500,
      )
    }
  }

  #changes(): JournalState | undefined {
    const { streams, account } = this.#context!
    const there = new Set([...streams.all].map((stream) => this.#idOf(stream)))
    const gone = [...this.#streams.keys()].filter((id) => !there.has(id))
    for (const id of gone) this.#forget(id)
    const changed = [...there].filter(
      (id) => this.#states.get(id) !== JSON.stringify(streamState(this.#streams.get(id)!)),
    )
    const commitment = account.commitment ?? null
    const accountChanged = this.#account !== JSON.stringify(commitment)
    if (gone.length + changed.length === 0 && !accountChanged) return undefined
    this.#account = JSON.stringify(commitment)
    return { gone, streams: changed.map((id) => this.#stateOf(id)), account: commitment }
  }

  #stateOf(id: number): { id: number; state: StreamState } {
    const state = streamState(this.#streams.get(id)!)
    this.#states.set(id, JSON.stringify(state))
    this.#shardCounts.set(id, state.shards.length)
    return { id, state }
  }

  #forget(id: number): void {
    this.#ids.delete(this.#streams.get(id)!)
    this.#streams.delete(id)
    this.#states.delete(id)
    this.#shardCounts.delete(id)
  }

  /** Ends the segment, removes those whose records are all trimmed, and begins the next with all that is not records. */
  #beginSegment(): void {
    const { streams, account } = this.#context!
    const ids = [...streams.all].map((stream) => this.#idOf(stream))
    const beginning: JournalState[] = [
      { region: streams.region, all: ids, account: account.commitment ?? null },
      ...ids.map((id) => ({ streams: [this.#stateOf(id)] })),
    ]
    const number = this.#number + 1
    const path = segmentPath(this.options.folder, number)
    const next = new SegmentFile(path, beginning.map(encodeState))
    const last = this.#segment
    if (last !== undefined) {
      this.#ended.push({ segment: { number: this.#number, path: last.path }, contents: this.#contents })
    }
    this.#segment = next
    this.#number = number
    this.#contents = new Map()
    last?.close()
    this.#removeTrimmed()
  }

  #removeTrimmed(): void {
    const { retention, streams, clock } = this.#context!
    for (const stream of streams.all) {
      for (const shard of stream.shards) retention.trimExpired(stream, shard, clock.now())
    }
    const isNeeded = ({ contents }: { contents: SegmentContents }) =>
      [...contents].some(([id, shards]) => {
        const stream = this.#streams.get(id)
        return [...shards].some(
          ([index, last]) => (stream?.shards[index]?.log.firstCounter ?? Infinity) <= last,
        )
      })
    for (const ended of this.#ended.splice(0)) {
      if (isNeeded(ended)) this.#ended.push(ended)
      else rmSync(ended.segment.path, { force: true })
    }
  }

  #replay(context: KinesisContext): void {
    const segments = storedSegments(this.options.folder)
    for (const [index, segment] of segments.entries()) {
      const contents: SegmentContents = new Map()
      const isLast = index === segments.length - 1
      for (const entry of readSegment(segment, isLast, this.options.onWarning)) {
        if (entry.kind === 'state') this.#restoreState(context, entry.state as JournalState)
        else this.#restoreRecords(context, entry.records, contents)
      }
      this.#ended.push({ segment, contents })
      this.#number = segment.number
    }
  }

  #restoreState({ streams, account }: KinesisContext, state: JournalState): void {
    if (state.region !== undefined && state.region !== streams.region) {
      throw new InvalidOptionError(
        'region',
        streams.region,
        `The streams in ${this.options.folder} are of ${state.region}: start with that region, or in another folder.`,
      )
    }
    const all = state.all === undefined ? undefined : new Set(state.all)
    for (const [id, stream] of this.#streams) {
      if (state.gone?.includes(id) || all?.has(id) === false) {
        this.#forget(id)
        streams.drop(stream)
      }
    }
    for (const { id, state: kept } of state.streams ?? []) {
      const stream = streams.restore(kept)
      this.#ids.set(stream, id)
      this.#streams.set(id, stream)
      this.#nextId = Math.max(this.#nextId, id + 1)
    }
    if (state.account !== undefined) account.commitment = state.account ?? undefined
  }

  #restoreRecords(
    { retention }: KinesisContext,
    records: Iterable<JournalRecord>,
    contents: SegmentContents,
  ): void {
    for (const record of records) {
      note(contents, record.streamId, record.shardIndex, record.counter)
      const stream = this.#streams.get(record.streamId)
      const shard = stream?.shards[record.shardIndex]
      if (stream === undefined || shard === undefined) continue
      stream.arrivalAt(record.arrivalMs)
      stream.counter = Math.max(stream.counter, record.counter + 1)
      retention.added(shard.log.append(record))
    }
  }
}

function note(contents: SegmentContents, streamId: number, shardIndex: number, counter: number): void {
  let shards = contents.get(streamId)
  if (shards === undefined) {
    shards = new Map()
    contents.set(streamId, shards)
  }
  shards.set(shardIndex, counter)
}
