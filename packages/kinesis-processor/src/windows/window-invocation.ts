import type { KinesisWindowResponse } from '@org/kinesis-core'
import { decodeOrReject, isPromise } from '../decode-record.js'
import { isPermanent, PermanentError } from '../errors.js'
import type { SinkRecord } from '../sink.js'
import type { RecordPosition, StreamRecord } from '../stream-record.js'
import { placeInTime, type UntimelyEvent } from './event-time.js'
import type { WindowAggregates } from './window-aggregate.js'
import { partialOf, type WindowPartial } from './window-partial.js'
import type { WindowEntry, WindowState } from './window-state.js'
import type { ResolvedTumblingWindowsOptions, WindowCounts } from './windows-options.js'
import { writeAll } from './write-all.js'

/** Where the records of an invocation come from. */
export interface ShardSource {
  shardId: string
  streamArn: string
  streamName: string
}

/** One invocation on a window: records go into the state, and what has to leave it goes to the sinks. */
export class WindowInvocation<T, A extends WindowAggregates<T>> {
  readonly #options: ResolvedTumblingWindowsOptions<T, A>
  readonly #state: WindowState<T>
  readonly #source: ShardSource
  readonly #remainingMs: () => number
  readonly #untimely: SinkRecord<UntimelyEvent<T>>[] = []
  readonly #counts: WindowCounts = { records: 0, skipped: 0, late: 0, ahead: 0, emitted: 0, unstorable: 0 }

  constructor(
    options: ResolvedTumblingWindowsOptions<T, A>,
    { state, source, remainingMs }: { state: WindowState<T>; source: ShardSource; remainingMs: () => number },
  ) {
    this.#options = options
    this.#state = state
    this.#source = source
    this.#remainingMs = remainingMs
  }

  /** What is emitted before the end depends on the state alone, never on where a batch ends: cut otherwise it makes the same partials. */
  async take(record: StreamRecord): Promise<void> {
    this.#counts.records += 1
    const tooLarge = await this.#add(record)
    if (this.#state.bytes > this.#options.maxStateBytes) await this.emitAll()
    else if (tooLarge !== undefined) await this.#emit([tooLarge])
  }

  async writeUntimely(): Promise<void> {
    const { untimely } = this.#options
    if (this.#untimely.length === 0) return
    if (untimely === undefined) {
      const { late, ahead } = this.#counts
      console.warn(
        `kinesis-processor: ${late} late events and ${ahead} ahead of their time were dropped. Pass untimely to keep them.`,
      )
      return
    }
    const { refused } = await writeAll(this.#untimely, {
      ...this.#writeOptions('untimely events'),
      sink: untimely,
    })
    this.#counts.unstorable += refused
  }

  emitAll(): Promise<void> {
    return this.#emit(this.#state.entries)
  }

  finish(): KinesisWindowResponse {
    this.#options.onInvocation({ ...this.#counts })
    return { state: this.#state.pack(), batchItemFailures: [] }
  }

  /** @returns the entry that grew too large, if any */
  async #add({ data, position, fault }: StreamRecord): Promise<WindowEntry | undefined> {
    if (fault !== undefined) return this.#skip()
    const { decode, time, key: keyOf, windowMs } = this.#options
    try {
      const decoded = decodeOrReject(decode, data)
      const value = isPromise(decoded) ? await decoded : decoded
      if (value === undefined) return this.#skip()
      const { arrivalMs } = position
      const timeMs = time(value, position) ?? arrivalMs
      const place = placeInTime(timeMs, arrivalMs, this.#options)
      if (place === undefined)
        throw new PermanentError(`The event has no usable time: ${timeMs}.`, { reasonCode: 'invalid' })
      const { windowStartMs, timeliness } = place
      const key = String(keyOf(value))
      if (timeliness === 'timely') return this.#state.add(windowStartMs, key, value, position)
      this.#counts[timeliness] += 1
      const windowEndMs = windowStartMs + windowMs
      const event = { reason: timeliness, value, key, timeMs, arrivalMs, windowStartMs, windowEndMs }
      this.#untimely.push({ value: event, position })
    } catch (error) {
      if (!isPermanent(error)) throw error
      this.#skip()
    }
    return undefined
  }

  #skip(): undefined {
    this.#counts.skipped += 1
  }

  async #emit(entries: readonly WindowEntry[]): Promise<void> {
    const { windowMs, emit } = this.#options
    const { shardId } = this.#source
    const records = entries.map((entry) => {
      const value = partialOf<A>(entry, { names: this.#state.names, windowMs, shardId })
      return { value, position: positionOf(entry, this.#source) }
    })
    const { stored, refused } = await writeAll<WindowPartial<A>>(records, {
      ...this.#writeOptions('window partials'),
      sink: emit,
    })
    for (const entry of entries) this.#state.remove(entry)
    this.#counts.emitted += stored
    this.#counts.unstorable += refused
  }

  #writeOptions(name: string) {
    const { onUnstorable, clock, random } = this.#options
    return { name, onRefused: onUnstorable, remainingMs: this.#remainingMs, clock, random }
  }
}

/** Partials are records of their own making: the key orders them, the first record places them, which is in no other partial. */
function positionOf(entry: WindowEntry, source: ShardSource): RecordPosition {
  return {
    ...source,
    sequenceNumber: entry.firstSequenceNumber,
    subSequenceNumber: entry.firstSubSequenceNumber,
    partitionKey: entry.key,
    arrivalMs: entry.windowStartMs,
  }
}
