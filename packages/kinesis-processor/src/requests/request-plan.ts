import type { PlannedWrite } from './planned-write.js'

export interface SizedWrite extends PlannedWrite {
  /** What it takes of a request's limit. */
  bytes: number
}

export interface RequestLimits<W> {
  /** Requests that run side by side. */
  maxSequences: number
  /** Writes in one request. */
  maxWrites: number
  /** Bytes of all writes in one request. */
  maxBytes: number
  /** No request holds two writes for which this is the same. @default any may share one */
  apart?: ((write: W) => string) | undefined
}

/**
 * Sorts writes into sequences of requests. Sequences run side by side; the requests of one run one after the other. All writes of a partition
 * key are in one sequence and in order, so that order holds whatever the requests do.
 */
export function planRequests<W extends SizedWrite>(writes: readonly W[], limits: RequestLimits<W>): W[][][] {
  const { maxSequences, maxWrites } = limits
  const lanes = [...Map.groupBy(writes, ({ partitionKey }) => partitionKey).values()]
  // Longest first: the short ones then fill what room is left in the requests.
  lanes.sort((a, b) => b.length - a.length)
  const count = Math.min(maxSequences, Math.ceil(writes.length / maxWrites))
  const sequences: W[][] = Array.from({ length: count }, () => [])
  const roomOf = ({ length }: W[]) => (maxWrites - (length % maxWrites)) % maxWrites
  for (const lane of lanes) {
    const sequence =
      sequences.find((one) => roomOf(one) >= lane.length) ??
      sequences.reduce((least, one) => (one.length < least.length ? one : least))
    for (const write of lane) sequence.push(write)
  }
  return sequences.filter(({ length }) => length > 0).map((sequence) => cut(sequence, limits))
}

/**
 * Each write goes into the first request that has room and comes late enough: not before another of its partition key, and after the one
 * that it must be kept apart from.
 */
function cut<W extends SizedWrite>(
  writes: readonly W[],
  { maxWrites, maxBytes, apart }: RequestLimits<W>,
): W[][] {
  const requests: W[][] = []
  const bytes: number[] = []
  const earliestOfKey = new Map<string, number>()
  const earliestApart = new Map<string, number>()
  let firstWithRoom = 0
  for (const write of writes) {
    const apartFrom = apart?.(write)
    let place = Math.max(
      firstWithRoom,
      earliestOfKey.get(write.partitionKey) ?? 0,
      apartFrom === undefined ? 0 : (earliestApart.get(apartFrom) ?? 0),
    )
    const hasRoom = () => requests[place]!.length < maxWrites && bytes[place]! + write.bytes <= maxBytes
    while (place < requests.length && !hasRoom()) place++
    if (place === requests.length) {
      requests.push([])
      bytes.push(0)
    }
    requests[place]!.push(write)
    bytes[place]! += write.bytes
    earliestOfKey.set(write.partitionKey, place)
    if (apartFrom !== undefined) earliestApart.set(apartFrom, place + 1)
    while (requests[firstWithRoom]?.length === maxWrites) firstWithRoom++
  }
  return requests
}
