import { kinesisQuotas } from '@org/kinesis-core'
import { describeShard } from './describe-stream.js'
import type { KinesisContext } from './kinesis-context.js'
import { invalidToken, pageToken, readPageToken, refuseBesideToken } from './page-token.js'
import { Request } from './request.js'
import type { Shard } from './shard.js'
import type { Stream } from './stream.js'

const FILTER_TYPES = [
  'AFTER_SHARD_ID',
  'AT_TRIM_HORIZON',
  'FROM_TRIM_HORIZON',
  'AT_LATEST',
  'AT_TIMESTAMP',
  'FROM_TIMESTAMP',
] as const

interface ListToken {
  streamName: string
  /** Tells the stream from a later one of its name. */
  generation: string
  after: string
  filter: Record<string, unknown> | undefined
}

export function listShards({ streams, clock }: KinesisContext, request: Request): unknown {
  const nowMs = clock.now()
  const token = readToken(request, nowMs)
  const stream = token === undefined ? streams.created(request) : streams.named(token.streamName)
  const { generation } = stream
  if (token === undefined) streams.checkCreationTime(stream, request)
  else if (token.generation !== generation) throw invalidToken()
  const after = token?.after ?? request.optionalString('ExclusiveStartShardId') ?? ''
  const filter = token === undefined ? request.object('ShardFilter') : token.filter
  const limit = Math.min(
    request.optionalInteger('MaxResults', 1, 10_000) ?? kinesisQuotas.maxListShards,
    kinesisQuotas.maxListShards,
  )
  const shards = filtered(stream, filter, nowMs).filter((shard) => shard.shardId > after)
  const page = shards.slice(0, limit)
  return {
    Shards: page.map(describeShard),
    ...(shards.length > limit
      ? {
          NextToken: pageToken(
            { streamName: stream.settings.name, generation, after: page.at(-1)!.shardId, filter },
            nowMs,
          ),
        }
      : {}),
  }
}

function filtered(stream: Stream, filter: Record<string, unknown> | undefined, nowMs: number): Shard[] {
  const readable = stream.readableShards(nowMs)
  if (filter === undefined) return readable
  const request = new Request(filter)
  const type = request.oneOf('Type', FILTER_TYPES)
  switch (type) {
    case 'AT_LATEST':
      return stream.openShards.sort((a, b) => (a.shardId < b.shardId ? -1 : 1))
    case 'AFTER_SHARD_ID': {
      const after = request.string('ShardId')
      return readable.filter((shard) => shard.shardId > after)
    }
    case 'AT_TRIM_HORIZON': {
      const horizonMs = stream.trimHorizonMs(nowMs)
      return readable.filter((shard) => isOpenAt(shard, horizonMs))
    }
    case 'FROM_TRIM_HORIZON':
      return readable
    case 'AT_TIMESTAMP': {
      const atMs = request.timestampMs('Timestamp')
      return readable.filter((shard) => isOpenAt(shard, atMs))
    }
    case 'FROM_TIMESTAMP': {
      const fromMs = request.timestampMs('Timestamp')
      return readable.filter(({ closedAtMs }) => closedAtMs === undefined || closedAtMs >= fromMs)
    }
  }
}

function isOpenAt({ createdAtMs, closedAtMs }: Shard, atMs: number): boolean {
  return createdAtMs <= atMs && (closedAtMs === undefined || closedAtMs >= atMs)
}

function readToken(request: Request, nowMs: number): ListToken | undefined {
  const text = request.optionalString('NextToken')
  if (text === undefined) return undefined
  refuseBesideToken(request, ['StreamName', 'StreamARN', 'ExclusiveStartShardId', 'StreamCreationTimestamp'])
  const { streamName, generation, after, filter } = readPageToken(text, nowMs)
  if (typeof streamName !== 'string' || typeof generation !== 'string' || typeof after !== 'string')
    throw invalidToken()
  return {
    streamName,
    generation,
    after,
    filter: typeof filter === 'object' && filter !== null ? (filter as Record<string, unknown>) : undefined,
  }
}
