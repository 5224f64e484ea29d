import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import type { DeliveryStreamStats } from '../src/delivery/delivery-stream.js'
import { startLocal } from '../src/start-local.js'
import { aDelivery, aTemporaryFolder, cleanUp, cleanUpAfter, objectsIn, readAll } from './delivery-fixture.js'
import { aStream } from './stream-fixture.js'

afterEach(cleanUp)

const childFile = fileURLToPath(new URL('./delivery-child.mjs', import.meta.url))

interface Checkpoint {
  shards: Record<string, string>
}

async function readCheckpoint(root: string): Promise<Checkpoint | undefined> {
  try {
    return JSON.parse(await readFile(join(root, 'checkpoint.json'), 'utf8')) as Checkpoint
  } catch {
    return undefined
  }
}

/** A delivery in a process of its own. */
function aChild(options: { kinesis: string; name: string; root: string; [option: string]: unknown }) {
  const child = spawn(process.execPath, [childFile, JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  cleanUpAfter(async () => child.kill('SIGKILL'))
  let printed = ''
  child.stdout.on('data', (text: Buffer) => {
    printed += text.toString()
  })
  const stats = () => JSON.parse(printed.split('\n').at(-2) ?? '{}') as Partial<DeliveryStreamStats>
  return Object.assign(child, { stats })
}

async function killed(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  await once(child, 'exit')
}

async function drained(child: ReturnType<typeof aChild>): Promise<void> {
  child.stdin.write('drain\n')
  await once(child, 'exit')
}

describe('a delivery that is killed', () => {
  it('loses nothing, and repeats nothing that is before its checkpoint', { timeout: 60_000 }, async () => {
    const root = await aTemporaryFolder()
    const local = await startLocal({ streams: [{ name: 'orders', shards: 2 }] })
    cleanUpAfter(() => local.close())
    const positions = new Map<string, { shardId: string; sequenceNumber: string }>()
    const put = async (from: number) => {
      const Records = Array.from({ length: 200 }, (_, index) => ({
        PartitionKey: `key-${from + index}`,
        Data: Buffer.from(`${from + index} ${'x'.repeat(40)}\n`),
      }))
      const output = (await local.kinesis.call('PutRecords', { StreamName: 'orders', Records })) as {
        Records: { ShardId: string; SequenceNumber: string }[]
      }
      for (const [index, { ShardId, SequenceNumber }] of output.Records.entries()) {
        positions.set(String(from + index), { shardId: ShardId, sequenceNumber: SequenceNumber })
      }
    }
    const start = (name: string) => aChild({ kinesis: local.url, name, root })

    const checkpoints: Checkpoint[] = [{ shards: {} }]
    for (let run = 0; run < 3; run += 1) {
      const child = start(`run-${run}`)
      const before = JSON.stringify(checkpoints.at(-1)!.shards)
      await put(run * 200)
      // Some of it is in objects and behind the checkpoint, and some of it is not.
      await expect
        .poll(async () => JSON.stringify((await readCheckpoint(root))?.shards ?? {}) !== before, {
          timeout: 20_000,
          interval: 5,
        })
        .toBe(true)
      await killed(child)
      checkpoints.push((await readCheckpoint(root))!)
    }
    await drained(start('run-3'))

    const objects = await objectsIn(join(root, 'lake'))
    const linesOf = (run: number) =>
      objects
        .filter(({ name }) => name.includes(`/run-${run}-`))
        .flatMap(({ text }) => text.trimEnd().split('\n'))
        .map((line) => line.split(' ')[0]!)
    const delivered = [0, 1, 2, 3].flatMap(linesOf)
    expect([...new Set(delivered)].sort()).toEqual([...positions.keys()].sort())
    for (const run of [1, 2, 3]) {
      const { shards } = checkpoints[run]!
      const repeated = linesOf(run).filter((line) => {
        const { shardId, sequenceNumber } = positions.get(line)!
        return BigInt(sequenceNumber) <= BigInt(shards[shardId] ?? 0)
      })
      expect(repeated).toEqual([])
    }
  })
})

describe('a delivery from the tip that is killed before anything is durable', () => {
  it('begins again where the tip was when it was first started', { timeout: 60_000 }, async () => {
    const root = await aTemporaryFolder()
    const local = await startLocal({ streams: [{ name: 'orders' }] })
    cleanUpAfter(() => local.close())
    const put = (data: string) =>
      local.kinesis.call('PutRecord', {
        StreamName: 'orders',
        PartitionKey: 'a',
        Data: Buffer.from(`${data}\n`),
      })
    put('before')
    await new Promise((resolve) => setTimeout(resolve, 5))
    const options = { kinesis: local.url, root, startingPosition: 'LATEST', bufferIntervalMs: 60_000 }
    const first = aChild({ ...options, name: 'first' })
    await expect
      .poll(() => first.stats().shards?.[0]?.millisBehindLatest, { timeout: 20_000, interval: 5 })
      .toBe(0)
    put('read and buffered')
    await expect.poll(() => first.stats().unresolvedRecords, { timeout: 20_000, interval: 5 }).toBe(1)
    await killed(first)
    put('while nobody reads')

    await drained(aChild({ ...options, name: 'second' }))

    const texts = (await objectsIn(join(root, 'lake'))).map(({ text }) => text)
    expect(texts).toEqual(['read and buffered\nwhile nobody reads\n'])
  })
})

describe('the checkpoint of a delivery', () => {
  const aCheckpoint = async () => join(await aTemporaryFolder(), 'checkpoint.json')

  it('lets the next one go on, across a reshard', async () => {
    const stream = aStream()
    const checkpointFile = await aCheckpoint()
    const folder = await aTemporaryFolder()
    const deliver = async (name: string) => {
      const { delivery } = await aDelivery(stream.service, { name, folder, checkpointFile })
      await delivery.drain()
      return (await readAll(folder, (path) => path.includes(`/${name}-1-`))).flatMap(({ text }) =>
        text.split('\n'),
      )
    }
    stream.put('a', '1\n')
    expect(await deliver('first')).toEqual(['1', ''])
    stream.put('a', '2\n')
    stream.service.call('UpdateShardCount', {
      StreamName: 'orders',
      TargetShardCount: 2,
      ScalingType: 'UNIFORM_SCALING',
    })
    stream.put('a', '3\n')

    expect(await deliver('second')).toEqual(['2', '3', ''])
    expect(await deliver('third')).toEqual([])
  })

  it('is one of that stream', async () => {
    const { service } = aStream()
    const checkpointFile = await aCheckpoint()
    await writeFile(checkpointFile, '{"streamName":"others","startedAtMs":0,"shards":{}}')
    await expect(aDelivery(service, { checkpointFile })).rejects.toThrow(
      /^checkpointFile.*no checkpoint of a delivery of orders/,
    )
    await writeFile(checkpointFile, '{"streamName":"orders","shards":{}}')
    await expect(aDelivery(service, { checkpointFile })).rejects.toThrow(/^checkpointFile/)
    await writeFile(checkpointFile, 'nonsense')
    await expect(aDelivery(service, { checkpointFile })).rejects.toThrow(/^checkpointFile/)
    await expect(aDelivery(service, { checkpointFile: 'relative' })).rejects.toThrow(/^checkpointFile/)
  })

  it('is there before anything is read, or the delivery is refused', async () => {
    const { service } = aStream()
    const checkpointFile = await aCheckpoint()
    await aDelivery(service, { checkpointFile })

    expect(JSON.parse(await readFile(checkpointFile, 'utf8'))).toMatchObject({
      streamName: 'orders',
      startedAtMs: expect.any(Number),
    })
    const under = join(checkpointFile, 'checkpoint.json')
    await expect(aDelivery(service, { checkpointFile: under })).rejects.toThrow(/^checkpointFile/)
  })
})
