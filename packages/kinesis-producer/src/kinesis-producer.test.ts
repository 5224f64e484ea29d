import { ManualClock } from '@org/kinesis-core/testing'
import { describe, expect, it, vi } from 'vitest'
import {
  failedEntry,
  hashKeyIn,
  openShards,
  reset,
  ScriptedTransport,
  stall,
  storeAll,
  throttledEntry,
} from '../test/scripted-transport.js'
import { KinesisProducer } from './kinesis-producer.js'
import { type ProducerError, RecordExpiredError } from './producer-errors.js'
import type { KinesisProducerOptions } from './producer-options.js'
import { TransportFault } from './put-records-transport.js'

function aProducer(
  options: Omit<KinesisProducerOptions, 'streamName' | 'transport'> & { transport?: ScriptedTransport } = {},
) {
  const transport = options.transport ?? new ScriptedTransport()
  const clock = new ManualClock()
  const producer = new KinesisProducer({
    streamName: 'orders',
    clock,
    random: () => 0.5,
    ...options,
    transport,
  })
  return { producer, transport, clock }
}

/** Settlements in the order in which they come, without leaving a rejection unhandled. */
function watch(puts: Promise<unknown>[]): { settled: (number | string)[] } {
  const settled: (number | string)[] = []
  puts.forEach((put, index) => {
    put.then(
      () => settled.push(index),
      (error: ProducerError) => settled.push(`${index}: ${error.code}`),
    )
  })
  return { settled }
}

const numbered = (count: number, partitionKey?: string) =>
  Array.from({ length: count }, (_, index) => ({
    partitionKey: partitionKey ?? `key-${index}`,
    data: String(index),
  }))

const failure = (put: Promise<unknown>): Promise<ProducerError> =>
  put.then(
    () => {
      throw new Error('The put was delivered.')
    },
    (error: ProducerError) => error,
  )

describe('batching', () => {
  it('sends a full request at once and the rest when it has lingered', async () => {
    const { producer, transport, clock } = aProducer({ maxBatchRecords: 10, lingerMs: 50 })

    for (const record of numbered(25)) void producer.put(record)
    await clock.advance(49)
    expect(transport.requests.map((entries) => entries.length)).toEqual([10, 10])

    await clock.advance(1)
    expect(transport.requests.map((entries) => entries.length)).toEqual([10, 10, 5])
  })

  it('closes a request by bytes: data and partition keys', async () => {
    const { producer, transport, clock } = aProducer({ maxBatchBytes: 100, maxRecordBytes: 100 })

    for (let index = 0; index < 5; index++) void producer.put({ partitionKey: 'key', data: 'x'.repeat(37) })
    await clock.advance(20)

    expect(transport.requests.map((entries) => entries.length)).toEqual([2, 2, 1])
  })

  it('shares a request between the puts of one turn when it does not linger', async () => {
    const { producer, transport, clock } = aProducer({ lingerMs: 0 })

    for (const record of numbered(3)) void producer.put(record)
    await clock.advance(0)

    expect(transport.requests.map((entries) => entries.length)).toEqual([3])
  })

  it('keeps to maxInFlightRequests and goes on when one is answered', async () => {
    const waiting: (() => void)[] = []
    const transport = new ScriptedTransport({
      script: (request) => new Promise((resolve) => waiting.push(() => resolve(storeAll(request)))),
    })
    const { producer, clock } = aProducer({ transport, maxBatchRecords: 1, maxInFlightRequests: 2 })

    for (const record of numbered(3)) void producer.put(record)
    await clock.advance(100)
    expect(transport.requests).toHaveLength(2)

    waiting[0]!()
    await clock.advance(0)
    expect(transport.requests).toHaveLength(3)
  })

  it('sends bytes and text as they are and objects as JSON', async () => {
    const { producer, transport, clock } = aProducer()

    void producer.put({ partitionKey: 'a', data: Buffer.from('bytes') })
    void producer.put({ partitionKey: 'b', data: 'text' })
    void producer.put({ partitionKey: 'c', data: { value: 1 } })
    await clock.advance(20)

    expect(transport.stored.map((record) => record.data)).toEqual(['bytes', 'text', '{"value":1}'])
  })
})

