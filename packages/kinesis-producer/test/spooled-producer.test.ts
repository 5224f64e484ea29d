import { afterEach, describe, expect, it, vi } from 'vitest'
import { QueueFullError, toWritable } from '../src/index.js'
import {
  aProducer,
  aService,
  aSpoolDirectory,
  cleanUp,
  codeOf,
  keysOutOfOrder,
  leave,
  numbered,
  numbersByKey,
  numbersIn,
  type ProducerOptions,
} from './spooled-producer-fixture.js'

afterEach(cleanUp)

describe('a record that was put', () => {
  it('is on disk when put returns, also where it waits for room, and until it is delivered', async () => {
    const service = await aService({ isDown: true })
    const producer = aProducer(service.local, {
      spool: { directory: aSpoolDirectory() },
      maxBufferedBytes: 2_000,
    })
    await producer.ready()

    const puts = numbered(0, 20).map((record) => producer.put(record))
    expect(producer.stats()).toMatchObject({ put: 20, spool: { segments: 1, unsettled: 20 } })
    expect(producer.stats().waitingForRoom).toBeGreaterThan(0)

    service.isDown = false
    await Promise.all(puts)
    expect(producer.stats()).toMatchObject({ delivered: 20, recovered: 0, spool: { unsettled: 0 } })
  })

  it('leaves the disk when its failure was told', async () => {
    const service = await aService({ isDown: true })
    const spool = { directory: aSpoolDirectory() }
    const producer = aProducer(service.local, { spool, maxAttempts: 2 })

    expect(await codeOf(producer.put({ partitionKey: 'a', data: '1' }))).toBe('ATTEMPTS_EXHAUSTED')
    expect(producer.stats().spool?.unsettled).toBe(0)
    await producer.close()

    const next = aProducer(service.local, { spool })
    await next.ready()
    expect(next.stats().recovered).toBe(0)
  })

  it('leaves the disk when the aggregate is delivered that it was packed into, or divided from', async () => {
    const service = await aService()
    const { local } = service
    const producer = aProducer(local, {
      spool: { directory: aSpoolDirectory() },
      aggregation: true,
      maxBatchRecords: 20,
    })
    await producer.ready()
    const putAll = (name: string) =>
      Promise.all(
        Array.from({ length: 200 }, (_, index) =>
          producer.put({ partitionKey: `${name}-${index}`, data: '1' }),
        ),
      )
    // Behind the first request each waits alone, and is packed when the shards are known.
    const packed = await putAll('early')
    expect(producer.stats()).toMatchObject({ delivered: 200, spool: { unsettled: 0 } })
    expect(Math.max(...packed.map(({ subSequenceNumber }) => subSequenceNumber))).toBeGreaterThan(0)

    service.isDown = true
    const divided = putAll('late')
    await vi.waitFor(() => expect(producer.stats().retried).toBeGreaterThan(0))
    const split = { StreamName: 'orders', ShardToSplit: 'shardId-000000000000' }
    // Amid a quarter of the key space, which is what an aggregate of the one shard holds.
    await local.kinesis.call('SplitShard', { ...split, NewStartingHashKey: String(3n * 2n ** 125n) })
    service.isDown = false
    const shards = (await divided).map(({ shardId }) => shardId)
    expect(new Set(shards).size).toBe(2)
    expect(producer.stats()).toMatchObject({ delivered: 400, spool: { unsettled: 0 } })
  })

  it('is refused before it is written where the buffer is full', async () => {
    const service = await aService({ isDown: true })
    const spool = { directory: aSpoolDirectory() }
    const producer = aProducer(service.local, { spool, maxBufferedBytes: 2_000, whenFull: 'reject' })
    await producer.ready()

    const codes = numbered(0, 10).map((record) => codeOf(producer.put(record)))
    const { put, refused, spool: held } = producer.stats()
    expect({ refused, unsettled: held?.unsettled }).toEqual({ refused: 10 - put, unsettled: put })
    expect(refused).toBeGreaterThan(0)

    service.isDown = false
    expect(new Set(await Promise.all(codes))).toEqual(new Set(['delivered', 'QUEUE_FULL']))
  })
})

