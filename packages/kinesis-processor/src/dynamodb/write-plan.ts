import { dynamoDbQuotas } from '@org/kinesis-core'
import type { PlannedWrite } from './planned-write.js'

/** The writes of one request. */
export type Chunk = PlannedWrite[]

export interface PlanLimits {
  /** Requests that run side by side. */
  maxSequences: number
  /** Writes in one request. */
  maxChunkWrites: number
}

/**
 * Sorts writes into sequences of requests. Sequences run side by side; the requests of one run one after the other. All writes of a partition
 * key are in one sequence and in order, so that order holds whatever the requests do.
 */
export function planWrites(writes: readonly PlannedWrite[], limits: PlanLimits): Chunk[][] {
  const { maxSequences, maxChunkWrites } = limits
  const lanes = [...Map.groupBy(writes, ({ partitionKey }) => partitionKey).values()]
  // Longest first: the short ones then fill what room is left in the requests.
  lanes.sort((a, b) => b.length - a.length)
  const count = Math.min(maxSequences, Math.ceil(writes.length / maxChunkWrites))
  const sequences: PlannedWrite[][] = Array.from({ length: count }, () => [])
  const roomOf = ({ length }: PlannedWrite[]) => (maxChunkWrites - (length % maxChunkWrites)) % maxChunkWrites
  for (const lane of lanes) {
    const sequence =
      sequences.find((one) => roomOf(one) >= lane.length) ??
      sequences.reduce((least, one) => (one.length < least.length ? one : least))
    for (const write of lane) sequence.push(write)
  }
  return sequences.filter(({ length }) => length > 0).map((sequence) => cut(sequence, maxChunkWrites))
}

/** The service refuses a request that names a key twice: the second write begins another request, and so comes after the first. */
function cut(writes: readonly PlannedWrite[], maxChunkWrites: number): Chunk[] {
  const chunks: Chunk[] = []
  let keys = new Set<string>()
  let bytes = 0
  for (const write of writes) {
    const chunk = chunks.at(-1)
    const isFull =
      chunk === undefined ||
      chunk.length === maxChunkWrites ||
      bytes + write.bytes > dynamoDbQuotas.maxBatchWriteBytes ||
      keys.has(write.itemKey)
    if (isFull) {
      chunks.push([write])
      keys = new Set([write.itemKey])
      bytes = write.bytes
    } else {
      chunk.push(write)
      keys.add(write.itemKey)
      bytes += write.bytes
    }
  }
  return chunks
}
