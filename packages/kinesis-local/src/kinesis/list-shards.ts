import { kinesisQuotas } from '@org/kinesis-core'
import { ServiceError } from '../service.js'
import { describeShard } from './describe-stream.js'
import type { KinesisContext } from './kinesis-context.js'
import { Request } from './request.js'
import type { Shard } from './shard.js'
import type { Stream } from './stream.js'

/** A token lives as long as an iterator (API reference, ListShards). */
const TOKEN_LIFETIME_MS = 300_000

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
  after: string
  filter: Record<string, unknown> | undefined
  issuedAtMs: number
}

export function listShards({ streams, clock }: KinesisContext, request: Request): unknown {
  const nowMs = clock.now()
  const token = readToken(request, nowMs)
  const stream = token === undefined ? streams.of(request) : streams.named(token.streamName)
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
          NextToken: encodeToken({
            streamName: stream.settings.name,
            after: page.at(-1)!.shardId,
            filter,
            issuedAtMs: nowMs,
          }),
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
  if (request.optionalString('StreamName') !== undefined) {
    throw new ServiceError(
      'InvalidArgumentException',
      'NextToken and StreamName cannot be provided together.',
    )
  }
  const token = decodeToken(text)
  if (token === undefined) throw new ServiceError('InvalidArgumentException', 'Invalid NextToken.')
  if (nowMs - token.issuedAtMs > TOKEN_LIFETIME_MS) {
    throw new ServiceError('ExpiredNextTokenException', 'NextToken expired.')
  }
  return token
}

function encodeToken(token: ListToken): string {
  return Buffer.from(JSON.stringify(token)).toString('base64')
}

function decodeToken(text: string): ListToken | undefined {
  let token: Partial<ListToken> | null
  try {
    token = JSON.parse(Buffer.from(text, 'base64').toString('utf8'))
  } catch {
    return undefined
  }
  if (typeof token !== 'object' || token === null) return undefined
  const { streamName, after, filter, issuedAtMs } = token
  if (typeof streamName !== 'string' || typeof after !== 'string' || typeof issuedAtMs !== 'number') {
    return undefined
  }
  return {
    streamName,
    after,
    filter: typeof filter === 'object' && filter !== null ? filter : undefined,
    issuedAtMs,
  }
}
