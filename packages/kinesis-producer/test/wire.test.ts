import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { KinesisClient } from '@aws-sdk/client-kinesis'
import { startLocal } from '@org/kinesis-local'
import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  type BatchSettledEvent,
  KinesisProducer,
  type KinesisProducerOptions,
  type ProducerError,
  RecordExpiredError,
  RequestRejectedError,
} from '../src/index.js'
import { hashKeyIn } from './scripted-transport.js'
import { type Stored, storedIn } from './stored-records.js'

type LocalOptions = NonNullable<Parameters<typeof startLocal>[0]>
type FaultPlan = NonNullable<LocalOptions['faults']>
type FaultAction = ReturnType<FaultPlan>

const credentials = { accessKeyId: 'local', secretAccessKey: 'local' }
const cleanups: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** A local service with one stream, `orders`. `faults` sees the PutRecords calls alone, numbered from 1. */
async function aService(
  options: Omit<LocalOptions, 'faults'> & { shards?: number; faults?: (call: number) => FaultAction } = {},
) {
  const { shards = 1, faults, ...rest } = options
  let calls = 0
  const local = await startLocal({
    streams: [{ name: 'orders', shards }],
    faults: (call) => (call.operation === 'PutRecords' ? faults?.(++calls) : undefined),
    ...rest,
  })
  cleanups.push(() => local.close())
  return local
}

function aProducer(endpoint: string, options: Partial<KinesisProducerOptions> = {}) {
  const faults: NonNullable<BatchSettledEvent['fault']>[] = []
  const producer = new KinesisProducer({
    streamName: 'orders',
    endpoint,
    region: 'us-east-1',
    credentials,
    lingerMs: 5,
    backoffBaseMs: 20,
    ...options,
    hooks: {
      onBatchSettled: ({ fault }) => {
        if (fault !== undefined) faults.push(fault)
      },
      ...options.hooks,
    },
  })
  cleanups.push(() => producer.close({ deadlineMs: 0 }))
  return { producer, faults }
}

const numbered = (count: number, keys = count) =>
  Array.from({ length: count }, (_, index) => ({
    partitionKey: `key-${index % keys}`,
    data: String(index),
  }))

const failure = (put: Promise<unknown>): Promise<ProducerError> =>
  put.then(
    () => {
      throw new Error('The put was delivered.')
    },
    (error: ProducerError) => error,
  )

/** First appearances per key, as the numbers that `numbered` gave them. */
function firstAppearances(stored: readonly Stored[]): Map<string, number[]> {
  const perKey = new Map<string, number[]>()
  for (const { partitionKey, data } of stored) {
    const numbers = perKey.get(partitionKey) ?? []
    perKey.set(partitionKey, numbers)
    if (!numbers.includes(Number(data))) numbers.push(Number(data))
  }
  return perKey
}

