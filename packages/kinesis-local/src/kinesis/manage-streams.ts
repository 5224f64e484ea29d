import { kinesisQuotas } from '@org/kinesis-core'
import { ServiceError } from '../service.js'
import { pageLimit, streamSummary } from './describe-stream.js'
import type { KinesisContext } from './kinesis-context.js'
import { consumersOf } from './manage-consumers.js'
import { ON_DEMAND_SHARDS } from './on-demand-scaling.js'
import { missing, type Request } from './request.js'
import { recordDistribution, streamMode, warmThroughput } from './stream-mode.js'
import { ON_DEMAND_STREAM_LIMIT, SHARD_LIMIT, streamName } from './stream-registry.js'
import { endSubscriptions } from './subscribe-to-shard.js'
import { addTags } from './tags.js'

export function createStream(context: KinesisContext, request: Request): undefined {
  const { streams, clock, transitionMs } = context
  const name = streamName(request.string('StreamName'))
  const mode = streamMode(request) ?? 'PROVISIONED'
  const shardCount = request.optionalInteger('ShardCount', 1, 1_000_000)
  if (mode === 'ON_DEMAND' && shardCount !== undefined) {
    throw new ServiceError(
      'InvalidArgumentException',
      'ShardCount must not be provided for a stream in ON_DEMAND mode.',
    )
  }
  if (mode === 'PROVISIONED' && shardCount === undefined) {
    throw new ServiceError(
      'InvalidArgumentException',
      'ShardCount must be provided for a stream in PROVISIONED mode.',
    )
  }
  if (mode === 'ON_DEMAND') streams.checkOnDemandLimit()
  const tags = new Map<string, string>()
  addTags(tags, request.object('Tags') ?? {})
  const maxRecordBytes = recordSizeBytes(request)
  const warm = warmThroughput(context, request, mode)
  const distribution = recordDistribution(request, mode)
  const stream = streams.create({
    name,
    shardCount: shardCount ?? Math.max(ON_DEMAND_SHARDS, warm ?? 0),
    retentionHours: kinesisQuotas.minRetentionHours,
    createdAtMs: clock.now(),
    streamMode: mode,
    creatingMs: transitionMs,
    ...(maxRecordBytes === undefined ? {} : { maxRecordBytes }),
  })
  stream.warmMiBps = warm ?? 0
  if (distribution !== undefined) stream.distribution = distribution
  for (const [key, value] of tags) stream.tags.set(key, value)
}

export function deleteStream({ streams, clock }: KinesisContext, request: Request): undefined {
  const stream = streams.active(request)
  const consumers = consumersOf(stream, clock.now()).length
  if (consumers > 0 && request.optionalBoolean('EnforceConsumerDeletion') !== true) {
    throw new ServiceError(
      'ResourceInUseException',
      `Stream ${stream.settings.name} under account ${streams.accountId} has ${consumers} registered consumers. Deregister them, or set EnforceConsumerDeletion.`,
    )
  }
  for (const consumer of stream.consumers.values()) endSubscriptions(consumer)
  streams.begin(stream, 'DELETING')
}

export function listStreams({ streams }: KinesisContext, request: Request): unknown {
  const limit = pageLimit(request)
  const start =
    request.optionalString('NextToken') ?? request.optionalString('ExclusiveStartStreamName') ?? ''
  const rest = [...streams.all]
    .filter(({ settings }) => settings.name > start)
    .sort((a, b) => (a.settings.name < b.settings.name ? -1 : 1))
  const page = rest.slice(0, limit)
  const hasMore = rest.length > limit
  return {
    StreamNames: page.map(({ settings }) => settings.name),
    HasMoreStreams: hasMore,
    ...(hasMore ? { NextToken: page.at(-1)!.settings.name } : {}),
    StreamSummaries: page.map((stream) => streamSummary(stream, streams.statusOf(stream))),
  }
}

export function describeLimits({ streams }: KinesisContext): unknown {
  const onDemand = [...streams.all].filter(({ mode }) => mode === 'ON_DEMAND')
  return {
    ShardLimit: SHARD_LIMIT,
    OpenShardCount: streams.openShardCount,
    OnDemandStreamCount: onDemand.length,
    OnDemandStreamCountLimit: ON_DEMAND_STREAM_LIMIT,
  }
}

export function changeRetention(
  { streams, clock }: KinesisContext,
  request: Request,
  direction: 'increase' | 'decrease',
): undefined {
  const stream = streams.active(request)
  const { minRetentionHours, maxRetentionHours } = kinesisQuotas
  const hours = request.integer('RetentionPeriodHours', 1, maxRetentionHours)
  if (hours < minRetentionHours) {
    throw new ServiceError(
      'InvalidArgumentException',
      `Minimum allowed retention period is ${minRetentionHours} hours. Requested retention period (${hours} hours) is too short.`,
    )
  }
  const isWrong = direction === 'increase' ? hours < stream.retentionHours : hours > stream.retentionHours
  if (isWrong) {
    throw new ServiceError(
      'InvalidArgumentException',
      `Requested retention period (${hours} hours) for stream ${stream.settings.name} can not be ${direction === 'increase' ? 'shorter' : 'longer'} than existing retention period (${stream.retentionHours} hours). Use ${direction === 'increase' ? 'Decrease' : 'Increase'}RetentionPeriod API.`,
    )
  }
  stream.retain(hours, clock.now())
  streams.begin(stream, 'UPDATING')
}

export function updateMaxRecordSize({ streams }: KinesisContext, request: Request): undefined {
  const stream = streams.active(request)
  const bytes = recordSizeBytes(request)
  if (bytes === undefined) throw missing('MaxRecordSizeInKiB')
  stream.maxRecordBytes = bytes
  streams.begin(stream, 'UPDATING')
}

function recordSizeBytes(request: Request): number | undefined {
  const { defaultMaxRecordBytes, maxRecordBytes } = kinesisQuotas
  const kib = request.optionalInteger(
    'MaxRecordSizeInKiB',
    defaultMaxRecordBytes / 1024,
    maxRecordBytes / 1024,
  )
  return kib === undefined ? undefined : kib * 1024
}
