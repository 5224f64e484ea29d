import type { KinesisContext } from './kinesis-context.js'
import { consumersOf } from './manage-consumers.js'
import type { Request } from './request.js'
import type { Shard } from './shard.js'
import type { Stream } from './stream.js'

export function describeStream({ streams, clock }: KinesisContext, request: Request): unknown {
  const stream = streams.of(request)
  const limit = request.optionalInteger('Limit', 1, 10_000) ?? 100
  const start = request.optionalString('ExclusiveStartShardId') ?? ''
  const shards = stream.readableShards(clock.now()).filter((shard) => shard.shardId > start)
  return {
    StreamDescription: {
      ...describe(stream),
      Shards: shards.slice(0, limit).map(describeShard),
      HasMoreShards: shards.length > limit,
    },
  }
}

export function describeStreamSummary({ streams, clock }: KinesisContext, request: Request): unknown {
  const stream = streams.of(request)
  return {
    StreamDescriptionSummary: {
      ...describe(stream),
      OpenShardCount: stream.openShards.length,
      ConsumerCount: consumersOf(stream, clock.now()).length,
      MaxRecordSizeInKiB: stream.maxRecordBytes / 1024,
    },
  }
}

export function streamSummary(stream: Stream) {
  const { name, arn, createdAtMs, streamMode } = stream.settings
  return {
    StreamName: name,
    StreamARN: arn,
    StreamStatus: 'ACTIVE',
    StreamModeDetails: { StreamMode: streamMode },
    StreamCreationTimestamp: createdAtMs / 1000,
  }
}

export function describeShard(shard: Shard) {
  const { parentShardId, adjacentParentShardId } = shard.parents
  const { startingSequenceNumber, endingSequenceNumber } = shard
  return {
    ShardId: shard.shardId,
    HashKeyRange: hashKeyRange(shard),
    ...(parentShardId === undefined ? {} : { ParentShardId: parentShardId }),
    ...(adjacentParentShardId === undefined ? {} : { AdjacentParentShardId: adjacentParentShardId }),
    SequenceNumberRange: {
      StartingSequenceNumber: startingSequenceNumber,
      ...(endingSequenceNumber === undefined ? {} : { EndingSequenceNumber: endingSequenceNumber }),
    },
  }
}

export function describeChild(shard: Shard) {
  const { parentShardId, adjacentParentShardId } = shard.parents
  return {
    ShardId: shard.shardId,
    ParentShards: [parentShardId, adjacentParentShardId].filter((id) => id !== undefined),
    HashKeyRange: hashKeyRange(shard),
  }
}

function describe(stream: Stream) {
  return {
    ...streamSummary(stream),
    RetentionPeriodHours: stream.retentionHours,
    EnhancedMonitoring: [{ ShardLevelMetrics: [...stream.shardLevelMetrics] }],
    EncryptionType: 'NONE',
  }
}

function hashKeyRange({ range }: Shard) {
  return { StartingHashKey: String(range.startingHashKey), EndingHashKey: String(range.endingHashKey) }
}