describe('records over the wire', () => {
  it('arrive once, where and as their receipts say', async () => {
    const local = await aService({ shards: 2 })
    const { producer } = aProducer(local.url)

    const records = numbered(1_500)
    const receipts = await Promise.all(records.map((record) => producer.put(record)))
    const stored = await storedIn(local)

    expect(stored).toHaveLength(1_500)
    const bySequence = new Map(stored.map((record) => [record.sequenceNumber, record]))
    receipts.forEach((receipt, index) => {
      expect(bySequence.get(receipt.sequenceNumber)).toEqual({
        shardId: receipt.shardId,
        sequenceNumber: receipt.sequenceNumber,
        ...records[index],
      })
    })
    expect(producer.stats().shards).toBe(2)
    expect(await producer.close()).toEqual({ undelivered: [] })
  })

  it('take any bytes, empty data, any script in a key, and an explicit hash key', async () => {
    const local = await aService({ shards: 2 })
    const { producer } = aProducer(local.url)
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index)

    const [binary, , explicit] = await Promise.all([
      producer.put({ partitionKey: 'bytes', data: bytes }),
      producer.put({ partitionKey: 'キー', data: '' }),
      producer.put({ partitionKey: 'x', data: 'x', explicitHashKey: hashKeyIn(1, 2) }),
    ])

    const stored = await storedIn(local)
    expect(stored.find((record) => record.partitionKey === 'キー')!.data).toBe('')
    const copy = stored.find((record) => record.sequenceNumber === binary!.sequenceNumber)!
    expect(copy.data).toBe(Buffer.from(bytes).toString())
    expect(explicit!.shardId).toBe('shardId-000000000001')
  })

  it('reach a stream given by its ARN', async () => {
    const local = await aService()
    const producer = new KinesisProducer({
      streamArn: `arn:aws:kinesis:us-east-1:${local.accountId}:stream/orders`,
      endpoint: local.url,
      credentials,
      lingerMs: 0,
    })
    cleanups.push(() => producer.close())

    expect(await producer.put({ partitionKey: 'a', data: 'x' })).toMatchObject({ attempts: 1 })
  })

  it('go through connections that are reused, no more than requests are in flight', async () => {
    const sockets = new Set<number>()
    let requests = 0
    const server = createServer((request, response) => {
      sockets.add(request.socket.remotePort!)
      requests++
      let body = ''
      request.on('data', (chunk) => {
        body += chunk
      })
      request.on('end', () => {
        const entries: unknown[] = JSON.parse(body).Records ?? []
        response.setHeader('content-type', 'application/x-amz-json-1.1')
        response.end(
          JSON.stringify({
            Shards: [],
            Records: entries.map(() => ({ ShardId: 'shardId-0', SequenceNumber: '1' })),
          }),
        )
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    cleanups.push(() => new Promise((resolve) => server.close(resolve)))
    const { port } = server.address() as AddressInfo
    const { producer } = aProducer(`http://127.0.0.1:${port}`, { maxBatchRecords: 1, maxInFlightRequests: 4 })

    await Promise.all(numbered(200).map((record) => producer.put(record)))
    await producer.close()

    expect(requests).toBeGreaterThanOrEqual(201)
    // Four for the records, one for ListShards.
    expect(sockets.size).toBeLessThanOrEqual(5)
  })

  it('are paced per shard: a hot shard keeps to its limit, the other does not wait', async () => {
    const local = await aService({ shards: 2 })
    const { producer } = aProducer(local.url)
    const hot = { partitionKey: 'hot', explicitHashKey: hashKeyIn(0, 2), data: 'x' }
    const cold = { partitionKey: 'cold', explicitHashKey: hashKeyIn(1, 2), data: 'x' }

    const startedMs = performance.now()
    const all = Promise.all(Array.from({ length: 2_500 }, () => producer.put(hot)))
    for (let index = 0; index < 5; index++) await producer.put(cold)
    const coldMs = performance.now() - startedMs
    await all
    const hotMs = performance.now() - startedMs

    // 1,000 at once and 1,500 at 1,000 a second, of which the service lets none be early.
    expect(hotMs).toBeGreaterThan(1_300)
    expect(hotMs).toBeLessThan(4_000)
    expect(coldMs).toBeLessThan(1_000)
    expect(producer.stats().throttled).toBeLessThan(100)
    expect(await storedIn(local)).toHaveLength(2_505)
  })

  it('find the children of a shard that is split while records flow', async () => {
    const local = await aService({ shardLimits: false })
    const { producer } = aProducer(local.url, { ordering: 'per-key' })
    await producer.put({ partitionKey: 'first', data: '0' })
    await vi.waitFor(() => expect(producer.stats().shards).toBe(1))

    const puts = numbered(2_000, 100).map((record) => producer.put(record))
    await puts[300]
    await local.kinesis.call('SplitShard', {
      StreamName: 'orders',
      ShardToSplit: 'shardId-000000000000',
      NewStartingHashKey: hashKeyIn(0, 1),
    })
    await Promise.all(puts)
    // The next listing is due a second after the last.
    await vi.waitFor(
      async () => {
        await producer.put({ partitionKey: 'probe', data: 'x' })
        expect(producer.stats().shards).toBe(2)
      },
      { timeout: 10_000, interval: 50 },
    )

    const stored = await storedIn(local)
    const perKey = firstAppearances(stored.filter(({ partitionKey }) => partitionKey.startsWith('key-')))
    expect([...perKey.values()].flat()).toHaveLength(2_000)
    for (const numbers of perKey.values()) expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
  })
})

describe('with faults on the wire', () => {
  it('throttled requests are sent again, and nothing is stored twice', async () => {
    const local = await aService({ faults: (call) => (call <= 3 ? { kind: 'throttle' } : undefined) })
    const { producer, faults } = aProducer(local.url)

    const receipts = await Promise.all(numbered(100).map((record) => producer.put(record)))

    // The first request had all of them; the shard's lane is slowed down from then on.
    expect(receipts.every((receipt) => receipt.attempts >= 2)).toBe(true)
    expect(faults).toMatchObject([{ kind: 'throttled' }, { kind: 'throttled' }, { kind: 'throttled' }])
    expect(producer.stats().throttled).toBe(producer.stats().retried)
    expect(await storedIn(local)).toHaveLength(100)
  })

  it('only the failed entries of a request are sent again', async () => {
    const local = await aService({ faults: () => ({ kind: 'partial', fraction: 0.3 }) })
    const { producer } = aProducer(local.url)

    await Promise.all(numbered(1_000).map((record) => producer.put(record)))

    const stored = await storedIn(local)
    expect(stored).toHaveLength(1_000)
    expect(new Set(stored.map((record) => record.data)).size).toBe(1_000)
    expect(producer.stats().retried).toBeGreaterThan(200)
  })

  it.each<[FaultAction & object, boolean]>([
    [{ kind: 'error500' }, false],
    [{ kind: 'reset-before' }, false],
    [{ kind: 'reset-after' }, true],
  ])('%o is survived; what may be there twice says so by its attempts', async (fault, twice) => {
    const local = await aService({ faults: (call) => (call === 1 ? fault : undefined) })
    const { producer, faults } = aProducer(local.url)

    const receipts = await Promise.all(numbered(50).map((record) => producer.put(record)))

    expect(receipts.every((receipt) => receipt.attempts === 2)).toBe(true)
    expect(faults).toMatchObject([{ kind: 'transient', maybeDelivered: true }])
    expect(await storedIn(local)).toHaveLength(twice ? 100 : 50)
  })

  it('a request that stalls is given up after requestTimeoutMs and sent again', async () => {
    const local = await aService({
      faults: (call) => (call === 1 ? { kind: 'stall', delayMs: 20_000 } : undefined),
    })
    const { producer, faults } = aProducer(local.url, { requestTimeoutMs: 200 })

    expect(await producer.put({ partitionKey: 'a', data: 'x' })).toMatchObject({ attempts: 2 })
    expect(faults).toMatchObject([{ reason: 'RequestTimeout', maybeDelivered: true }])
  })

  it('a record whose requests all go without an answer fails as maybe delivered, and is', async () => {
    const local = await aService({ faults: () => ({ kind: 'reset-after' }) })
    const { producer } = aProducer(local.url, { maxAttempts: 2 })

    expect(await failure(producer.put({ partitionKey: 'a', data: 'x' }))).toMatchObject({
      code: 'ATTEMPTS_EXHAUSTED',
      maybeDelivered: true,
    })
    expect(await storedIn(local)).toHaveLength(2)
  })

  it("'per-key' keeps every key in order through all of them", async () => {
    const kinds: (FaultAction | undefined)[] = [
      undefined,
      { kind: 'partial', fraction: 0.5 },
      { kind: 'reset-after' },
      { kind: 'throttle' },
      { kind: 'reset-before' },
      { kind: 'error500' },
      { kind: 'stall', delayMs: 400 },
    ]
    const local = await aService({ shards: 2, faults: (call) => kinds[(call * 5) % 13] })
    const { producer } = aProducer(local.url, {
      ordering: 'per-key',
      maxBatchRecords: 40,
      requestTimeoutMs: 150,
    })

    await Promise.all(numbered(1_000, 50).map((record) => producer.put(record)))

    const perKey = firstAppearances(await storedIn(local))
    expect(perKey.size).toBe(50)
    for (const numbers of perKey.values()) {
      expect(numbers).toHaveLength(20)
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
    }
    expect(producer.stats().failedRequests).toBeGreaterThan(5)
  })
})

describe('what no attempt can help', () => {
  it('is a missing stream: at once, by name', async () => {
    const local = await aService()
    const { producer } = aProducer(local.url, { streamName: 'nowhere' })

    const error = await failure(producer.put({ partitionKey: 'a', data: 'x' }))

    expect(error).toBeInstanceOf(RequestRejectedError)
    expect(error).toMatchObject({
      reason: 'ResourceNotFoundException',
      retryable: false,
      maybeDelivered: false,
    })
    expect(error.message).toContain('The stream nowhere was not found')
    expect(producer.stats().requests).toBe(1)
  })

  it('is having no credentials: at once, with the remedy', async () => {
    const local = await aService()
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE', 'AWS_SESSION_TOKEN']) {
      vi.stubEnv(name, undefined)
    }
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nonexistent')
    vi.stubEnv('AWS_CONFIG_FILE', '/nonexistent')
    cleanups.push(async () => vi.unstubAllEnvs())
    const producer = new KinesisProducer({
      streamName: 'orders',
      endpoint: local.url,
      region: 'us-east-1',
      lingerMs: 0,
    })
    cleanups.push(() => producer.close())

    const error = await failure(producer.put({ partitionKey: 'a', data: 'x' }))

    expect(error).toMatchObject({ code: 'REQUEST_REJECTED', maybeDelivered: false })
    expect(error.message).toContain('Set AWS_ACCESS_KEY_ID')
  })
})

describe('an endpoint that nobody listens on', () => {
  it('lets records expire, certainly not delivered, and says where it tried', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    await new Promise((resolve) => server.close(resolve))
    const onPacingUnavailable = vi.fn()
    const { producer } = aProducer(`http://127.0.0.1:${port}`, {
      recordTtlMs: 300,
      hooks: { onPacingUnavailable },
    })

    const error = await failure(producer.put({ partitionKey: 'a', data: 'x' }))

    expect(error).toBeInstanceOf(RecordExpiredError)
    expect(error).toMatchObject({ retryable: true, maybeDelivered: false })
    expect(error.message).toContain(`ECONNREFUSED 127.0.0.1:${port}`)
    expect(onPacingUnavailable).toHaveBeenCalledOnce()
  })
})

describe("a client of the caller's", () => {
  it('is used as it is, makes one attempt at a time, and stays open', async () => {
    let calls = 0
    const local = await aService({
      faults: (call) => {
        calls = call
        return call <= 2 ? { kind: 'error500' } : undefined
      },
    })
    const client = new KinesisClient({
      endpoint: local.url,
      region: 'us-east-1',
      credentials,
      maxAttempts: 5,
    })
    cleanups.push(async () => client.destroy())
    const producer = new KinesisProducer({
      streamName: 'orders',
      client,
      lingerMs: 0,
      maxAttempts: 2,
      backoffBaseMs: 1,
    })

    expect(await failure(producer.put({ partitionKey: 'a', data: 'x' }))).toMatchObject({
      code: 'ATTEMPTS_EXHAUSTED',
    })
    expect(calls).toBe(2)
    expect(await producer.put({ partitionKey: 'a', data: 'x' })).toMatchObject({ attempts: 1 })
    await producer.close()

    const again = new KinesisProducer({ streamName: 'orders', client, lingerMs: 0 })
    expect(await again.put({ partitionKey: 'a', data: 'x' })).toMatchObject({ attempts: 1 })
    await again.close()
  })
})
