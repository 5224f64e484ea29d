import { glob, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb'
import { KinesisClient, PutRecordsCommand, UpdateShardCountCommand } from '@aws-sdk/client-kinesis'
import { afterEach, describe, expect, it } from 'vitest'
import { startLocal } from '../src/start-local.js'
import { aFolder } from './stream-fixture.js'

const handlerFile = fileURLToPath(new URL('./event-source-mapping-store.mjs', import.meta.url))
const transformFile = fileURLToPath(new URL('./delivery-handlers.mjs', import.meta.url))
const cleanup: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of cleanup.splice(0).reverse()) await close()
})

describe('everything on one machine', () => {
  it('carries records from the SDK through crashes and a reshard into a table and a lake, and loses none', async () => {
    const folder = await aFolder(cleanup)
    const local = await startLocal({
      streams: [{ name: 'orders', shards: 2 }],
      tables: [
        {
          TableName: 'orders-table',
          KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
          AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
          BillingMode: 'PAY_PER_REQUEST',
        },
      ],
    })
    cleanup.push(() => local.close())
    const client = {
      endpoint: local.url,
      region: local.region,
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    }
    const kinesis = new KinesisClient(client)
    const dynamo = new DynamoDBClient(client)
    cleanup.push(
      async () => kinesis.destroy(),
      async () => dynamo.destroy(),
    )
    const lines: string[] = []

    const processor = local.createFunction({
      name: 'processor',
      file: handlerFile,
      environment: { TABLE_NAME: 'orders-table' },
      maxConcurrency: 2,
      onLogLine: (line) => lines.push(line),
      fault: ({ number }) => (number % 4 === 2 ? 'crash-after' : undefined),
    })
    const mapping = local.createEventSourceMapping({
      streamName: 'orders',
      function: processor,
      batchSize: 25,
      parallelizationFactor: 2,
      maximumRetryAttempts: 3,
      bisectBatchOnFunctionError: true,
      pollIntervalMs: 200,
      retryBackoff: { baseMs: 10, maxMs: 100 },
    })
    const transform = local.createFunction({
      name: 'transform',
      file: transformFile,
      exportName: 'transform',
    })
    const delivery = local.createDeliveryStream({
      name: 'delivery',
      streamName: 'orders',
      transform,
      folder: join(folder, 'lake'),
      pollIntervalMs: 200,
    })
    const put = (from: number) =>
      kinesis.send(
        new PutRecordsCommand({
          StreamName: 'orders',
          Records: Array.from({ length: 100 }, (_, index) => ({
            PartitionKey: `key-${index % 10}`,
            Data: Buffer.from(`order-${from + index}`),
          })),
        }),
      )

    expect((await put(0)).FailedRecordCount).toBe(0)
    await kinesis.send(
      new UpdateShardCountCommand({
        StreamName: 'orders',
        TargetShardCount: 4,
        ScalingType: 'UNIFORM_SCALING',
      }),
    )
    expect((await put(100)).FailedRecordCount).toBe(0)
    await Promise.all([mapping.drain(), delivery.drain()])

    const expected = Array.from({ length: 200 }, (_, index) => `order-${index}`).sort()
    const { Items = [] } = await dynamo.send(new ScanCommand({ TableName: 'orders-table' }))
    expect(Items.map((item) => item.id!.S).sort()).toEqual(expected)
    expect(await lakeLines(join(folder, 'lake'))).toEqual(expected)
    expect(mapping.stats()).toMatchObject({
      recordsResolved: 200,
      recordsDiscarded: 0,
      // The crashes were mended by retries.
      lastError: expect.stringContaining('Runtime.ExitError'),
    })
    expect(processor.stats().startedProcesses).toBeGreaterThan(2)
    expect(lines).toEqual([])
    const stored = local.metrics.series('Orders', 'Stored', { service: 'orders' })
    const total = [...stored!.seconds.values()].reduce((sum, { sum: stored }) => sum + stored, 0)
    expect(total).toBeGreaterThanOrEqual(200)
    expect(local.metrics.series('AWS/Lambda', 'IteratorAge', { FunctionName: 'processor' })).toBeDefined()
    expect(
      local.metrics.series('AWS/Firehose', 'DeliveryToS3.Records', { DeliveryStreamName: 'delivery' }),
    ).toBeDefined()
  })
})

async function lakeLines(lake: string): Promise<string[]> {
  const lines: string[] = []
  for await (const name of glob('year=*/**/*.gz', { cwd: lake })) {
    lines.push(
      ...gunzipSync(await readFile(join(lake, name)))
        .toString()
        .trimEnd()
        .split('\n'),
    )
  }
  return lines.sort()
}
