/** What is known of one key in one window: all that count, sum, average, minimum and maximum need. */
export interface WindowAggregate {
  /** Start of the event-time window, in milliseconds since the epoch. */
  windowStartMs: number
  key: string
  count: number
  sum: number
  /** Values that `sum`, `minimum` and `maximum` are of: events without a value count, and no more. */
  valueCount: number
  minimum: number
  maximum: number
  /** Of the first record of this key in this chunk of state: with it a partial overwrites itself when it is computed again. */
  firstSequenceNumber: string
  firstSubSequenceNumber: number
}

/** Compact, because Lambda bounds the state of a shard to 1 MB: an array per key, in the order of the fields above. */
type Packed = [number, string, number, number, number, number | null, number | null, string, number]

/** Aggregates as they travel in Lambda's window state. */
export class WindowState {
  readonly #aggregates = new Map<string, WindowAggregate>()
  #bytes = 2

  static unpack(state: unknown): WindowState {
    const unpacked = new WindowState()
    const packed = (state as { a?: Packed[] } | undefined)?.a ?? []
    for (const [windowStartMs, key, count, sum, valueCount, minimum, maximum, first, firstSub] of packed) {
      unpacked.#keep({
        windowStartMs,
        key,
        count,
        sum,
        valueCount,
        minimum: minimum ?? Number.POSITIVE_INFINITY,
        maximum: maximum ?? Number.NEGATIVE_INFINITY,
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
    const id = `${windowStartMs}/${key}`
    let aggregate = this.#aggregates.get(id)
    if (aggregate === undefined) {
      aggregate = {
        windowStartMs,
        key,
        count: 0,
        sum: 0,
        valueCount: 0,
        minimum: Number.POSITIVE_INFINITY,
        maximum: Number.NEGATIVE_INFINITY,
        firstSequenceNumber: place.sequenceNumber,
        firstSubSequenceNumber: place.subSequenceNumber,
      }
      this.#keep(aggregate)
    }
    aggregate.count += 1
    if (value === undefined) return
    aggregate.sum += value
    aggregate.valueCount += 1
    aggregate.minimum = Math.min(aggregate.minimum, value)
    aggregate.maximum = Math.max(aggregate.maximum, value)
  }

  clear(): void {
    this.#aggregates.clear()
    this.#bytes = 2
  }

  #keep(aggregate: WindowAggregate): void {
    this.#aggregates.set(`${aggregate.windowStartMs}/${aggregate.key}`, aggregate)
    // Numbers grow while a window is open: 24 characters hold any of the five.
    this.#bytes +=
      Buffer.byteLength(JSON.stringify(aggregate.key)) + aggregate.firstSequenceNumber.length + 5 * 24 + 40
  }
}

function packed(aggregate: WindowAggregate): Packed {
  const { windowStartMs, key, count, sum, valueCount, minimum, maximum } = aggregate
  // JSON has no infinity: no value yet is null.
  const finite = (value: number) => (Number.isFinite(value) ? value : null)
  return [
    windowStartMs,
    key,
    count,
    sum,
    valueCount,
    finite(minimum),
    finite(maximum),
    aggregate.firstSequenceNumber,
    aggregate.firstSubSequenceNumber,
  ]
}