describe('a process that comes after another', () => {
  it('sends what close gave up, and counts it', async () => {
    const service = await aService()
    const spool = { directory: aSpoolDirectory() }
    const { undelivered, codes } = await leave(service, numbered(0, 20), { spool })
    expect(undelivered).toHaveLength(20)
    expect(new Set(codes)).toEqual(new Set(['PRODUCER_CLOSED']))

    const next = aProducer(service.local, { spool })
    await next.flush()
    expect(next.stats()).toMatchObject({ put: 20, delivered: 20, recovered: 20, spool: { unsettled: 0 } })
    expect(await next.close()).toEqual({ undelivered: [] })
    expect(await numbersIn(service.local)).toEqual(numbered(0, 20).map(({ data }) => Number(data)))

    const third = aProducer(service.local, { spool })
    await third.ready()
    expect(third.stats()).toMatchObject({ recovered: 0, spool: { segments: 0, bytes: 0, unsettled: 0 } })
  })

  it('sends it before anything of its own, in the order of each key', async () => {
    const service = await aService()
    const options: ProducerOptions = { spool: { directory: aSpoolDirectory() }, ordering: 'per-key' }
    await leave(service, numbered(0, 50), options)

    const next = aProducer(service.local, options)
    const puts = numbered(50, 100).map((record) => next.put(record))
    await next.flush()
    await Promise.all(puts)

    const byKey = await numbersByKey(service.local)
    expect(new Set([...byKey.values()].flat()).size).toBe(100)
    expect(keysOutOfOrder(byKey)).toEqual([])
  })

  it('lets in no more than there is room for, and holds those that come meanwhile', async () => {
    const service = await aService()
    const spool = { directory: aSpoolDirectory(), segmentBytes: 16_384 }
    await leave(service, numbered(0, 100, 1_000), { spool })

    service.isDown = true
    const next = aProducer(service.local, { spool, maxBufferedBytes: 20_000, ordering: 'per-key' })
    const held = numbered(100, 110).map((record) => next.put(record))
    await vi.waitFor(() => expect(next.stats().bufferedBytes).toBeGreaterThan(10_000))
    expect(next.stats().recovered).toBeLessThan(20)
    expect(next.stats().bufferedBytes).toBeLessThanOrEqual(20_000)

    service.isDown = false
    await next.flush()
    await Promise.all(held)
    expect(next.stats()).toMatchObject({ delivered: 110, recovered: 100 })
    expect(keysOutOfOrder(await numbersByKey(service.local))).toEqual([])
  })

  it("refuses puts that may not wait, with whenFull: 'reject', as long as what is recovered takes the room", async () => {
    const service = await aService()
    const spool = { directory: aSpoolDirectory() }
    await leave(service, numbered(0, 100, 1_000), { spool })

    service.isDown = true
    const next = aProducer(service.local, { spool, maxBufferedBytes: 20_000, whenFull: 'reject' })
    await expect(next.put({ partitionKey: 'a', data: '100' })).rejects.toThrow(QueueFullError)
    await expect(next.put({ partitionKey: 'a', data: '100' })).rejects.toThrow(QueueFullError)
    expect(next.stats()).toMatchObject({ refused: 2 })

    service.isDown = false
    await next.ready()
    await next.put({ partitionKey: 'a', data: '100' })
    expect(await numbersIn(service.local)).toHaveLength(101)
  })

  it('tells of what it recovered and could not deliver', async () => {
    const service = await aService()
    const spool = { directory: aSpoolDirectory() }
    await leave(service, numbered(0, 3, 100), { spool })

    const failed: string[] = []
    const next = aProducer(service.local, {
      spool,
      maxRecordBytes: 50,
      hooks: {
        onRecordFailed: ({ data, error }) => failed.push(`${parseInt(String(data), 10)} ${error.code}`),
      },
    })
    await next.flush()
    expect(failed).toHaveLength(3)
    expect(next.stats()).toMatchObject({
      put: 3,
      failed: 3,
      pending: 0,
      recovered: 3,
      spool: { unsettled: 0 },
    })
  })

  it('gives back what it has not let in, where close has a deadline', async () => {
    const service = await aService()
    const spool = { directory: aSpoolDirectory() }
    await leave(service, numbered(0, 100, 1_000), { spool })
    service.isDown = true
    const second = aProducer(service.local, { spool, maxBufferedBytes: 20_000 })
    const held = codeOf(second.put({ partitionKey: 'a', data: '100' }))
    const { undelivered } = await second.close({ deadlineMs: 100 })
    expect(undelivered.length).toBeLessThan(20)
    expect(await held).toBe('PRODUCER_CLOSED')

    service.isDown = false
    const third = aProducer(service.local, { spool })
    await third.close()
    expect(await numbersIn(service.local)).toHaveLength(100)
  })
})

describe('a producer whose spool is not open yet', () => {
  it('throws from enqueue, and says what to await', async () => {
    const { local } = await aService()
    const producer = aProducer(local, { spool: { directory: aSpoolDirectory() } })
    expect(() => producer.enqueue({ partitionKey: 'a', data: '1' })).toThrow(
      expect.objectContaining({
        code: 'SPOOL_STARTING',
        retryable: true,
        message: expect.stringContaining('ready()'),
      }),
    )
    await producer.ready()
    expect(producer.enqueue({ partitionKey: 'a', data: '1' })).toBe(true)
    expect(producer.stats()).toMatchObject({ put: 1, refused: 1 })
  })

  it('takes streams and puts, and flushes and closes only behind them', async () => {
    const { local } = await aService()
    const spool = { directory: aSpoolDirectory() }
    const first = aProducer(local, { spool })
    const put = codeOf(first.put({ partitionKey: 'a', data: '1' }))
    await first.close()
    expect(await put).toBe('delivered')

    const second = aProducer(local, { spool })
    const writable = toWritable(second)
    writable.write({ partitionKey: 'a', data: '2' })
    await new Promise<void>((resolve) => writable.end(resolve))
    expect(second.stats().delivered).toBe(1)
  })
})