describe('outcome of a put', () => {
  it('is a receipt with shard, sequence number and attempts', async () => {
    const { producer, clock } = aProducer()

    const put = producer.put({ partitionKey: 'a', data: 'x' })
    await clock.advance(20)

    expect(await put).toEqual({
      shardId: 'shardId-000000000000',
      sequenceNumber: '1',
      subSequenceNumber: 0,
      attempts: 1,
      history: [{ startedAtMs: clock.now(), durationMs: 0 }],
    })
  })

  it('is decided record by record: only what failed is sent again', async () => {
    const transport = new ScriptedTransport({
      script: ({ number, entries, store }) =>
        entries.map((entry) =>
          number === 1 && entry.partitionKey === 'key-1' ? throttledEntry : store(entry),
        ),
    })
    const { producer, clock } = aProducer({ transport })

    const puts = numbered(3).map((record) => producer.put(record))
    await clock.advance(2_000)

    expect((await Promise.all(puts)).map((receipt) => receipt.attempts)).toEqual([1, 2, 1])
    expect(transport.requests.map((entries) => entries.map((entry) => entry.partitionKey))).toEqual([
      ['key-0', 'key-1', 'key-2'],
      ['key-1'],
    ])
    expect(producer.stats()).toMatchObject({ put: 3, delivered: 3, retried: 1, throttled: 1, requests: 2 })
  })

  it('waits longer with every attempt, up to backoffMaxMs', async () => {
    const sentAt: number[] = []
    const { producer, clock, transport } = aProducer({
      lingerMs: 0,
      backoffBaseMs: 100,
      backoffMaxMs: 300,
      random: () => 0.999,
    })
    transport.script = ({ entries }) => {
      sentAt.push(clock.now())
      return entries.map(() => failedEntry)
    }

    watch([producer.put({ partitionKey: 'a', data: 'x' })])
    await clock.advance(1_000)

    expect(sentAt.slice(1, 5).map((at, index) => at - sentAt[index]!)).toEqual([99, 199, 299, 299])
  })

  it('is AttemptsExhaustedError after maxAttempts, naming the last failure', async () => {
    const transport = new ScriptedTransport({ script: ({ entries }) => entries.map(() => failedEntry) })
    const { producer, clock } = aProducer({ transport, maxAttempts: 3 })

    const error = failure(producer.put({ partitionKey: 'a', data: 'x' }))
    await clock.advance(10_000)

    expect(await error).toMatchObject({ code: 'ATTEMPTS_EXHAUSTED', attempts: 3, maybeDelivered: false })
    expect((await error).message).toContain('Internal service failure')
    expect(transport.requests).toHaveLength(3)
  })

  it('is RecordExpiredError within recordTtlMs, also for a record that never left', async () => {
    const transport = new ScriptedTransport({ script: ({ signal }) => stall(signal) })
    const { producer, clock } = aProducer({
      transport,
      lingerMs: 0,
      maxInFlightRequests: 1,
      recordTtlMs: 1_000,
      requestTimeoutMs: 5_000,
    })

    const sent = failure(producer.put({ partitionKey: 'a', data: 'x' }))
    await clock.advance(10)
    const { settled } = watch([producer.put({ partitionKey: 'b', data: 'x' })])
    await clock.advance(999)
    expect(settled).toEqual([])
    await clock.advance(1)
    expect(settled).toEqual(['0: RECORD_EXPIRED'])

    // What is in flight is left to its answer, here the timeout, after which its time is up.
    await clock.advance(5_000)
    expect(await sent).toMatchObject({ code: 'RECORD_EXPIRED', maybeDelivered: true, attempts: 1 })
  })

  it.each([
    ['a reset', () => reset()],
    [
      'a throttled request',
      () =>
        new TransportFault('slow down', { kind: 'throttled', reason: 'Throttling', maybeDelivered: false }),
    ],
    ['an exception of the transport', () => new TypeError('not a fault')],
  ])('survives %s of the whole request', async (_, fault) => {
    const transport = new ScriptedTransport({
      script: (request) => {
        if (request.number === 1) throw fault()
        return storeAll(request)
      },
    })
    const { producer, clock } = aProducer({ transport })

    const puts = numbered(3).map((record) => producer.put(record))
    await clock.advance(1_000)

    expect((await Promise.all(puts)).map((receipt) => receipt.attempts)).toEqual([2, 2, 2])
    expect(producer.stats()).toMatchObject({ requests: 2, failedRequests: 1 })
  })

  it('survives a request that is never answered: it is aborted after requestTimeoutMs', async () => {
    let aborted = false
    const transport = new ScriptedTransport({
      script: (request) => {
        if (request.number > 1) return storeAll(request)
        request.signal.addEventListener('abort', () => {
          aborted = true
        })
        return new Promise(() => {})
      },
    })
    const { producer, clock } = aProducer({ transport, requestTimeoutMs: 500 })

    const put = producer.put({ partitionKey: 'a', data: 'x' })
    await clock.advance(1_000)

    expect(await put).toMatchObject({ attempts: 2 })
    expect(aborted).toBe(true)
  })

  it.each([
    ['too few', []],
    ['too many', [failedEntry, failedEntry]],
  ])('takes %s entries in an answer for a fault after which the record may be there', async (_, answer) => {
    const transport = new ScriptedTransport({ script: () => answer })
    const onBatchSettled = vi.fn()
    const { producer, clock } = aProducer({ transport, maxAttempts: 2, hooks: { onBatchSettled } })

    const error = failure(producer.put({ partitionKey: 'a', data: 'x' }))
    await clock.advance(1_000)

    expect(await error).toMatchObject({ code: 'ATTEMPTS_EXHAUSTED', maybeDelivered: true })
    expect(producer.stats().failedRequests).toBe(2)
    expect(onBatchSettled.mock.lastCall![0].fault.reason).toBe('EntryCountMismatch')
  })

  it('takes an entry with neither sequence number nor error for a fault', async () => {
    const transport = new ScriptedTransport({
      script: (request) => (request.number === 1 ? [{}] : storeAll(request)),
    })
    const { producer, clock } = aProducer({ transport })

    const put = producer.put({ partitionKey: 'a', data: 'x' })
    await clock.advance(1_000)

    expect(await put).toMatchObject({ attempts: 2 })
  })

  it('fails at once where no attempt can help, and goes on with later puts', async () => {
    const transport = new ScriptedTransport({
      script: (request) => {
        if (request.number > 1) return storeAll(request)
        throw new TransportFault('no such stream', {
          kind: 'rejected',
          reason: 'ResourceNotFoundException',
          maybeDelivered: false,
        })
      },
    })
    const { producer, clock } = aProducer({ transport })

    const error = failure(producer.put({ partitionKey: 'a', data: 'x' }))
    await clock.advance(20)
    const later = producer.put({ partitionKey: 'a', data: 'y' })
    await clock.advance(20)

    expect(await error).toMatchObject({
      code: 'REQUEST_REJECTED',
      reason: 'ResourceNotFoundException',
      retryable: false,
      maybeDelivered: false,
    })
    expect(await later).toMatchObject({ attempts: 1 })
  })

  it('is InvalidRecordError before anything is queued', async () => {
    const { producer } = aProducer()

    expect(await failure(producer.put({ partitionKey: '', data: 'x' }))).toMatchObject({
      code: 'INVALID_RECORD',
    })
    expect(producer.stats()).toMatchObject({ put: 0, refused: 1, bufferedBytes: 0 })
  })
})

