import { AggregateBuilder, decodeAggregate, type RecordTag } from '@org/kinesis-core'
import { type HashedKey, hashPartitionKey, parseHashedKey } from './hashed-key.js'
import { PendingEntry } from './pending-entry.js'
import type { KeyBucket, ShardMap } from './shard-map.js'

/** A record of the user's, as it was put. */
export interface EntryMember {
  partitionKey: string
  explicitHashKey?: string
  data: Uint8Array
  tags?: readonly RecordTag[]
}

/** The records that an entry carries, in their order. An aggregate is unpacked for it, which is rare: on failures and after a reshard. */
export function membersOf(entry: PendingEntry): EntryMember[] {
  if (!entry.isAggregate) {
    const { partitionKey, explicitHashKey, data } = entry
    return [{ partitionKey, ...(explicitHashKey === undefined ? {} : { explicitHashKey }), data }]
  }
  const decoded = decodeAggregate(entry.data)
  if (decoded.kind !== 'aggregated') throw new Error('An aggregate of our own cannot be unpacked.')
  return decoded.records
}

export function hashedKeyOf({ partitionKey, explicitHashKey }: EntryMember): HashedKey {
  return explicitHashKey === undefined ? hashPartitionKey(partitionKey) : parseHashedKey(explicitHashKey)
}

/**
 * An aggregate whose bucket has been divided between shards, as entries that each fall into one; their records keep their order, their
 * promises, their places in the spool and what their attempts have shown. Records of no known shard go alone.
 */
export function divideEntry(entry: PendingEntry, map: ShardMap): PendingEntry[] {
  const groups = new Map<KeyBucket | number, { bucket: KeyBucket | undefined; members: number[] }>()
  const members = membersOf(entry)
  const keys = members.map(hashedKeyOf)
  for (const [index, key] of keys.entries()) {
    const bucket = map.bucketOf(key)
    const group = groups.get(bucket ?? index)
    if (group === undefined) groups.set(bucket ?? index, { bucket, members: [index] })
    else group.members.push(index)
  }
  return [...groups.values()].map(({ bucket, members: chosen }) => {
    const first = chosen[0]!
    const { partitionKey, explicitHashKey, data } = members[first]!
    const keyBytes = Buffer.byteLength(partitionKey)
    const record = { partitionKey, explicitHashKey, key: keys[first]!, keyBytes, data }
    const part = new PendingEntry(record, entry.putAtMs, entry.expiresAtMs)
    if (bucket !== undefined && (chosen.length > 1 || members[first]!.tags?.length)) {
      const builder = new AggregateBuilder()
      for (const index of chosen) builder.add(members[index]!)
      part.carryAggregate(builder, bucket)
    } else part.carry(record)
    if (entry.settlers !== undefined) {
      part.settlers = chosen.flatMap((index) => entry.settlers!.slice(index * 2, index * 2 + 2))
    }
    if (entry.positions !== undefined) part.positions = chosen.map((index) => entry.positions![index]!)
    part.attempts = entry.attempts
    part.history = entry.history
    part.maybeDelivered = entry.maybeDelivered
    part.lastFault = entry.lastFault
    part.epoch = entry.epoch
    return part
  })
}
