import { UnexpectedEventError } from '../errors.js'
import { ofEither } from './window-partial.js'

/** What is known of one key in one window: all that count, sum, average, minimum and maximum need. */
export interface WindowAggregate {
  /** Start of the event-time window, in milliseconds since the epoch. */
  windowStartMs: number
  key: string
  count: number
  sum: number
  /** Values that `sum`, `minimum` and `maximum` are of: events without a value count, and no more. */
  valueCount: number
  minimum: number | undefined
  maximum: number | undefined
  /** Of the first record of this key in this chunk of state: with it a partial overwrites itself when it is computed again. */
  firstSequenceNumber: string
  firstSubSequenceNumber: number
}

/** Compact, because Lambda bounds the state of a shard to 1 MB: an array per key, in the order of the fields above. No value is null. */
type Packed = [number, string, number, number, number, number | null, number | null, string, number]

const EMPTY_STATE_BYTES = '{"a":[]}'.length

/** Aggregates as they travel in Lambda's window state. */
export class WindowState {
  readonly #aggregates = new Map<string, WindowAggregate>()
  #bytes = EMPTY_STATE_BYTES

  static unpack(state: unknown): WindowState {
    const unpacked = new WindowState()
    const packed = typeof state === 'object' && state !== null && 'a' in state ? state.a : []
    if (!Array.isArray(packed) || !packed.every(Array.isArray)) {
      throw new UnexpectedEventError(
        'The window state was not written by this handler: it is of another version.',
      )
    }
    for (const [
      windowStartMs,
      key,
      count,
      sum,
      valueCount,
      minimum,
      maximum,
      first,
      firstSub,
    ] of packed as Packed[]) {
      unpacked.#keep({
        windowStartMs,
        key,
        count,
        sum,
        valueCount,
        minimum: minimum ?? undefined,
        maximum: maximum ?? undefined,
        firstSequenceNumber: first,
        firstSubSequenceNumber: firstSub,
      })
    }
    return unpacked
  }

  pack(): Record<string, unknown> {
    return { a: [...this.#aggregates.values()].map(packed) }
  }

  /** An upper bound of what `pack` takes as JSON, kept while records are added. */
  get bytes(): number {
    return this.#bytes
  }

  get aggregates(): WindowAggregate[] {
    return [...this.#aggregates.values()]
  }

  add(
    windowStartMs: number,
    key: string,
    value: number | undefined,
    place: { sequenceNumber: string; subSequenceNumber: number },
  ): void {
    let aggregate = this.#aggregates.get(idOf(windowStartMs, key))
    if (aggregate === undefined) {
      aggregate = {
        windowStartMs,
        key,
        count: 0,
        sum: 0,
        valueCount: 0,
        minimum: undefined,
        maximum: undefined,
        firstSequenceNumber: place.sequenceNumber,
        firstSubSequenceNumber: place.subSequenceNumber,
      }
      this.#keep(aggregate)
    }
    aggregate.count += 1
    if (value === undefined) return
    aggregate.sum += value
    aggregate.valueCount += 1
    aggregate.minimum = ofEither(Math.min, aggregate.minimum, value)
    aggregate.maximum = ofEither(Math.max, aggregate.maximum, value)
  }

  clear(): void {
    this.#aggregates.clear()
    this.#bytes = EMPTY_STATE_BYTES
  }

  #keep(aggregate: WindowAggregate): void {
    this.#aggregates.set(idOf(aggregate.windowStartMs, aggregate.key), aggregate)
    // Numbers grow while a window is open: 25 characters hold any of the seven; brackets, commas and quotes are 13.
    this.#bytes +=
      Buffer.byteLength(JSON.stringify(aggregate.key)) + aggregate.firstSequenceNumber.length + 7 * 25 + 13
  }
}

function idOf(windowStartMs: number, key: string): string {
  return `${windowStartMs}/${key}`
}

function packed(aggregate: WindowAggregate): Packed {
  const { windowStartMs, key, count, sum, valueCount, minimum = null, maximum = null } = aggregate
  const { firstSequenceNumber, firstSubSequenceNumber } = aggregate
  return [
    windowStartMs,
    key,
    count,
    sum,
    valueCount,
    minimum,
    maximum,
    firstSequenceNumber,
    firstSubSequenceNumber,
  ]
}