describe('bounded memory', () => {
  const oneRecord = { maxBufferedBytes: 600, maxRecordBytes: 64, maxBatchBytes: 64 }

  it('rejects with QueueFullError and takes puts again when there is room', async () => {
    const { producer, clock } = aProducer({ ...oneRecord, whenFull: 'reject' })

    const first = producer.put({ partitionKey: 'a', data: 'x' })
    expect(await failure(producer.put({ partitionKey: 'b', data: 'x' }))).toMatchObject({
      code: 'QUEUE_FULL',
      retryable: true,
      limitBytes: 600,
    })
    await clock.advance(20)
    await first

    const third = producer.put({ partitionKey: 'c', data: 'x' })
    await clock.advance(20)
    expect(await third).toMatchObject({ attempts: 1 })
    expect(producer.stats()).toMatchObject({ put: 2, refused: 1, bufferedBytes: 0 })
  })

  it('lets puts wait for room, in their order', async () => {
    const { producer, transport, clock } = aProducer({ ...oneRecord, whenFull: 'wait' })

    const puts = numbered(4).map((record) => producer.put(record))
    expect(producer.stats()).toMatchObject({ waitingForRoom: 3, pending: 4 })
    expect(producer.stats().bufferedBytes).toBeLessThanOrEqual(600)
    await clock.advance(100)
    await Promise.all(puts)

    expect(transport.stored.map((record) => record.data)).toEqual(['0', '1', '2', '3'])
    expect(producer.stats()).toMatchObject({ waitingForRoom: 0, bufferedBytes: 0 })
  })

  it('lets a put that waits for room expire', async () => {
    const transport = new ScriptedTransport({ script: ({ signal }) => stall(signal) })
    const { producer, clock } = aProducer({ ...oneRecord, transport, recordTtlMs: 500 })

    watch([producer.put({ partitionKey: 'a', data: 'x' })])
    const error = failure(producer.put({ partitionKey: 'b', data: 'x' }))
    await clock.advance(500)

    expect(await error).toBeInstanceOf(RecordExpiredError)
    expect(await error).toMatchObject({ attempts: 0, maybeDelivered: false })
  })

  it('takes a record that is larger than the whole buffer when that is empty', async () => {
    const { producer, clock } = aProducer({ maxBufferedBytes: 10 })

    const put = producer.put({ partitionKey: 'a', data: 'x'.repeat(1_000) })
    await clock.advance(20)

    expect(await put).toMatchObject({ attempts: 1 })
  })

  it('resolves ready() at once with room, and otherwise when records have settled', async () => {
    const { producer, clock } = aProducer({ ...oneRecord, whenFull: 'reject' })
    await producer.ready()

    void producer.put({ partitionKey: 'a', data: 'x' })
    const { settled } = watch([producer.ready()])
    await clock.advance(19)
    expect(settled).toEqual([])

    await clock.advance(1)
    expect(settled).toEqual([0])
  })
})

