import { byNumber, type Reshard } from './scenario.ts'
import type { StreamReader } from './stream-content.ts'
import { STREAM_NAME } from './world.ts'

interface OpenShard {
  ShardId: string
  HashKeyRange: { StartingHashKey: string; EndingHashKey: string }
}

/** Splits, merges or resizes; what the service refuses, of a stream that is UPDATING say, is left out. */
export function reshard(what: Reshard, call: StreamReader['call']): void {
  try {
    change(what, call)
  } catch (error) {
    if ((error as { code?: string }).code === undefined) throw error
  }
}

function change({ kind, which, where }: Reshard, call: StreamReader['call']): void {
  const { Shards } = call('ListShards', { StreamName: STREAM_NAME, ShardFilter: { Type: 'AT_LATEST' } }) as {
    Shards: OpenShard[]
  }
  const open = Shards.toSorted((a, b) => byNumber(startOf(a), startOf(b)))
  const index = Math.floor(which * open.length)
  const shard = open[index]!
  if (kind === 'resize') {
    const least = Math.ceil(open.length / 2)
    const TargetShardCount = least + Math.floor(where * (2 * open.length - least + 1))
    call('UpdateShardCount', { StreamName: STREAM_NAME, TargetShardCount, ScalingType: 'UNIFORM_SCALING' })
  } else if (kind === 'split') {
    const start = BigInt(shard.HashKeyRange.StartingHashKey)
    const width = BigInt(shard.HashKeyRange.EndingHashKey) - start
    const NewStartingHashKey = String(start + (width * BigInt(Math.floor(where * 1_000_000))) / 1_000_000n)
    call('SplitShard', { StreamName: STREAM_NAME, ShardToSplit: shard.ShardId, NewStartingHashKey })
  } else {
    const AdjacentShardToMerge = open[index + 1]?.ShardId
    if (AdjacentShardToMerge === undefined) return
    call('MergeShards', { StreamName: STREAM_NAME, ShardToMerge: shard.ShardId, AdjacentShardToMerge })
  }
}

/** Exact enough to sort by. */
function startOf({ HashKeyRange }: OpenShard): number {
  return Number(HashKeyRange.StartingHashKey)
}
