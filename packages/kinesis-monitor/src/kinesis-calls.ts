import {
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type GetShardIteratorCommandInput,
  type KinesisClient,
  ListShardsCommand,
  type Shard,
} from '@aws-sdk/client-kinesis'
import { kinesisQuotas } from '@org/kinesis-core'
import type { Caller } from './caller.js'
import type {
  CallOptions,
  ShardDescription,
  ShardPosition,
  ShardRead,
  StreamDescription,
} from './monitor-source.js'

const HOUR_MS = 3_600_000

export async function describeStream(
  client: KinesisClient,
  caller: Caller,
  streamName: string,
  call: CallOptions = {},
): Promise<StreamDescription> {
  const { StreamDescriptionSummary: summary } = await caller(
    'kinesis:DescribeStreamSummary',
    streamName,
    () => client.send(new DescribeStreamSummaryCommand({ StreamName: streamName }), abort(call)),
    call,
  )
  return {
    streamName,
    streamArn: summary?.StreamARN ?? '',
    status: summary?.StreamStatus ?? 'CREATING',
    mode: summary?.StreamModeDetails?.StreamMode ?? 'PROVISIONED',
    retentionMs: (summary?.RetentionPeriodHours ?? kinesisQuotas.minRetentionHours) * HOUR_MS,
    openShardCount: summary?.OpenShardCount ?? 0,
    registeredConsumerCount: summary?.ConsumerCount ?? 0,
  }
}

export async function listShards(
  client: KinesisClient,
  caller: Caller,
  streamName: string,
  call: CallOptions = {},
): Promise<ShardDescription[]> {
  const shards: ShardDescription[] = []
  let token: string | undefined
  do {
    // A token stands for the stream: the API refuses both together.
    const input = token === undefined ? { StreamName: streamName } : { NextToken: token }
    const page = await caller(
      'kinesis:ListShards',
      streamName,
      () => client.send(new ListShardsCommand(input), abort(call)),
      call,
    )
    shards.push(...(page.Shards ?? []).map(toShardDescription))
    token = page.NextToken
  } while (token !== undefined)
  return shards
}

export async function openShard(
  client: KinesisClient,
  caller: Caller,
  streamName: string,
  shardId: string,
  position: ShardPosition,
  call: CallOptions = {},
): Promise<string> {
  const input: GetShardIteratorCommandInput = {
    StreamName: streamName,
    ShardId: shardId,
    ShardIteratorType: position.type,
    ...(position.type === 'AT_TIMESTAMP' ? { Timestamp: new Date(position.timestampMs) } : {}),
    ...(position.type === 'AFTER_SEQUENCE_NUMBER' ? { StartingSequenceNumber: position.sequenceNumber } : {}),
  }
  const { ShardIterator } = await caller(
    'kinesis:GetShardIterator',
    streamName,
    () => client.send(new GetShardIteratorCommand(input), abort(call)),
    call,
  )
  return ShardIterator ?? ''
}

export async function readShard(
  client: KinesisClient,
  caller: Caller,
  streamName: string,
  iterator: string,
  limit: number,
  call: CallOptions = {},
): Promise<ShardRead> {
  const read = await caller(
    'kinesis:GetRecords',
    streamName,
    () => client.send(new GetRecordsCommand({ ShardIterator: iterator, Limit: limit }), abort(call)),
    { ...call, maxAttempts: 1 },
  )
  return {
    records: (read.Records ?? []).map((record) => ({
      sequenceNumber: record.SequenceNumber ?? '',
      partitionKey: record.PartitionKey ?? '',
      data: record.Data ?? new Uint8Array(),
      arrivalMs: record.ApproximateArrivalTimestamp?.getTime() ?? 0,
    })),
    nextIterator: read.NextShardIterator,
    millisBehindLatest: read.MillisBehindLatest ?? 0,
    childShards: (read.ChildShards ?? []).map((child) => ({
      shardId: child.ShardId ?? '',
      parentShardIds: child.ParentShards ?? [],
    })),
  }
}

function toShardDescription(shard: Shard): ShardDescription {
  const parents = [shard.ParentShardId, shard.AdjacentParentShardId]
  return {
    shardId: shard.ShardId ?? '',
    parentShardIds: parents.filter((parent) => parent !== undefined),
    startingHashKey: BigInt(shard.HashKeyRange?.StartingHashKey ?? 0),
    endingHashKey: BigInt(shard.HashKeyRange?.EndingHashKey ?? 0),
    state: shard.SequenceNumberRange?.EndingSequenceNumber === undefined ? 'open' : 'closed',
  }
}

function abort(call: CallOptions): { abortSignal?: AbortSignal } {
  return call.signal === undefined ? {} : { abortSignal: call.signal }
}