describe('flush', () => {
  it('sends at once and resolves when everything put before has settled, whatever comes later', async () => {
    const waiting: (() => void)[] = []
    const transport = new ScriptedTransport({
      script: (request) => new Promise((resolve) => waiting.push(() => resolve(storeAll(request)))),
    })
    const { producer, clock } = aProducer({ transport, lingerMs: 60_000 })

    const { settled } = watch([producer.put({ partitionKey: 'a', data: 'x' }), producer.flush()])
    void producer.put({ partitionKey: 'b', data: 'x' })
    await clock.advance(0)
    expect(transport.requests).toHaveLength(1)
    expect(settled).toEqual([])

    waiting[0]!()
    await clock.advance(0)
    expect(settled).toEqual([0, 1])
  })

  it('waits for retries and for puts that wait for room', async () => {
    const transport = new ScriptedTransport({
      script: (request) => {
        if (request.number === 1) throw reset()
        return storeAll(request)
      },
    })
    const { producer, clock } = aProducer({
      transport,
      maxBufferedBytes: 600,
      maxRecordBytes: 64,
      lingerMs: 60_000,
    })

    const { settled } = watch([...numbered(3).map((record) => producer.put(record)), producer.flush()])
    await clock.advance(1_000)

    expect(settled).toEqual([0, 1, 2, 3])
  })

  it('resolves at once when nothing is pending', async () => {
    const { producer } = aProducer()

    await producer.flush()
  })

  it('counts a record that failed as settled', async () => {
    const transport = new ScriptedTransport({ script: ({ entries }) => entries.map(() => failedEntry) })
    const { producer, clock } = aProducer({ transport, maxAttempts: 1 })

    const { settled } = watch([producer.put({ partitionKey: 'a', data: 'x' }), producer.flush()])
    await clock.advance(0)

    expect(settled).toEqual(['0: ATTEMPTS_EXHAUSTED', 1])
  })
})

