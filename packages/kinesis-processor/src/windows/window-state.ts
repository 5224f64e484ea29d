import { UnexpectedEventError } from '../errors.js'
import { DEFAULT_MAX_BYTES, type WindowAggregates } from './window-aggregate.js'

/** What is known of one key in one window. */
export interface WindowEntry {
  /** Start of the event-time window, in milliseconds since the epoch. */
  windowStartMs: number
  key: string
  count: number
  /** In the order of the aggregates' names. */
  states: unknown[]
  /** Of the first record of this key in this stretch of state: with it a partial overwrites itself when it is computed again. */
  firstSequenceNumber: string
  firstSubSequenceNumber: number
}

/** Compact, because Lambda bounds the state of a shard to 1 MB: the fields in the order above. */
type Packed = [number, string, number, unknown[], string, number]

interface Kept extends WindowEntry {
  bytes: number
}

/** The entries as they travel in Lambda's window state. */
export class WindowState<T> {
  readonly names: readonly string[]
  readonly #aggregates: WindowAggregates<T>[string][]
  readonly #entries = new Map<string, Kept>()
  readonly #emptyBytes: number
  #bytes: number

  constructor(aggregates: WindowAggregates<T>) {
    this.names = Object.keys(aggregates)
    this.#aggregates = Object.values(aggregates)
    this.#emptyBytes = Buffer.byteLength(JSON.stringify(this.pack()))
    this.#bytes = this.#emptyBytes
  }

  /**
   * A state that other aggregates made, before a deployment, is read by name: one that is new begins in the middle of the window, one that is
   * gone is left out.
   */
  static unpack<T>(state: unknown, aggregates: WindowAggregates<T>): WindowState<T> {
    const unpacked = new WindowState(aggregates)
    if (typeof state !== 'object' || state === null || Object.keys(state).length === 0) return unpacked
    const { names, entries } = state as { names?: unknown; entries?: unknown }
    if (!Array.isArray(names) || !Array.isArray(entries) || !entries.every(isPacked))
      throw new UnexpectedEventError('The window state was not written by this handler.')
    const places = unpacked.names.map((name) => names.indexOf(name))
    for (const [windowStartMs, key, count, states, firstSequenceNumber, firstSubSequenceNumber] of entries) {
      unpacked.#keep({
        windowStartMs,
        key,
        count,
        states: places.map((place, at) => (place < 0 ? unpacked.#aggregates[at]!.initial() : states[place])),
        firstSequenceNumber,
        firstSubSequenceNumber,
      })
    }
    return unpacked
  }

  pack(): Record<string, unknown> {
    const packed = ({ windowStartMs, key, count, states, ...first }: WindowEntry): Packed => [
      windowStartMs,
      key,
      count,
      states,
      first.firstSequenceNumber,
      first.firstSubSequenceNumber,
    ]
    return { names: this.names, entries: [...this.#entries.values()].map(packed) }
  }

  /** An upper bound of what `pack` takes as JSON, kept while records are added. */
  get bytes(): number {
    return this.#bytes
  }

  get entries(): WindowEntry[] {
    return [...this.#entries.values()]
  }

  /** @returns the entry of the event where one of its states is larger now than its aggregate allows, else undefined */
  add(
    windowStartMs: number,
    key: string,
    event: T,
    place: { sequenceNumber: string; subSequenceNumber: number },
  ): WindowEntry | undefined {
    const known = this.#entries.get(idOf(windowStartMs, key))
    // All of them before any is kept: an event is counted by all, or by none.
    const states = this.#aggregates.map((aggregate, at) =>
      aggregate.add(known === undefined ? aggregate.initial() : known.states[at], event),
    )
    const { kept, isTooLarge } = this.#keep({
      windowStartMs,
      key,
      count: (known?.count ?? 0) + 1,
      states,
      firstSequenceNumber: known?.firstSequenceNumber ?? place.sequenceNumber,
      firstSubSequenceNumber: known?.firstSubSequenceNumber ?? place.subSequenceNumber,
    })
    return isTooLarge ? kept : undefined
  }

  remove({ windowStartMs, key }: WindowEntry): void {
    const id = idOf(windowStartMs, key)
    this.#bytes -= this.#entries.get(id)?.bytes ?? 0
    this.#entries.delete(id)
  }

  #keep(entry: WindowEntry): { kept: Kept; isTooLarge: boolean } {
    const { bytes: statesBytes, isTooLarge } = this.#measure(entry.states)
    // Three numbers of 25 characters at most; brackets, commas and quotes are 12.
    const own = Buffer.byteLength(JSON.stringify(entry.key)) + entry.firstSequenceNumber.length + 3 * 25 + 12
    const kept = { ...entry, bytes: own + statesBytes }
    const id = idOf(entry.windowStartMs, entry.key)
    this.#bytes += kept.bytes - (this.#entries.get(id)?.bytes ?? 0)
    this.#entries.set(id, kept)
    return { kept, isTooLarge }
  }

  #measure(states: readonly unknown[]): { bytes: number; isTooLarge: boolean } {
    let bytes = 0
    let isTooLarge = false
    for (const [at, { fixedBytes, maxBytes = DEFAULT_MAX_BYTES }] of this.#aggregates.entries()) {
      const own = fixedBytes ?? this.#measured(states[at], at)
      bytes += own + ','.length
      if (fixedBytes === undefined && own > maxBytes) isTooLarge = true
    }
    return { bytes, isTooLarge }
  }

  #measured(state: unknown, at: number): number {
    const text: string | undefined = JSON.stringify(state)
    if (text === undefined)
      throw new TypeError(
        `The aggregate ${this.names[at]} made a state that is no JSON: add() must return one.`,
      )
    return Buffer.byteLength(text)
  }
}

function idOf(windowStartMs: number, key: string): string {
  return `${windowStartMs}/${key}`
}

function isPacked(entry: unknown): entry is Packed {
  return Array.isArray(entry) && entry.length === 6 && Array.isArray(entry[3])
}
