import { dynamoDbQuotas } from '@org/kinesis-core'
import type { Item } from './marshall.js'

export interface PlannedWrite {
  /** Place in the records that the sink was given. */
  index: number
  partitionKey: string
  /** The item's own key, as text: a request must not hold two items with the same. */
  itemKey: string
  item: Item
  bytes: number
}

/** One BatchWriteItem. */
export type Chunk = PlannedWrite[]

/**
 * Sorts writes into sequences of requests. Sequences run side by side; the requests of one run one after the other. All writes of a partition
 * key are in one sequence and in order, so that order holds whatever the requests do.
 */
export function planWrites(writes: readonly PlannedWrite[], maxSequences: number): Chunk[][] {
  const lanes = [...Map.groupBy(writes, ({ partitionKey }) => partitionKey).values()]
  // Longest first onto the shortest sequence: the last request ends earliest.
  lanes.sort((a, b) => b.length - a.length)
  const count = Math.min(maxSequences, Math.ceil(writes.length / dynamoDbQuotas.maxBatchWriteItems))
  const sequences: PlannedWrite[][] = Array.from({ length: count }, () => [])
  for (const lane of lanes) {
    const shortest = sequences.reduce((least, one) => (one.length < least.length ? one : least))
    shortest.push(...lane)
  }
  return sequences.map(cut)
}

function cut(writes: readonly PlannedWrite[]): Chunk[] {
  const chunks: Chunk[] = []
  let keys = new Set<string>()
  let bytes = 0
  for (const write of writes) {
    const chunk = chunks.at(-1)
    const isFull =
      chunk === undefined ||
      chunk.length === dynamoDbQuotas.maxBatchWriteItems ||
      bytes + write.bytes > dynamoDbQuotas.maxBatchWriteBytes ||
      keys.has(write.itemKey)
    if (isFull) {
      chunks.push([write])
      keys = new Set([write.itemKey])
      bytes = write.bytes
      continue
    }
    chunk.push(write)
    keys.add(write.itemKey)
    bytes += write.bytes
  }
  return chunks
}
