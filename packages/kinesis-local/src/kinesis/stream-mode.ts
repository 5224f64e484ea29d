import { ServiceError } from '../service.js'
import type { KinesisContext } from './kinesis-context.js'
import { constraint, missing, Request } from './request.js'
import type { Stream, StreamMode } from './stream.js'

/** MiB per second of an on-demand stream, unless the account asked for more (API reference, UpdateStreamWarmThroughput). */
const MAX_WARM_MIBPS = 10_240

const STRATEGIES = ['AUTO', 'USER_PARTITION_KEY'] as const

/** Switches between capacity modes; the stream keeps the shards it has (developer guide, "Switch between modes"). */
export function updateStreamMode(context: KinesisContext, request: Request): undefined {
  const stream = context.streams.active(request, 'StreamARN')
  const mode = streamMode(request)
  if (mode === undefined) throw missing('StreamModeDetails')
  const warm = warmThroughput(context, request, mode)
  if (mode === 'ON_DEMAND' && stream.mode !== mode) context.streams.checkOnDemandLimit()
  stream.mode = mode
  if (mode === 'PROVISIONED') {
    stream.warmMiBps = 0
    stream.distribution = 'USER_PARTITION_KEY'
  }
  if (warm !== undefined) warmUp(context, stream, warm)
  context.streams.begin(stream, 'UPDATING')
}

export function updateStreamWarmThroughput(context: KinesisContext, request: Request): unknown {
  const stream = context.streams.active(request)
  const warm = warmThroughput(context, request, stream.mode)
  if (warm === undefined) throw constraint('WarmThroughputMiBps', 'null', 'Member must not be null')
  warmUp(context, stream, warm)
  context.streams.begin(stream, 'UPDATING')
  const { name, arn } = stream.settings
  return { StreamName: name, StreamARN: arn, WarmThroughput: describeWarmThroughput(stream) }
}

export function updateRecordDistribution(context: KinesisContext, request: Request): undefined {
  const stream = context.streams.active(request, 'StreamARN')
  stream.distribution = recordDistribution(request, stream.mode) ?? stream.distribution
}

export function streamMode(request: Request): StreamMode | undefined {
  const details = request.object('StreamModeDetails')
  if (details === undefined) return undefined
  return new Request(details).oneOf<StreamMode>('StreamMode', ['PROVISIONED', 'ON_DEMAND'])
}

/** Checked before anything is changed. */
export function warmThroughput(
  { account }: KinesisContext,
  request: Request,
  mode: StreamMode,
): number | undefined {
  const warm = request.optionalInteger('WarmThroughputMiBps', 0, Number.MAX_SAFE_INTEGER)
  if (warm === undefined) return undefined
  if (mode === 'PROVISIONED') throw provisionedOnly('WarmThroughputMiBps is')
  if (!account.hasThroughputCommitment) {
    throw new ServiceError(
      'ValidationException',
      'Warm throughput needs MinimumThroughputBillingCommitment of the account. Enable it with UpdateAccountSettings.',
    )
  }
  if (warm > MAX_WARM_MIBPS) {
    throw new ServiceError(
      'LimitExceededException',
      `WarmThroughputMiBps ${warm} is above the limit of ${MAX_WARM_MIBPS}.`,
    )
  }
  return warm
}

/** Scales at once to the shards that take so much. */
function warmUp({ streams, clock }: KinesisContext, stream: Stream, warmMiBps: number): void {
  const more = warmMiBps - stream.openShards.length
  if (more > 0) {
    streams.checkShardLimit(more)
    stream.resize(warmMiBps, clock.now())
  }
  stream.warmMiBps = warmMiBps
}

export function describeWarmThroughput({ warmMiBps }: Stream) {
  return { TargetMiBps: warmMiBps, CurrentMiBps: warmMiBps }
}

export function recordDistribution(
  request: Request,
  mode: StreamMode,
): (typeof STRATEGIES)[number] | undefined {
  if (request.optionalString('RecordDistributionStrategy') === undefined) return undefined
  const strategy = request.oneOf('RecordDistributionStrategy', STRATEGIES)
  if (mode === 'PROVISIONED' && strategy === 'AUTO') {
    throw provisionedOnly('The record distribution strategy AUTO is')
  }
  return strategy
}

function provisionedOnly(what: string): ServiceError {
  return new ServiceError(
    'InvalidArgumentException',
    `${what} only supported for streams in ON_DEMAND capacity mode.`,
  )
}
