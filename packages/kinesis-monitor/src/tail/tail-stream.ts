import { type KinesisMonitorOptions, resolveKinesisMonitorOptions } from '../monitor-options.js'
import { StreamTail } from './stream-tail.js'
import { resolveTailOptions, type TailOptions, tailOptionNames } from './tail-options.js'

export interface TailStreamOptions extends TailOptions, KinesisMonitorOptions {}

/**
 * The records of a stream as they come, over all its shards and through resharding.
 *
 * @example for await (const record of tailStream({ streamName: 'clicks', from: 'TRIM_HORIZON' })) console.log(record.data)
 */
export function tailStream(options: TailStreamOptions): StreamTail {
  const { streamName, source, closeSource, clock } = resolveKinesisMonitorOptions(options, tailOptionNames)
  const tailOptions = resolveTailOptions(options, clock.now())
  return new StreamTail(streamName, tailOptions, { source, clock, onClose: closeSource })
}
