import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
  PutRecordCommand,
} from '@aws-sdk/client-kinesis'
import { SQSClient } from '@aws-sdk/client-sqs'
import { type FaultPlan, startLocal } from '@org/kinesis-local'
import { fileRejectedSink } from '../src/rejected/file-rejected-sink.js'
import { fileRejectedSource } from '../src/rejected/file-rejected-source.js'
import type { RejectedEntry, RejectedSource } from '../src/rejected/rejected-source.js'
import type { RejectedRecord, RejectedSink } from '../src/rejected-record.js'
import { s3RejectedSink, s3RejectedSource } from '../src/s3.js'
import { sqsRejectedSink, sqsRejectedSource } from '../src/sqs.js'
import { startS3 } from './s3-fixture.js'

export type StoreKind = 'file' | 's3' | 's3 gzip' | 'sqs'
export const storeKinds: readonly StoreKind[] = ['file', 's3', 's3 gzip', 'sqs']

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

const time = { remainingMs: () => 60_000 }

/** A stream, and the places where rejected records are kept, all over the wire. */
export async function startReplay(
  options: { faults?: FaultPlan; s3Fault?: Parameters<typeof startS3>[0] } = {},
) {
  const folder = await mkdtemp(join(tmpdir(), 'kinesis-processor-'))
  const local = await startLocal({
    streams: [{ name: 'orders', shards: 2 }],
    queues: ['rejected'],
    ...(options.faults === undefined ? {} : { faults: options.faults }),
  })
  const s3 = await startS3(options.s3Fault)
  const connection = {
    endpoint: local.url,
    region: local.region,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  }
  const sqs = new SQSClient(connection)
  const kinesis = new KinesisClient(connection)
  const file = join(folder, 'rejected.ndjson')
  const queueUrl = local.queueUrl('rejected')

  const sinks: Record<StoreKind, RejectedSink> = {
    file: fileRejectedSink({ folder }),
    s3: s3RejectedSink({ client: s3.client, bucket: 'kept' }),
    's3 gzip': s3RejectedSink({ client: s3.client, bucket: 'kept', gzip: true }),
    sqs: sqsRejectedSink({ client: sqs, queueUrl }),
  }
  /** As another process sees it. */
  const source = (kind: StoreKind): RejectedSource => {
    if (kind === 'file') return fileRejectedSource({ file })
    if (kind === 'sqs') return sqsRejectedSource({ client: sqs, queueUrl })
    return s3RejectedSource({ client: s3.client, bucket: 'kept' })
  }

  return {
    local,
    s3,
    sqs,
    kinesis,
    folder,
    file,
    queueUrl,
    source,
    destination: {
      put: ({ partitionKey, data }: { partitionKey: string; data: Uint8Array }) =>
        kinesis.send(new PutRecordCommand({ StreamName: 'orders', PartitionKey: partitionKey, Data: data })),
    },
    async keep(kind: StoreKind, records: readonly RejectedRecord[]) {
      const results = await sinks[kind].write(records, time)
      if (!results.every(({ stored }) => stored)) throw new Error('not kept', { cause: results })
    },
    /** Everything that lies there. */
    async kept(kind: StoreKind): Promise<RejectedEntry[]> {
      const from = source(kind)
      const found = await all(from.entries())
      await from.release()
      return found
    },
    /** What the stream holds, shard by shard. */
    async streamed(): Promise<{ partitionKey: string; data: Buffer }[]> {
      const { Shards = [] } = await kinesis.send(new ListShardsCommand({ StreamName: 'orders' }))
      const perShard = await Promise.all(
        Shards.map(async ({ ShardId }) => {
          const place = { StreamName: 'orders', ShardId, ShardIteratorType: 'TRIM_HORIZON' as const }
          const { ShardIterator } = await kinesis.send(new GetShardIteratorCommand(place))
          const { Records = [] } = await kinesis.send(new GetRecordsCommand({ ShardIterator }))
          return Records.map(({ PartitionKey, Data }) => ({
            partitionKey: PartitionKey!,
            data: Buffer.from(Data!),
          }))
        }),
      )
      return perShard.flat()
    },
    async [Symbol.asyncDispose]() {
      sqs.destroy()
      kinesis.destroy()
      await s3[Symbol.asyncDispose]()
      await local.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
