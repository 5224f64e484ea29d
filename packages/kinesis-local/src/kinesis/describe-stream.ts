import type { KinesisContext } from './kinesis-context.js'
import { consumersOf } from './manage-consumers.js'
import type { Request } from './request.js'
import type { Shard } from './shard.js'
import type { Stream } from './stream.js'
import { describeWarmThroughput } from './stream-mode.js'

export function describeStream({ streams, clock }: KinesisContext, request: Request): unknown {
  const stream = streams.of(request)
  const limit = pageLimit(request)
  const start = request.optionalString('ExclusiveStartShardId') ?? ''
  const status = streams.statusOf(stream)
  // A stream that is CREATING has none yet.
  const readable = status === 'CREATING' ? [] : stream.readableShards(clock.now())
  const shards = readable.filter((shard) => shard.shardId > start)
  return {
    StreamDescription: {
      ...describe(stream, status),
      Shards: shards.slice(0, limit).map(describeShard),
      HasMoreShards: shards.length > limit,
    },
  }
}

/** "If you specify a value greater than 100, at most 100 results are returned" (API reference, DescribeStream and ListStreams). */
export function pageLimit(request: Request): number {
  return Math.min(request.optionalInteger('Limit', 1, 10_000) ?? 100, 100)
}

export function describeStreamSummary({ streams, clock }: KinesisContext, request: Request): unknown {
  const stream = streams.of(request)
  const status = streams.statusOf(stream)
  return {
    StreamDescriptionSummary: {
      ...describe(stream, status),
      OpenShardCount: status === 'CREATING' ? 0 : stream.openShards.length,
      ConsumerCount: consumersOf(stream, clock.now()).length,
      MaxRecordSizeInKiB: stream.maxRecordBytes / 1024,
      ...(stream.mode === 'ON_DEMAND' ? { RecordDistributionStrategy: stream.distribution } : {}),
      ...(stream.warmMiBps > 0 ? { WarmThroughput: describeWarmThroughput(stream) } : {}),
    },
  }
}

export function streamSummary(stream: Stream, status: string) {
  const { name, arn, createdAtMs } = stream.settings
  return {
    StreamName: name,
    StreamARN: arn,
    StreamStatus: status,
    StreamModeDetails: { StreamMode: stream.mode },
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

function describe(stream: Stream, status: string) {
  const { type, keyId } = stream.encryption
  return {
    ...streamSummary(stream, status),
    RetentionPeriodHours: stream.retentionHours,
    EnhancedMonitoring: [{ ShardLevelMetrics: [...stream.shardLevelMetrics] }],
    EncryptionType: type,
    ...(keyId === undefined ? {} : { KeyId: keyId }),
  }
}

function hashKeyRange({ range }: Shard) {
  return { StartingHashKey: String(range.startingHashKey), EndingHashKey: String(range.endingHashKey) }
}
