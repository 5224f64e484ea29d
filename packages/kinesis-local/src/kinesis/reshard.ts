import { parseHashKey } from '@org/kinesis-core'
import { ServiceError } from '../service.js'
import type { KinesisContext } from './kinesis-context.js'
import { constraint, type Request } from './request.js'
import type { Shard } from './shard.js'
import type { Stream } from './stream.js'

export function splitShard({ streams, clock }: KinesisContext, request: Request): undefined {
  const stream = streams.active(request)
  checkProvisioned(stream)
  const shard = openShard(streams.shardOf(stream, request.string('ShardToSplit')), stream)
  const text = request.string('NewStartingHashKey')
  const at = parseHashKey(text)
  if (at === undefined) {
    throw constraint(
      'NewStartingHashKey',
      `'${text.slice(0, 60)}'`,
      'Member must satisfy regular expression pattern: 0|([1-9]\\d{0,38})',
    )
  }
  const { startingHashKey, endingHashKey } = shard.range
  if (at <= startingHashKey + 1n || at >= endingHashKey) {
    throw new ServiceError(
      'InvalidArgumentException',
      `NewStartingHashKey ${at} used in SplitShard() on shard ${shard.shardId} in stream ${stream.settings.name} is not both greater than one plus the shard's StartingHashKey ${startingHashKey} and less than the shard's EndingHashKey ${endingHashKey}.`,
    )
  }
  streams.checkShardLimit(1)
  stream.split(shard, at, clock.now())
  streams.begin(stream, 'UPDATING')
}

export function mergeShards({ streams, clock }: KinesisContext, request: Request): undefined {
  const stream = streams.active(request)
  checkProvisioned(stream)
  const first = openShard(streams.shardOf(stream, request.string('ShardToMerge')), stream)
  const second = openShard(streams.shardOf(stream, request.string('AdjacentShardToMerge')), stream)
  stream.merge(first, second, clock.now())
  streams.begin(stream, 'UPDATING')
}

export function updateShardCount({ streams, clock }: KinesisContext, request: Request): unknown {
  const stream = streams.active(request)
  checkProvisioned(stream)
  request.oneOf('ScalingType', ['UNIFORM_SCALING'])
  const target = request.integer('TargetShardCount', 1, 1_000_000)
  const current = stream.openShards.length
  if (target > current * 2 || target < current / 2) {
    const what = target > current ? 'up over double' : 'down below half'
    throw new ServiceError(
      'InvalidArgumentException',
      `UpdateShardCount cannot scale ${what} your current open shard count. Current open shard count: ${current} Target shard count: ${target}`,
    )
  }
  streams.checkShardLimit(target - current)
  stream.resize(target, clock.now())
  streams.begin(stream, 'UPDATING')
  const { name, arn } = stream.settings
  return { StreamName: name, StreamARN: arn, CurrentShardCount: current, TargetShardCount: target }
}

/** API reference, ValidationException: these operations are for provisioned streams alone. */
function checkProvisioned({ mode, settings }: Stream): void {
  if (mode === 'PROVISIONED') return
  throw new ServiceError(
    'ValidationException',
    `Request is invalid. Stream ${settings.name} under account ${settings.arn.split(':')[4]} is in On-Demand mode.`,
  )
}

function openShard(shard: Shard, stream: Stream): Shard {
  if (shard.isOpen) return shard
  throw new ServiceError(
    'ResourceInUseException',
    `Shard ${shard.shardId} in stream ${stream.settings.name} has already been merged or split, and thus is not eligible for merging or splitting.`,
  )
}
