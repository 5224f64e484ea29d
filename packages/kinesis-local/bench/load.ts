import { randomBytes } from 'node:crypto'
import {
  GetRecordsCommand,
  type GetRecordsOutput,
  GetShardIteratorCommand,
  KinesisClient,
  PutRecordsCommand,
} from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'

/** What a client process is asked to do. */
export interface Load {
  url: string
  stream: string
  kind: 'put' | 'get'
  calls: number
  /** Shards to read, one for each call in flight; for puts only their number counts. */
  shards: string[]
}

export interface LoadResult {
  records: number
  /** Milliseconds since the epoch. */
  startedAtMs: number
  endedAtMs: number
}

export const RECORDS_IN_A_CALL = 500
const RECORD_BYTES = 300
/** Of each call in flight, before the clock runs; fewer where there are few calls, as a side may slow down by what it stored. */
const WARM_UP_CALLS = 10

// Forked by the bench: a client of its own in a process of its own.
process.on('message', (load: Load) => {
  run(load).then(
    (result) => process.send!(result),
    (error: Error) => {
      console.error(error)
      process.exit(1)
    },
  )
})
process.on('disconnect', () => process.exit())

async function run({ url, stream, kind, calls, shards }: Load): Promise<LoadResult> {
  const client = new KinesisClient({
    endpoint: url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    requestHandler: new NodeHttpHandler(),
    maxAttempts: 1,
  })
  const workers = shards.map((shard) =>
    kind === 'put' ? putter(client, stream) : getter(client, stream, shard),
  )
  await Promise.all(
    workers.map(async (call) => {
      for (let warm = 0; warm < Math.min(WARM_UP_CALLS, Math.ceil(calls / 20)); warm++) await call()
    }),
  )
  let left = calls
  let records = 0
  const startedAtMs = performance.timeOrigin + performance.now()
  await Promise.all(
    workers.map(async (call) => {
      while (left-- > 0) {
        // Not `records += await call()`: that takes the sum from before the wait, and loses what the other calls added meanwhile.
        const count = await call()
        records += count
      }
    }),
  )
  return { records, startedAtMs, endedAtMs: performance.timeOrigin + performance.now() }
}

function putter(client: KinesisClient, StreamName: string): () => Promise<number> {
  const bodies = Array.from({ length: 4 }, () =>
    Array.from({ length: RECORDS_IN_A_CALL }, () => ({
      PartitionKey: randomBytes(8).toString('hex'),
      Data: randomBytes(RECORD_BYTES),
    })),
  )
  let next = 0
  return async () => {
    const Records = bodies[next++ % bodies.length]!
    const { FailedRecordCount } = await client.send(new PutRecordsCommand({ StreamName, Records }))
    if (FailedRecordCount) throw new Error(`${FailedRecordCount} records failed.`)
    return Records.length
  }
}

/** Reads a shard from its beginning, again and again. */
function getter(client: KinesisClient, StreamName: string, ShardId: string): () => Promise<number> {
  let ShardIterator: string | undefined
  return async () => {
    ShardIterator ??= (
      await client.send(
        new GetShardIteratorCommand({ StreamName, ShardId, ShardIteratorType: 'TRIM_HORIZON' }),
      )
    ).ShardIterator
    const page: GetRecordsOutput = await client.send(
      new GetRecordsCommand({ ShardIterator, Limit: RECORDS_IN_A_CALL }),
    )
    const count = page.Records?.length ?? 0
    ShardIterator = count < RECORDS_IN_A_CALL ? undefined : page.NextShardIterator
    return count
  }
}