describe('close', () => {
  it('drains, refuses further puts, lets go of the transport, and is idempotent', async () => {
    const { producer, transport, clock } = aProducer({ lingerMs: 60_000 })

    const put = producer.put({ partitionKey: 'a', data: 'x' })
    const closing = producer.close()
    expect(producer.close({ deadlineMs: 0 })).toBe(closing)
    expect(await failure(producer.put({ partitionKey: 'b', data: 'x' }))).toMatchObject({
      code: 'PRODUCER_CLOSED',
    })
    await clock.advance(0)

    expect(await put).toMatchObject({ attempts: 1 })
    expect(await closing).toEqual({ undelivered: [] })
    expect(transport.closed).toBe(true)
    expect(await failure(producer.ready())).toMatchObject({ code: 'PRODUCER_CLOSED' })
  })

  it('gives up at its deadline and returns what did not make it, in put order', async () => {
    const transport = new ScriptedTransport({ script: ({ signal }) => stall(signal) })
    const { producer, clock } = aProducer({ transport, maxBatchRecords: 1, maxInFlightRequests: 1 })

    const { settled } = watch(numbered(3).map((record) => producer.put(record)))
    await clock.advance(50)
    const closing = producer.close({ deadlineMs: 100 })
    await clock.advance(99)
    expect(settled).toEqual([])
    await clock.advance(1)

    const { undelivered } = await closing
    expect(undelivered.map((record) => Buffer.from(record.data).toString())).toEqual(['0', '1', '2'])
    // Only the first was on its way.
    expect(undelivered.map((record) => record.error.maybeDelivered)).toEqual([true, false, false])
    expect(settled).toEqual(['0: PRODUCER_CLOSED', '1: PRODUCER_CLOSED', '2: PRODUCER_CLOSED'])
    expect(producer.stats()).toMatchObject({ pending: 0, bufferedBytes: 0, failed: 3 })
  })

  it('lets an answer that comes after the deadline change nothing', async () => {
    let answer = () => {}
    const transport = new ScriptedTransport({
      script: (request) =>
        new Promise((resolve) => {
          answer = () => resolve(storeAll(request))
        }),
    })
    const { producer, clock } = aProducer({ transport })

    const { settled } = watch([producer.put({ partitionKey: 'a', data: 'x' })])
    await clock.advance(20)
    const closing = producer.close({ deadlineMs: 0 })
    await clock.advance(0)
    answer()
    await clock.advance(0)

    expect(settled).toEqual(['0: PRODUCER_CLOSED'])
    expect((await closing).undelivered).toHaveLength(1)
    expect(producer.stats()).toMatchObject({ delivered: 0, failed: 1, inFlightRequests: 0 })
  })

  it('returns what failed while it drained', async () => {
    const transport = new ScriptedTransport({ script: ({ entries }) => entries.map(() => failedEntry) })
    const { producer, clock } = aProducer({ transport, maxAttempts: 1 })

    watch([producer.put({ partitionKey: 'a', explicitHashKey: '7', data: 'x' })])
    const closing = producer.close()
    await clock.advance(0)

    expect((await closing).undelivered).toMatchObject([
      { partitionKey: 'a', explicitHashKey: '7', error: { code: 'ATTEMPTS_EXHAUSTED' } },
    ])
  })

  it('wakes who waits for room', async () => {
    const transport = new ScriptedTransport({ script: ({ signal }) => stall(signal) })
    const { producer, clock } = aProducer({ transport, maxBufferedBytes: 10 })

    watch([producer.put({ partitionKey: 'a', data: 'x' })])
    const waiting = failure(producer.ready())
    void producer.close({ deadlineMs: 1_000 })
    await clock.advance(0)

    expect(await waiting).toMatchObject({ code: 'PRODUCER_CLOSED' })
    await clock.advance(1_000)
  })

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY])(
    'refuses %s as a deadline, and stays open',
    async (deadlineMs) => {
      const { producer, clock } = aProducer()

      await expect(producer.close({ deadlineMs })).rejects.toThrow(/deadlineMs: .* leave it out/)
      const put = producer.put({ partitionKey: 'a', data: 'x' })
      await clock.advance(20)
      expect(await put).toMatchObject({ attempts: 1 })
    },
  )

  it('is what `await using` does', async () => {
    const { producer, transport } = aProducer({ lingerMs: 0 })
    {
      await using scoped = producer
      void scoped.put({ partitionKey: 'a', data: 'x' })
    }
    expect(transport.stored).toHaveLength(1)
  })
})

