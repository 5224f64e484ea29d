import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import {
  AddTagsToStreamCommand,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  IncreaseStreamRetentionPeriodCommand,
  type KinesisClient,
  ListShardsCommand,
  ListStreamConsumersCommand,
  ListTagsForStreamCommand,
  PutRecordCommand,
  PutRecordsCommand,
  RegisterStreamConsumerCommand,
  UpdateShardCountCommand,
} from '@aws-sdk/client-kinesis'
import { afterEach, describe, expect, it } from 'vitest'
import { startLocal } from '../src/start-local.js'
import { aFolder } from './stream-fixture.js'
import { kinesisClient } from './support/clients.js'

const cli = fileURLToPath(new URL('../dist/cli.js', import.meta.url))
const StreamName = 'orders'
const cleanup: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of cleanup.splice(0).reverse()) await close()
})

/** The command with persistence, in a process that can be killed. */
async function start(
  folder: string,
  under: readonly string[] = [],
): Promise<{ child: ChildProcess; client: KinesisClient }> {
  const args = [
    '--port',
    '0',
    '--stream',
    `${StreamName}:2`,
    '--no-shard-limits',
    '--persist',
    '--data',
    folder,
  ]
  const [command, ...rest] = [...under, process.execPath, cli, ...args]
  const child = spawn(command!, rest, { stdio: ['ignore', 'pipe', 'inherit'] })
  cleanup.push(async () => child.kill('SIGKILL'))
  let output = ''
  for await (const chunk of child.stdout!) {
    output += chunk
    if (output.includes('AWS_SECRET_ACCESS_KEY')) break
  }
  const url = /AWS_ENDPOINT_URL=(\S+)/.exec(output)![1]!
  const client = kinesisClient({ url, region: 'us-east-1' })
  cleanup.push(async () => client.destroy())
  return { child, client }
}

async function readAll(client: KinesisClient): Promise<Map<string, string>> {
  const { Shards = [] } = await client.send(new ListShardsCommand({ StreamName }))
  const read = new Map<string, string>()
  for (const { ShardId } of Shards) {
    const { ShardIterator: first } = await client.send(
      new GetShardIteratorCommand({ StreamName, ShardId, ShardIteratorType: 'TRIM_HORIZON' }),
    )
    let ShardIterator = first
    while (ShardIterator !== undefined) {
      const page = await client.send(new GetRecordsCommand({ ShardIterator }))
      for (const { SequenceNumber, Data } of page.Records!)
        read.set(SequenceNumber!, Buffer.from(Data!).toString())
      ShardIterator = page.MillisBehindLatest === 0 ? undefined : page.NextShardIterator
    }
  }
  return read
}

