import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, systemClock } from '@org/kinesis-core'
import { KinesisService } from '../src/kinesis/kinesis-service.js'

export const STREAM = 'orders'

/** A stream of our own service, in process, with what tests do to streams. */
export function aStream({
  shards = 1,
  clock = systemClock,
  shardLimits = false,
}: {
  shards?: number
  clock?: Clock
  shardLimits?: boolean
} = {}) {
  const service = new KinesisService({ clock, shardLimits })
  service.call('CreateStream', { StreamName: STREAM, ShardCount: shards })
  return {
    service,
    put(partitionKey: string, data: string | Uint8Array, explicitHashKey?: string) {
      return service.call('PutRecord', {
        StreamName: STREAM,
        PartitionKey: partitionKey,
        Data: typeof data === 'string' ? Buffer.from(data) : data,
        ...(explicitHashKey === undefined ? {} : { ExplicitHashKey: explicitHashKey }),
      }) as { ShardId: string; SequenceNumber: string }
    },
    putMany(count: number, keyOf: (index: number) => string, dataOf: (index: number) => string = String) {
      for (let start = 0; start < count; start += 500) {
        service.call('PutRecords', {
          StreamName: STREAM,
          Records: Array.from({ length: Math.min(500, count - start) }, (_, index) => ({
            PartitionKey: keyOf(start + index),
            Data: Buffer.from(dataOf(start + index)),
          })),
        })
      }
    },
  }
}

/** A folder that is gone after the test. */
export async function aFolder(cleanup: (() => Promise<unknown>)[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kinesis-local-'))
  cleanup.push(() => rm(folder, { recursive: true, force: true }))
  return folder
}