describe('ordering per key', () => {
  it('has at most one record of a key in a request and one request of it in flight', async () => {
    const { producer, transport, clock } = aProducer({ ordering: 'per-key' })

    for (let index = 0; index < 3; index++) {
      void producer.put({ partitionKey: 'a', data: `a${index}` })
      void producer.put({ partitionKey: 'b', data: `b${index}` })
    }
    await clock.advance(100)

    expect(
      transport.requests.map((entries) => entries.map((entry) => Buffer.from(entry.data).toString())),
    ).toEqual([
      ['a0', 'b0'],
      ['a1', 'b1'],
      ['a2', 'b2'],
    ])
  })

  it('holds the rest of a key back while its first is retried, and no other key', async () => {
    const transport = new ScriptedTransport({
      script: ({ number, entries, store }) =>
        entries.map((entry) => (number <= 2 && entry.partitionKey === 'a' ? throttledEntry : store(entry))),
    })
    const { producer, clock } = aProducer({ transport, ordering: 'per-key' })

    for (const data of ['1', '2', '3']) void producer.put({ partitionKey: 'a', data })
    void producer.put({ partitionKey: 'b', data: 'b' })
    await clock.advance(10_000)

    expect(transport.stored.map((record) => record.data)).toEqual(['b', '1', '2', '3'])
  })

  it("goes on with the next record after a failure with onExpired: 'continue'", async () => {
    const transport = new ScriptedTransport({
      script: ({ entries, store }) =>
        entries.map((entry) => (Buffer.from(entry.data).toString() === '1' ? failedEntry : store(entry))),
    })
    const { producer, clock } = aProducer({ transport, ordering: 'per-key', maxAttempts: 2 })

    const { settled } = watch(numbered(3, 'a').map((record) => producer.put(record)))
    await clock.advance(1_000)

    expect(settled).toEqual([0, '1: ATTEMPTS_EXHAUSTED', 2])
  })

  it("fails the rest of the key with onExpired: 'halt-key', until resumeKey", async () => {
    let broken = true
    const transport = new ScriptedTransport({
      script: ({ entries, store }) =>
        entries.map((entry) => (broken && entry.partitionKey === 'a' ? failedEntry : store(entry))),
    })
    const { producer, clock } = aProducer({
      transport,
      ordering: 'per-key',
      onExpired: 'halt-key',
      maxAttempts: 2,
    })

    const { settled } = watch(numbered(3, 'a').map((record) => producer.put(record)))
    const other = producer.put({ partitionKey: 'b', data: 'x' })
    await clock.advance(1_000)
    expect(settled).toEqual(['0: ATTEMPTS_EXHAUSTED', '1: KEY_HALTED', '2: KEY_HALTED'])
    expect(await other).toMatchObject({ attempts: 1 })
    expect(await failure(producer.put({ partitionKey: 'a', data: 'x' }))).toMatchObject({
      code: 'KEY_HALTED',
    })
    expect(producer.stats()).toMatchObject({ haltedKeys: 1, bufferedBytes: 0, pending: 0 })

    broken = false
    expect(producer.resumeKey('a')).toBe(true)
    expect(producer.resumeKey('a')).toBe(false)
    const again = producer.put({ partitionKey: 'a', data: 'again' })
    await clock.advance(1_000)
    expect(await again).toMatchObject({ attempts: 1 })
  })

  it('has halted the key by the time that a failure is told', async () => {
    const again: Promise<unknown>[] = []
    const { producer, clock } = aProducer({
      ordering: 'per-key',
      onExpired: 'halt-key',
      maxBufferedBytes: 2_200,
      recordTtlMs: 1_000,
      requestTimeoutMs: 60_000,
      maxInFlightRequests: 2,
      transport: new ScriptedTransport({
        script: ({ signal, entries, store }) =>
          entries[0]!.partitionKey === 'stalls' ? stall(signal) : entries.map(store),
      }),
      hooks: {
        onRecordFailed: ({ partitionKey }) =>
          void again.push(failure(producer.put({ partitionKey, data: 'again' }))),
      },
    })
    void producer.put({ partitionKey: 'stalls', data: 'x'.repeat(1_000) })
    const { settled } = watch([producer.put({ partitionKey: 'k', data: 'x'.repeat(1_000) })])

    await clock.advance(1_100)

    expect(settled).toEqual(['0: RECORD_EXPIRED'])
    expect(await Promise.all(again)).toMatchObject([{ code: 'KEY_HALTED' }])
  })

  it('halts a key also for those of it that wait for room', async () => {
    const transport = new ScriptedTransport({ script: ({ entries }) => entries.map(() => failedEntry) })
    const { producer, clock } = aProducer({
      transport,
      ordering: 'per-key',
      onExpired: 'halt-key',
      maxAttempts: 1,
      maxBufferedBytes: 600,
    })

    const { settled } = watch(numbered(3, 'a').map((record) => producer.put(record)))
    expect(producer.stats().waitingForRoom).toBe(2)
    await clock.advance(20)

    expect(settled).toEqual(['0: ATTEMPTS_EXHAUSTED', '1: KEY_HALTED', '2: KEY_HALTED'])
    expect(transport.requests).toHaveLength(1)
  })
})

