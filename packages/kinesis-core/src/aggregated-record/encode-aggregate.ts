import { AggregateBuilder } from './aggregate-builder.js'
import type { UserRecord } from './format.js'

/**
 * Packs user records into one aggregated record: `AggregateBuilder` in one call, for those who have all members at hand.
 * What is said there of members and shards holds here.
 */
export function encodeAggregate(records: readonly UserRecord[]): Uint8Array {
  const builder = new AggregateBuilder()
  for (const record of records) builder.add(record)
  return builder.finish()
}
