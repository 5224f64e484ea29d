import { decodeAggregate } from '../aggregated-record/decode-aggregate.js'
import { type HashKeyRange, parseHashKey, partitionKeyHash } from '../hash-key.js'

/** What a mapping with enhanced fan-out makes of one Kinesis record. */
export interface Deaggregated<R> {
  /** In their order; the record itself where it is no aggregate. They share its sequence number. */
  members: R[]
  /** Members that belong to another shard by their hash key. */
  strays: number
}

/**
 * Unpacks an aggregate of KPL, as Lambda does for consumers of enhanced fan-out and not for standard iterators. Members whose hash key lies
 * outside the shard are dropped, with no failure destination: after a reshard they would be read twice. A broken aggregate stays as it is.
 */
export function deaggregate<R extends { partitionKey: string; data: Uint8Array }>(
  record: R,
  shard: HashKeyRange,
): Deaggregated<R> {
  const decoded = decodeAggregate(record.data)
  if (decoded.kind !== 'aggregated') return { members: [record], strays: 0 }
  const members: R[] = []
  for (const { partitionKey, explicitHashKey, data } of decoded.records) {
    const explicit = explicitHashKey === undefined ? undefined : parseHashKey(explicitHashKey)
    const hashKey = explicit ?? partitionKeyHash(partitionKey)
    if (hashKey >= shard.startingHashKey && hashKey <= shard.endingHashKey) {
      members.push({ ...record, partitionKey, data })
    }
  }
  return { members, strays: decoded.records.length - members.length }
}
