import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { PutRecordsCommand, UpdateShardCountCommand } from '@aws-sdk/client-kinesis'
import { afterEach, describe, expect, it } from 'vitest'
import { startLocal } from '../src/start-local.js'
import { aFolder } from './stream-fixture.js'
import { kinesisClient } from './support/clients.js'

const StreamName = 'orders'
const cleanup: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of cleanup.splice(0).reverse()) await close()
})

describe('a stream that is resharded under load', () => {
  it('loses nothing and keeps the order of every key, from 2 to 4 to 3 shards', async () => {
    const folder = await aFolder(cleanup)
    const seenFile = join(folder, 'seen')
    const local = await startLocal({ streams: [{ name: StreamName, shards: 2 }] })
    cleanup.push(() => local.close())
    const handler = local.createFunction({
      name: 'collect',
      file: fileURLToPath(new URL('./mapping-handlers.mjs', import.meta.url)),
      exportName: 'collect',
      environment: { SEEN_FILE: seenFile },
    })
    const mapping = local.createEventSourceMapping({
      streamName: StreamName,
      function: handler,
      batchSize: 100,
      parallelizationFactor: 2,
      pollIntervalMs: 200,
    })
    const client = kinesisClient(local)
    cleanup.push(async () => client.destroy())
    const resize = (TargetShardCount: number) =>
      client.send(
        new UpdateShardCountCommand({ StreamName, TargetShardCount, ScalingType: 'UNIFORM_SCALING' }),
      )
    let producing = true
    const shardsWritten = new Set<string>()
    const put = new Map<string, string[]>()

    /** One record of each of its keys in a call, the next when all are stored, so that a key has an order to keep. */
    async function produce(producer: number): Promise<void> {
      for (let round = 0; producing; round++) {
        let left = Array.from({ length: 10 }, (_, key) => `${producer}-${key}`)
        for (const key of left) put.set(key, [...(put.get(key) ?? []), String(round)])
        while (left.length > 0) {
          const { Records = [] } = await client.send(
            new PutRecordsCommand({
              StreamName,
              Records: left.map((PartitionKey) => ({ PartitionKey, Data: Buffer.from(String(round)) })),
            }),
          )
          for (const { ShardId } of Records) if (ShardId !== undefined) shardsWritten.add(ShardId)
          left = left.filter((_, index) => Records[index]?.ErrorCode !== undefined)
        }
        await sleep(10)
      }
    }

    const producers = [0, 1, 2].map(produce)
    await sleep(500)
    await resize(4)
    await sleep(800)
    await resize(3)
    await sleep(800)
    producing = false
    await Promise.all(producers)
    await mapping.drain()

    const seen = new Map<string, string[]>()
    for (const line of (await readFile(seenFile, 'utf8')).trimEnd().split('\n')) {
      for (const { key, data } of JSON.parse(line).records) seen.set(key, [...(seen.get(key) ?? []), data])
    }
    expect(Object.fromEntries(seen)).toEqual(Object.fromEntries(put))
    // The first two, their four children, and the three that came of those.
    expect(shardsWritten.size).toBeGreaterThanOrEqual(8)
    expect(local.kinesis.call('DescribeStreamSummary', { StreamName })).toMatchObject({
      StreamDescriptionSummary: { OpenShardCount: 3 },
    })
  })
})