describe('a stream that is kept', () => {
  it('has every acknowledged record after its process was killed amid puts and a reshard', async () => {
    const folder = await aFolder(cleanup)
    const first = await start(folder)
    const acknowledged = new Map<string, string>()
    let killed = false
    const produce = async (producer: number) => {
      for (let call = 0; !killed; call++) {
        const texts = Array.from({ length: 50 }, (_, index) => `${producer}-${call}-${index}`)
        const Records = texts.map((text) => ({ PartitionKey: text, Data: Buffer.from(text) }))
        // The last call of each is cut off: it may be there or not.
        const answer = await first.client
          .send(new PutRecordsCommand({ StreamName, Records }))
          .catch(() => undefined)
        for (const [index, { SequenceNumber }] of (answer?.Records ?? []).entries())
          acknowledged.set(SequenceNumber!, texts[index]!)
      }
    }

    const producers = [0, 1, 2].map(produce)
    await sleep(400)
    await first.client.send(
      new UpdateShardCountCommand({ StreamName, TargetShardCount: 4, ScalingType: 'UNIFORM_SCALING' }),
    )
    await sleep(400)
    const exit = once(first.child, 'exit')
    first.child.kill('SIGKILL')
    await exit
    killed = true
    await Promise.all(producers)
    const { client } = await start(folder)

    const read = await readAll(client)
    expect(acknowledged.size).toBeGreaterThan(500)
    for (const [sequenceNumber, text] of acknowledged) expect(read.get(sequenceNumber)).toBe(text)
    const { SequenceNumber, ShardId } = await client.send(
      new PutRecordCommand({ StreamName, PartitionKey: 'later', Data: Buffer.from('later') }),
    )
    const ofShard = [...read.keys()].filter((number) => number.slice(0, 36) === SequenceNumber!.slice(0, 36))
    const last = ofShard.sort().at(-1)!
    expect(SequenceNumber! > last).toBe(true)
    const { ShardIterator } = await client.send(
      new GetShardIteratorCommand({
        StreamName,
        ShardId,
        ShardIteratorType: 'AFTER_SEQUENCE_NUMBER',
        StartingSequenceNumber: last,
      }),
    )
    const after = await client.send(new GetRecordsCommand({ ShardIterator }))
    expect(after.Records!.map((record) => record.SequenceNumber)).toEqual([SequenceNumber])
  })

  it.skipIf(process.platform === 'win32')('has none of a call that found the disk full', async () => {
    const folder = await aFolder(cleanup)
    // Files of at most 32 KiB stand for the disk: a write beyond them fails, as one without space does.
    const first = await start(folder, ['sh', '-c', `trap '' XFSZ; ulimit -f 64; exec "$0" "$@"`])
    const put = (client: KinesisClient, text: string) =>
      client.send(
        new PutRecordCommand({ StreamName, PartitionKey: 'a', Data: Buffer.from(text.padEnd(2_000)) }),
      )
    const acknowledged = new Map<string, string>()
    let failure: unknown
    for (let index = 0; failure === undefined; index++) {
      await put(first.client, `text-${index}`).then(
        ({ SequenceNumber }) => acknowledged.set(SequenceNumber!, `text-${index}`.padEnd(2_000)),
        (error) => {
          failure = error
        },
      )
    }
    expect(failure).toMatchObject({ name: 'InternalFailure' })
    expect(acknowledged.size).toBeGreaterThan(5)
    expect(await readAll(first.client)).toEqual(acknowledged)

    const exit = once(first.child, 'exit')
    first.child.kill('SIGKILL')
    await exit
    const { client } = await start(folder)
    expect(await readAll(client)).toEqual(acknowledged)
    const { SequenceNumber } = await put(client, 'next')
    expect(acknowledged.has(SequenceNumber!)).toBe(false)
  })

  it('keeps its shards, settings, tags and consumers, and iterators that were given out', async () => {
    const folder = await aFolder(cleanup)
    const first = await start(folder)
    const { client } = first
    const summary = (of: KinesisClient) =>
      of
        .send(new DescribeStreamSummaryCommand({ StreamName }))
        .then((answer) => answer.StreamDescriptionSummary)
    const { StreamARN } = (await summary(client))!
    await client.send(new AddTagsToStreamCommand({ StreamName, Tags: { team: 'orders' } }))
    await client.send(new IncreaseStreamRetentionPeriodCommand({ StreamName, RetentionPeriodHours: 48 }))
    await client.send(
      new UpdateShardCountCommand({ StreamName, TargetShardCount: 3, ScalingType: 'UNIFORM_SCALING' }),
    )
    await client.send(new RegisterStreamConsumerCommand({ StreamARN, ConsumerName: 'fan-out' }))
    const put = { StreamName, PartitionKey: 'a', Data: Buffer.from('x') }
    const { ShardId } = await client.send(new PutRecordCommand(put))
    const { ShardIterator } = await client.send(
      new GetShardIteratorCommand({ StreamName, ShardId, ShardIteratorType: 'TRIM_HORIZON' }),
    )
    const described = async (of: KinesisClient) => [
      await summary(of),
      (await of.send(new ListShardsCommand({ StreamName }))).Shards,
      (await of.send(new ListTagsForStreamCommand({ StreamName }))).Tags,
      (await of.send(new ListStreamConsumersCommand({ StreamARN }))).Consumers,
    ]
    const before = await described(client)

    const exit = once(first.child, 'exit')
    first.child.kill('SIGKILL')
    await exit
    const second = await start(folder)

    expect(await described(second.client)).toEqual(before)
    const page = await second.client.send(new GetRecordsCommand({ ShardIterator }))
    expect(page.Records).toHaveLength(1)
  })

  it('is refused to a second process, and to another region', async () => {
    const dataDir = await aFolder(cleanup)
    const { child } = await start(dataDir)

    await expect(startLocal({ dataDir, persist: true })).rejects.toThrow(
      `Process ${child.pid} uses it: end that one, or give another folder.`,
    )
    const exit = once(child, 'exit')
    child.kill('SIGTERM')
    await exit
    await expect(startLocal({ dataDir, persist: true, region: 'eu-west-1' })).rejects.toThrow(
      'are of us-east-1: start with that region, or in another folder.',
    )
    // What was refused leaves nothing locked behind.
    const local = await startLocal({ dataDir, persist: true })
    expect(local.kinesis.call('ListStreams', {})).toMatchObject({ StreamNames: [StreamName] })
    await local.close()
  })

  it('needs a folder that is kept, and Kinesis of our own', async () => {
    const dataDir = await aFolder(cleanup)
    const endpoints = { kinesis: 'http://127.0.0.1:4566' }

    await expect(startLocal({ persist: true })).rejects.toThrow(
      'persist: true cannot be used. Give a dataDir',
    )
    await expect(startLocal({ persist: true, dataDir, endpoints })).rejects.toThrow(
      'persist: true cannot be used. Another emulator serves Kinesis',
    )
  })

  it('is gone without persist', async () => {
    const dataDir = await aFolder(cleanup)
    const first = await startLocal({ dataDir, streams: [{ name: StreamName }] })
    await first.close()

    const second = await startLocal({ dataDir })
    cleanup.push(() => second.close())

    expect(second.kinesis.call('ListStreams', {})).toMatchObject({ StreamNames: [] })
  })
})