describe('pacing', () => {
  it('keeps a hot shard within its limit without delaying the others', async () => {
    const transport = new ScriptedTransport({ shards: 2 })
    const { producer, clock } = aProducer({ transport })
    const hot = { partitionKey: 'hot', explicitHashKey: hashKeyIn(0, 2), data: 'x' }
    const cold = { partitionKey: 'cold', explicitHashKey: hashKeyIn(1, 2), data: 'x' }
    void producer.put(cold)
    await clock.advance(20)

    for (let index = 0; index < 5_000; index++) void producer.put(hot)
    await clock.advance(0)
    const { settled } = watch([producer.put(cold)])
    await clock.advance(20)

    expect(settled).toEqual([0])
    const hotCount = () => transport.stored.filter((record) => record.partitionKey === 'hot').length
    // One second's allowance at once, and 1,000 a second from then on.
    expect(hotCount()).toBeLessThanOrEqual(1_025)
    await clock.advance(1_980)
    expect(hotCount()).toBeGreaterThanOrEqual(2_950)
    expect(hotCount()).toBeLessThanOrEqual(3_025)
    await clock.advance(3_000)
    expect(hotCount()).toBe(5_000)
  })

  it('finds the share of a shard that others leave, and uses it', async () => {
    const { producer, clock, transport } = aProducer({ recordTtlMs: 1_000_000, random: () => 0.9 })
    let allowance = 500
    let lastMs = clock.now()
    transport.script = ({ entries, store }) => {
      allowance = Math.min(500, allowance + (clock.now() - lastMs) / 2)
      lastMs = clock.now()
      return entries.map((entry) => {
        if (allowance < 1) return throttledEntry
        allowance--
        return store(entry)
      })
    }

    watch(numbered(20_000).map((record) => producer.put(record)))
    await clock.advance(20_000)
    const before = producer.stats()
    await clock.advance(10_000)
    const after = producer.stats()

    const delivered = after.delivered - before.delivered
    expect(delivered).toBeGreaterThan(0.95 * 5_000)
    expect(after.throttled - before.throttled).toBeLessThan(0.1 * delivered)
  })

  it('lists the shards again when records land elsewhere, and not for every request', async () => {
    const transport = new ScriptedTransport({ shards: 1 })
    const { producer, clock } = aProducer({ transport, lingerMs: 0 })
    const put = async () => {
      const receipt = producer.put({ partitionKey: 'a', data: 'x' })
      await clock.advance(0)
      await receipt
    }
    await put()
    expect(producer.stats().shards).toBe(1)

    transport.shards = openShards(2, 'child-')
    await clock.advance(10_000)
    await put()
    await put()
    expect(transport.listings).toBe(2)
    expect(producer.stats().shards).toBe(2)

    // A listing that lags: the evidence goes on, the listings become rare.
    transport.script = ({ entries }) => entries.map(() => ({ shardId: 'unheard-of', sequenceNumber: '1' }))
    for (let index = 0; index < 300; index++) {
      await put()
      await clock.advance(100)
    }
    expect(transport.listings).toBeLessThan(10)
    expect(transport.listings).toBeGreaterThan(3)
  })

  it('sends what waited for a shard that is split by then, without waiting for more', async () => {
    const transport = new ScriptedTransport({ shards: 1 })
    const { producer, clock } = aProducer({ transport })
    void producer.put({ partitionKey: 'a', data: 'x' })
    await clock.advance(2_000)

    const puts = numbered(1_010).map((record) => producer.put(record))
    transport.shards = openShards(2, 'child-')
    await clock.advance(20)

    expect(await Promise.all(puts)).toHaveLength(1_010)
    expect(producer.stats().shards).toBe(2)
  })

  it('lets a burst at the start wait for the shards, but not its first request', async () => {
    const transport = new ScriptedTransport({ shards: 1 })
    let listed = () => {}
    transport.listShards = () =>
      new Promise((resolve) => {
        listed = () => resolve(openShards(1))
      })
    const { producer, clock } = aProducer({ transport })

    watch(numbered(3_000).map((record) => producer.put(record)))
    await clock.advance(20)
    expect(transport.stored).toHaveLength(500)

    listed()
    await clock.advance(0)
    // One second's allowance of the shard, the first request included.
    expect(transport.stored).toHaveLength(1_000)
    await clock.advance(2_100)
    expect(transport.stored).toHaveLength(3_000)
  })

  it('does not let records wait for a listing that never comes', async () => {
    const transport = new ScriptedTransport()
    transport.listShards = () => new Promise(() => {})
    const { producer, clock } = aProducer({ transport })

    watch(numbered(3_000).map((record) => producer.put(record)))
    await clock.advance(5_000)

    expect(transport.stored).toHaveLength(3_000)
  })

  it('works without pacing when the shards cannot be listed, and says so once', async () => {
    const transport = new ScriptedTransport()
    transport.shards = new Error('AccessDeniedException: kinesis:ListShards')
    const onPacingUnavailable = vi.fn()
    const { producer, clock } = aProducer({ transport, hooks: { onPacingUnavailable } })

    for (let round = 0; round < 3; round++) {
      const puts = numbered(1_500).map((record) => producer.put(record))
      await clock.advance(20)
      await Promise.all(puts)
      await clock.advance(60_000)
    }

    expect(onPacingUnavailable).toHaveBeenCalledOnce()
    expect(transport.listings).toBe(3)
    expect(producer.stats().shards).toBe(0)
  })

  it('sorts what waits anew when a listing comes', async () => {
    const transport = new ScriptedTransport({ shards: 2 })
    const { producer, clock } = aProducer({ transport, maxBatchRecords: 1, maxInFlightRequests: 1 })
    let release = () => {}
    transport.script = (request) =>
      new Promise((resolve) => {
        release = () => resolve(storeAll(request))
      })

    const puts = numbered(20).map((record) => producer.put(record))
    await clock.advance(0)
    transport.script = storeAll
    release()
    await clock.advance(0)

    expect(await Promise.all(puts)).toHaveLength(20)
    expect(producer.stats().shards).toBe(2)
  })
})

