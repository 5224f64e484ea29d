import { setTimeout as sleep } from 'node:timers/promises'
import type { Local } from '@org/kinesis-local'
import { readStream, type StreamContent } from './chaos/stream-content.js'

/** Everything that a stream holds, read in process. */
export function contentOf(local: Local, streamName = 'orders'): Promise<StreamContent> {
  return readStream(streamName, {
    call: (operation, input) => local.kinesis.call(operation, input),
    wait: (ms) => sleep(ms),
  })
}

export interface Stored {
  shardId: string
  sequenceNumber: string
  partitionKey: string
  data: string
}

/** Its records, shard by shard in their order: what a consumer would see. */
export async function storedIn(local: Local, streamName?: string): Promise<Stored[]> {
  const { records } = await contentOf(local, streamName)
  return records.map(({ holder: { shardId, sequenceNumber }, partitionKey, data }) => ({
    shardId,
    sequenceNumber,
    partitionKey,
    data: Buffer.from(data).toString(),
  }))
}
