import { shardMetrics } from '@org/kinesis-core'
import type { KinesisContext } from './kinesis-context.js'
import { notInEnum, type Request } from './request.js'

const NAMES: readonly string[] = Object.values(shardMetrics).map(({ name }) => name)

/** Switches metrics per shard on or off; ALL stands for every one. */
export function changeMonitoring({ streams }: KinesisContext, request: Request, enable: boolean): unknown {
  const stream = streams.active(request)
  const asked = request.strings('ShardLevelMetrics')
  const unknown = asked.find((name) => name !== 'ALL' && !NAMES.includes(name))
  if (unknown !== undefined) throw notInEnum('ShardLevelMetrics', unknown, [...NAMES, 'ALL'])
  const before = [...stream.shardLevelMetrics]
  for (const name of asked.includes('ALL') ? NAMES : asked) {
    if (enable) stream.shardLevelMetrics.add(name)
    else stream.shardLevelMetrics.delete(name)
  }
  streams.begin(stream, 'UPDATING')
  return {
    StreamName: stream.settings.name,
    StreamARN: stream.settings.arn,
    CurrentShardLevelMetrics: before,
    DesiredShardLevelMetrics: [...stream.shardLevelMetrics],
  }
}