describe('hooks and stats', () => {
  it('tells of requests, retries and failures', async () => {
    const events: unknown[] = []
    const note = (name: string) => (event: object) => events.push({ name, ...event })
    const transport = new ScriptedTransport({
      script: ({ number, entries, store }) =>
        entries.map((entry) => (entry.partitionKey === 'key-0' || number === 1 ? failedEntry : store(entry))),
    })
    const { producer, clock } = aProducer({
      transport,
      maxAttempts: 2,
      hooks: {
        onBatchSent: note('sent'),
        onBatchSettled: note('settled'),
        onRecordRetried: note('retried'),
        onRecordFailed: note('failed'),
      },
    })

    watch(numbered(2).map((record) => producer.put(record)))
    await clock.advance(1_000)

    expect(events).toMatchObject([
      { name: 'sent', records: 2, sizeBytes: 12, inFlightRequests: 1 },
      {
        name: 'retried',
        partitionKey: 'key-0',
        attempts: 1,
        delayMs: 50,
        fault: { reason: 'InternalFailure' },
      },
      { name: 'retried', partitionKey: 'key-1', attempts: 1, delayMs: 50 },
      { name: 'settled', records: 2, durationMs: 0, delivered: 0, retried: 2, failed: 0, throttled: 0 },
      { name: 'sent', records: 2 },
      { name: 'failed', partitionKey: 'key-0', error: { code: 'ATTEMPTS_EXHAUSTED' } },
      { name: 'settled', delivered: 1, failed: 1 },
    ])
  })

  it('is not disturbed by a hook that throws, or that puts', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    let more = 3
    const { producer, transport, clock } = aProducer({
      lingerMs: 0,
      maxBatchRecords: 1,
      hooks: {
        onBatchSent: () => {
          if (more-- > 0) void producer.put({ partitionKey: 'more', data: 'x' })
          throw new Error('a bug in a hook')
        },
      },
    })

    void producer.put({ partitionKey: 'a', data: 'x' })
    await clock.advance(0)

    expect(transport.stored).toHaveLength(4)
    expect(warned).toHaveBeenCalledTimes(4)
    warned.mockRestore()
  })
})

describe('timers', () => {
  it('run only while records are pending', async () => {
    const timers = new Set<object>()
    const clock = new ManualClock()
    const counting = {
      now: () => clock.now(),
      schedule(delayMs: number, callback: () => void) {
        const timer = {}
        timers.add(timer)
        const cancel = clock.schedule(delayMs, () => {
          timers.delete(timer)
          callback()
        })
        return () => {
          timers.delete(timer)
          cancel()
        }
      },
    }
    const { producer } = aProducer({ clock: counting })
    expect(timers.size).toBe(0)

    const put = producer.put({ partitionKey: 'a', data: 'x' })
    expect(timers.size).toBeGreaterThan(0)
    await clock.advance(20)
    await put

    expect(timers.size).toBe(0)
  })
})
