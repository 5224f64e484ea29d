/** A shard as ListShards describes it. */
export interface ListedShard {
  shardId: string
  parentShardId?: string | undefined
  adjacentParentShardId?: string | undefined
  /** True once a split or a merge closed it. */
  isClosed: boolean
}

/** `reading`: a reader is on it. `done`: everything in it is resolved, or it is not to be read. */
export type ShardStatus = 'reading' | 'done'

/** Where a mapping begins to read, as CreateEventSourceMapping names it. */
export type StartingPosition = 'TRIM_HORIZON' | 'LATEST' | 'AT_TIMESTAMP'

export interface ShardPlan {
  /** Shards to start reading now, in the order listed, and where. */
  start: { shardId: string; position: StartingPosition }[]
  /** Closed shards that a reader from LATEST passes over. */
  skip: string[]
}

/**
 * Which shards may be read now. A child waits until its parents are resolved to their ends, so that records of a partition key keep
 * their order across splits and merges; a parent that is no longer listed has expired and holds nobody back.
 *
 * @param listed all shards of the stream; for AT_TIMESTAMP those that were open at that time or later (`FROM_TIMESTAMP` of ListShards)
 * @param known the shards met so far; empty at the first call, the only one at which LATEST means the tip: shards that appear later
 * are children of shards that were read, and all of their records are new
 */
export function planShards(
  listed: readonly ListedShard[],
  known: ReadonlyMap<string, ShardStatus>,
  startingPosition: StartingPosition,
): ShardPlan {
  if (known.size === 0 && startingPosition === 'LATEST') {
    return {
      start: listed
        .filter((shard) => !shard.isClosed)
        .map(({ shardId }) => ({ shardId, position: 'LATEST' as const })),
      skip: listed.filter((shard) => shard.isClosed).map((shard) => shard.shardId),
    }
  }
  const ids = new Set(listed.map((shard) => shard.shardId))
  // A child of a shard that was read is new as a whole, and its arrival times, which are approximate, need not be asked.
  const positionOf = ({ parentShardId }: ListedShard) =>
    startingPosition === 'AT_TIMESTAMP' && !(parentShardId !== undefined && known.has(parentShardId))
      ? 'AT_TIMESTAMP'
      : 'TRIM_HORIZON'
  const holdsBack = (parent: string | undefined) =>
    parent !== undefined && known.get(parent) !== 'done' && (ids.has(parent) || known.has(parent))
  return {
    start: listed
      .filter((shard) => !known.has(shard.shardId))
      .filter((shard) => !holdsBack(shard.parentShardId) && !holdsBack(shard.adjacentParentShardId))
      .map((shard) => ({ shardId: shard.shardId, position: positionOf(shard) })),
    skip: [],
  }
}
