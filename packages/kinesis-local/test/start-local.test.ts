import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { afterEach, describe, expect, it } from 'vitest'
import { startLocal } from '../src/start-local.js'
import { connection, post } from './support/clients.js'

const cleanup: (() => Promise<unknown> | unknown)[] = []

afterEach(async () => {
  for (const close of cleanup.splice(0).reverse()) await close()
})

async function aFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kinesis-local-test-'))
  cleanup.push(() => rm(folder, { recursive: true, force: true }))
  return folder
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  )

describe('startLocal', () => {
  it('has one function of a name at a time', async () => {
    const file = fileURLToPath(new URL('./function-handlers.mjs', import.meta.url))
    await using local = await startLocal()
    const first = local.createFunction({ name: 'orders', file, exportName: 'echo' })

    expect(() => local.createFunction({ name: 'orders', file, exportName: 'fail' })).toThrow(
      /^name: "orders" cannot be used\. There is a function of this name/,
    )
    expect(await first.invoke({})).toMatchObject({ ok: true })

    await first.close()
    const next = local.createFunction({ name: 'orders', file, exportName: 'fail' })
    expect(await next.invoke({})).toMatchObject({ errorType: 'RangeError' })
  })

  it('gives no two delivery streams one name at a time', async () => {
    const local = await startLocal({ streams: [{ name: 'orders' }] })
    cleanup.push(() => local.close())
    const open = async () =>
      local.createDeliveryStream({ name: 'lake', streamName: 'orders', folder: join(local.dataDir, 'lake') })

    const first = await open()
    await expect(open()).rejects.toThrow(/^name: "lake" cannot be used. Another delivery stream has it/)
    await first.drain()
    await expect(open()).resolves.toHaveProperty('name', 'lake')
  })

  it('closes at once with connections open, whose clients have nothing to wait for', async () => {
    const local = await startLocal({ streams: [{ name: 'orders', shards: 8 }] })
    await (await post(local.url, 'Kinesis_20131202.ListStreams', '{}')).json()
    connect(Number(new URL(local.url).port), '127.0.0.1').on('error', () => {})

    const closedAt = performance.now()
    await local.close()

    expect(performance.now() - closedAt).toBeLessThan(900)
    await expect(post(local.url, 'Kinesis_20131202.ListStreams', '{}')).rejects.toThrow()
  })

  it('lets a call that runs end with its answer when it closes, and cuts short what waits', async () => {
    const underWay = { kinesis: Promise.withResolvers<void>(), sqs: Promise.withResolvers<void>() }
    const local = await startLocal({
      queues: ['empty'],
      faults: ({ service }) => {
        if (service === 'kinesis' || service === 'sqs') underWay[service].resolve()
        return service === 'kinesis' ? { kind: 'stall', delayMs: 60_000 } : undefined
      },
    })
    const sqs = new SQSClient(connection(local))
    cleanup.push(() => sqs.destroy())
    const waiting = sqs.send(
      new ReceiveMessageCommand({ QueueUrl: local.queueUrl('empty'), WaitTimeSeconds: 20 }),
    )
    const stalled = post(local.url, 'Kinesis_20131202.ListStreams', '{}')
    await Promise.all([underWay.kinesis.promise, underWay.sqs.promise])

    const closing = local.close()

    expect((await waiting).Messages).toBeUndefined()
    expect((await stalled).status).toBe(200)
    await closing
  })

  it('tells other programs where it is, in a file for the owner alone, until it closes', async () => {
    const dataDir = join(await aFolder(), 'run')
    const local = await startLocal({ dataDir, region: 'eu-west-1' })
    const file = join(dataDir, 'local.json')

    const run = JSON.parse(await readFile(file, 'utf8'))
    expect(run).toEqual({
      url: local.url,
      region: 'eu-west-1',
      pid: process.pid,
      token: expect.stringMatching(/^[\w-]{32}$/),
    })
    expect((await stat(file)).mode & 0o777).toBe(0o600)

    await local.close()
    await local.close()
    expect(await exists(file)).toBe(false)
    expect(await exists(dataDir)).toBe(true)
  })

  it('leaves the file of a later run in the same folder alone', async () => {
    const dataDir = await aFolder()
    const first = await startLocal({ dataDir })
    const second = await startLocal({ dataDir })

    await first.close()

    expect(JSON.parse(await readFile(join(dataDir, 'local.json'), 'utf8'))).toMatchObject({ url: second.url })
    await second.close()
  })

  it('removes its own temporary folder', async () => {
    const local = await startLocal()
    expect(await exists(join(local.dataDir, 'local.json'))).toBe(true)

    await local.close()

    expect(await exists(local.dataDir)).toBe(false)
  })

  it('keeps two instances apart', async () => {
    const [here, there] = await Promise.all([
      startLocal({ region: 'us-east-1', streams: [{ name: 'orders' }] }),
      startLocal({ region: 'eu-west-1' }),
    ])
    cleanup.push(
      () => here.close(),
      () => there.close(),
    )

    expect(here.environment).toMatchObject({ AWS_ENDPOINT_URL: here.url, AWS_REGION: 'us-east-1' })
    expect(here.kinesis.call('ListStreams', {})).toMatchObject({ StreamNames: ['orders'] })
    expect(there.kinesis.call('ListStreams', {})).toMatchObject({ StreamNames: [] })
  })

  it('names a port that is in use, and leaves nothing behind', async () => {
    const first = await startLocal()
    cleanup.push(() => first.close())
    const port = Number(new URL(first.url).port)

    await expect(startLocal({ port })).rejects.toThrow(
      `Port ${port} of 127.0.0.1 is in use. Choose another port, or 0 for a free one.`,
    )
  })

  it.each([
    [{ port: 70_000 }, 'port: 70000 cannot be used'],
    [{ region: 'nowhere' }, 'region: "nowhere" cannot be used'],
    [{ dataDir: 'relative' }, 'dataDir: "relative" cannot be used'],
    [{ maxRetainedBytes: 0 }, 'maxRetainedBytes: 0 cannot be used'],
    [{ streamTransitionMs: -1 }, 'streamTransitionMs: -1 cannot be used'],
    [{ writeBurst: { recordsMs: 0 } }, 'writeBurst.recordsMs: 0 cannot be used'],
    [{ streams: [{ name: 'orders', shards: 0 }] }, 'streams.shards: 0 cannot be used'],
    [{ streams: [{ name: 'orders', retentionHours: 1 }] }, 'streams.retentionHours: 1 cannot be used'],
    [{ streams: [{ name: 'a b' }] }, 'The stream a b cannot be made. ValidationException'],
    [{ streams: [{ name: 'a' }, { name: 'a' }] }, 'The stream a cannot be made. ResourceInUseException'],
    [{ queues: ['a b'] }, 'The queue a b cannot be made. InvalidParameterValue'],
    [{ tables: [{ TableName: 'events' }] }, 'The table events cannot be made. ValidationException'],
  ])('refuses options that cannot work: %o', async (options, message) => {
    await expect(startLocal(options)).rejects.toThrow(message)
  })
})
