import { ManualClock } from '@org/kinesis-core/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { createSimulation } from '../src/index.js'
import { type LocalService, ServiceError } from '../src/service.js'
import { aMapping as aMappingUntil, dataOf } from './mapping-fixture.js'
import { aStream, STREAM } from './stream-fixture.js'

const cleanup: (() => Promise<unknown>)[] = []
const aMapping = (...of: Parameters<typeof aMappingUntil> extends [unknown, ...infer Rest] ? Rest : never) =>
  aMappingUntil(cleanup, ...of)

afterEach(async () => {
  for (const close of cleanup.splice(0).reverse()) await close()
})

describe('an event source mapping', () => {
  it('hands everything that was put before it, and while it runs, to the function', async () => {
    const stream = aStream({ shards: 3 })
    stream.putMany(500, (index) => `key-${index}`)
    const { mapping, seen } = await aMapping(stream.service, 'collect')
    await expect.poll(() => mapping.stats().recordsResolved).toBeGreaterThan(0)
    stream.putMany(
      500,
      (index) => `key-${index}`,
      (index) => String(500 + index),
    )

    await mapping.drain()

    const data = dataOf(await seen()).map(Number)
    expect(data.sort((a, b) => a - b)).toEqual(Array.from({ length: 1_000 }, (_, index) => index))
    expect(mapping.stats()).toMatchObject({
      recordsRead: 1_000,
      recordsResolved: 1_000,
      unresolvedRecords: 0,
      failedInvocations: 0,
      lagMs: 0,
    })
  })

  it('keeps the order of every partition key, also with parallel batches and failing invocations', async () => {
    const stream = aStream({ shards: 2 })
    stream.putMany(300, (index) => `key-${index % 12}`)
    const { mapping, seen } = await aMapping(
      stream.service,
      'collect',
      { batchSize: 5, parallelizationFactor: 4 },
      { maxConcurrency: 8, fault: ({ number }) => (number % 5 === 0 ? 'throw' : undefined) },
    )

    await mapping.drain()

    const byKey = new Map<string, number[]>()
    for (const { records } of await seen()) {
      for (const { key, data } of records) byKey.set(key, [...(byKey.get(key) ?? []), Number(data)])
    }
    expect(byKey.size).toBe(12)
    for (const order of byKey.values()) expect(order).toEqual([...order].sort((a, b) => a - b))
    expect(mapping.stats().failedInvocations).toBeGreaterThan(0)
  })

  it('repeats a batch whose function died, after the handler saw it', async () => {
    const stream = aStream()
    stream.putMany(3, () => 'key')
    const { mapping, seen, fn } = await aMapping(stream.service, 'dieOnce')

    await mapping.drain()

    expect((await seen()).map(({ records }) => records.map((record) => record.data))).toEqual([
      ['0', '1', '2'],
      ['0', '1', '2'],
    ])
    expect(fn.stats()).toMatchObject({ invocations: 2, failedInvocations: 1, startedProcesses: 2 })
  })

  it('writes a batch that it gives up into the failure destination, whole, and goes on', async () => {
    const stream = aStream()
    for (const data of ['a', 'bad', 'b', 'c']) stream.put('key', data)
    const { mapping, seen, discarded } = await aMapping(stream.service, 'failOnBad', {
      batchSize: 2,
      maximumRetryAttempts: 1,
    })

    await mapping.drain()

    expect(dataOf(await seen())).toEqual(['a', 'bad', 'a', 'bad', 'b', 'c'])
    const [failure, ...others] = await discarded()
    expect(others).toEqual([])
    expect(failure!.name).toMatch(
      new RegExp(
        `^aws/lambda/${mapping.id}/shardId-000000000000/\\d{4}/\\d\\d/\\d\\d/\\d{4}-\\d\\d-\\d\\dT\\d\\d\\.\\d\\d\\.\\d\\d-[0-9a-f-]{36}\\.json$`,
      ),
    )
    expect(failure!.document).toMatchObject({
      requestContext: { condition: 'RetryAttemptsExhausted', approximateInvokeCount: 2 },
      KinesisBatchInfo: { shardId: 'shardId-000000000000', batchSize: 2 },
    })
    const payload = JSON.parse(failure!.document.payload!) as { Records: { kinesis: { data: string } }[] }
    expect(payload.Records.map((record) => Buffer.from(record.kinesis.data, 'base64').toString())).toEqual([
      'a',
      'bad',
    ])
    expect(mapping.stats()).toMatchObject({ recordsDiscarded: 2, batchesDiscarded: 1, recordsResolved: 2 })
  })

  it('isolates a bad record by bisecting, so that it alone is given up', async () => {
    const stream = aStream()
    stream.putMany(
      16,
      () => 'key',
      (index) => (index === 11 ? 'bad' : String(index)),
    )
    const { mapping, discarded } = await aMapping(stream.service, 'failOnBad', {
      maximumRetryAttempts: 1,
      bisectBatchOnFunctionError: true,
    })

    await mapping.drain()

    expect((await discarded()).map(({ document }) => document.KinesisBatchInfo.batchSize)).toEqual([1])
    expect(mapping.stats()).toMatchObject({ recordsDiscarded: 1, recordsResolved: 15 })
  })

  it('goes on at the first record that a response reports', async () => {
    const stream = aStream()
    for (const data of ['a', 'bad', 'b']) stream.put('key', data)
    const { mapping, seen } = await aMapping(stream.service, 'reportBad', {
      reportBatchItemFailures: true,
      maximumRetryAttempts: 1,
    })

    await mapping.drain()

    expect((await seen()).map(({ records }) => records.map((record) => record.data))).toEqual([
      ['a', 'bad', 'b'],
      ['bad', 'b'],
      ['bad', 'b'],
    ])
    expect(mapping.stats()).toMatchObject({ recordsDiscarded: 2, recordsResolved: 1 })
  })

  it('counts in tumbling windows, and closes them at once when it is drained', async () => {
    const stream = aStream()
    for (const key of ['a', 'b', 'a']) stream.put(key, 'x')
    const { mapping, seen } = await aMapping(stream.service, 'countInWindow', {
      tumblingWindowMs: 900_000,
      batchSize: 2,
    })

    await mapping.drain()

    const invocations = await seen()
    // A border of windows may fall between the puts and the drain.
    const finals = invocations.filter((invocation) => invocation.isFinalInvokeForWindow)
    expect(finals.at(-1)).toMatchObject({ records: [], window: { start: expect.any(String) } })
    const totals = finals.map(({ state }) => Object.values(state!).reduce((sum, count) => sum + count, 0))
    expect(totals.reduce((sum, total) => sum + total, 0)).toBe(3)
  })

  it('closes the window of an idle stream when its time is over', async () => {
    const stream = aStream()
    stream.put('a', 'x')
    const { seen } = await aMapping(stream.service, 'countInWindow', { tumblingWindowMs: 1_000 })

    await expect
      .poll(async () => (await seen()).filter((invocation) => invocation.isFinalInvokeForWindow), {
        timeout: 5_000,
      })
      .toMatchObject([{ state: { a: 1 } }])
  })

  it('reads the children of a split shard only when their parent is resolved', async () => {
    const stream = aStream({ shards: 1 })
    stream.putMany(100, (index) => `key-${index % 5}`)
    stream.service.call('SplitShard', {
      StreamName: STREAM,
      ShardToSplit: 'shardId-000000000000',
      NewStartingHashKey: String(2n ** 127n),
    })
    stream.putMany(
      100,
      (index) => `key-${index % 5}`,
      (index) => String(100 + index),
    )
    const { mapping, seen } = await aMapping(
      stream.service,
      'collect',
      { batchSize: 10 },
      { fault: ({ number }) => (number % 4 === 1 ? 'throw' : undefined) },
    )

    await mapping.drain()

    const shards = (await seen()).map(({ records }) => records[0]!.shard)
    const firstOfChild = shards.findIndex((shard) => shard !== 'shardId-000000000000')
    expect(shards.slice(firstOfChild)).not.toContain('shardId-000000000000')
    expect(dataOf(await seen())).toHaveLength(200)
    expect(mapping.stats().shards.map(({ shardId, status }) => [shardId, status])).toEqual([
      ['shardId-000000000000', 'done'],
      ['shardId-000000000001', 'done'],
      ['shardId-000000000002', 'done'],
    ])
  })

  it('follows a split and a merge while it runs', async () => {
    const stream = aStream({ shards: 1 })
    const { mapping, seen } = await aMapping(stream.service, 'collect')
    stream.putMany(20, (index) => `key-${index}`)
    stream.service.call('UpdateShardCount', {
      StreamName: STREAM,
      TargetShardCount: 2,
      ScalingType: 'UNIFORM_SCALING',
    })
    stream.putMany(
      20,
      (index) => `key-${index}`,
      (index) => String(20 + index),
    )
    await expect.poll(() => mapping.stats().recordsResolved, { timeout: 5_000 }).toBe(40)
    stream.service.call('UpdateShardCount', {
      StreamName: STREAM,
      TargetShardCount: 1,
      ScalingType: 'UNIFORM_SCALING',
    })
    stream.putMany(
      20,
      (index) => `key-${index}`,
      (index) => String(40 + index),
    )

    await mapping.drain()

    expect(
      dataOf(await seen())
        .map(Number)
        .sort((a, b) => a - b),
    ).toEqual(Array.from({ length: 60 }, (_, index) => index))
  })

  it('begins at the tip where it is told to', async () => {
    const stream = aStream()
    stream.put('key', 'before')
    const { mapping, seen } = await aMapping(stream.service, 'collect', { startingPosition: 'LATEST' })
    await expect.poll(() => mapping.stats().shards[0]?.millisBehindLatest).toBe(0)
    stream.put('key', 'after')

    await mapping.drain()

    expect(dataOf(await seen())).toEqual(['after'])
  })

  it('begins at a time: with the first record that arrived then, or the oldest where that is before the trim horizon', async () => {
    const clock = new ManualClock(Date.UTC(2026, 0, 1))
    const stream = aStream({ clock })
    for (const data of ['first', 'second', 'third']) {
      stream.put('key', data)
      await clock.advance(60_000)
    }
    const from = async (atTimestampMs: number) => {
      const { mapping, seen } = await aMapping(stream.service, 'collect', {
        startingPosition: { atTimestampMs },
      })
      await mapping.drain()
      return dataOf(await seen())
    }

    expect(await from(clock.now() - 120_000)).toEqual(['second', 'third'])
    expect(await from(clock.now() - 119_999)).toEqual(['third'])
    expect(await from(clock.now())).toEqual([])
    expect(await from(0)).toEqual(['first', 'second', 'third'])
  })

  it.each([
    ['TRIM_HORIZON', ['old', 'parent before', 'parent after', 'child', 'new child']],
    ['a time when the parent was open', ['parent after', 'child', 'new child']],
    ['a time after the parent was closed', ['child', 'new child']],
    ['LATEST', ['new child']],
  ])('reads across reshards from %s', async (position, expected) => {
    const clock = new ManualClock(Date.UTC(2026, 0, 1))
    const stream = aStream({ clock })
    const reshard = (TargetShardCount: number) =>
      stream.service.call('UpdateShardCount', {
        StreamName: STREAM,
        TargetShardCount,
        ScalingType: 'UNIFORM_SCALING',
      })
    const put = async (data: string) => {
      stream.put('key', data)
      await clock.advance(60_000)
    }
    await put('old')
    reshard(2)
    await put('parent before')
    const whileOpenMs = clock.now()
    await put('parent after')
    reshard(1)
    await clock.advance(60_000)
    const afterCloseMs = clock.now()
    await put('child')
    const startingPosition =
      position === 'LATEST' || position === 'TRIM_HORIZON'
        ? position
        : { atTimestampMs: position.includes('after') ? afterCloseMs : whileOpenMs }
    const { mapping, seen } = await aMapping(stream.service, 'collect', { startingPosition })
    await expect.poll(() => mapping.stats().shards.at(-1)?.millisBehindLatest).toBe(0)
    reshard(2)
    await put('new child')

    await mapping.drain()

    expect(dataOf(await seen())).toEqual(expected)
    const oldest = mapping.stats().shards.some(({ shardId }) => shardId === 'shardId-000000000000')
    // A shard that was closed before the time is not even opened.
    expect(oldest).toBe(!position.startsWith('a time'))
  })

  it('keeps records that its filters do not match from the function, and moves on past them', async () => {
    const stream = aStream()
    stream.putMany(
      100,
      () => 'key',
      (index) =>
        index % 10 === 9 ? 'no JSON' : JSON.stringify({ order: { type: index % 2 ? 'sell' : 'buy' } }),
    )
    const { mapping, seen } = await aMapping(stream.service, 'collect', {
      batchSize: 7,
      filters: [{ data: { order: { type: ['buy'] } } }],
    })

    await mapping.drain()

    expect(dataOf(await seen())).toEqual(Array(50).fill('{"order":{"type":"buy"}}'))
    expect(mapping.stats()).toMatchObject({
      recordsRead: 100,
      recordsFiltered: 50,
      recordsResolved: 50,
      lagMs: 0,
    })
    expect((await seen())[0]!.records).toHaveLength(7)
  })

  it('waits for a batching window to fill a batch', async () => {
    const stream = aStream()
    const { mapping, seen } = await aMapping(stream.service, 'collect', {
      batchSize: 4,
      maximumBatchingWindowMs: 60_000,
    })
    for (let index = 0; index < 4; index += 1) {
      stream.put('key', String(index))
      await expect.poll(() => mapping.stats().recordsRead).toBe(index + 1)
    }

    await expect.poll(async () => (await seen()).length).toBe(1)
    expect(dataOf(await seen())).toEqual(['0', '1', '2', '3'])
  })

  it('takes no retry of a batch for an invocation that was throttled', async () => {
    const stream = aStream()
    stream.putMany(3, () => 'key')
    const { mapping, seen, host } = await aMapping(
      stream.service,
      'collect',
      { maximumRetryAttempts: 0 },
      { fault: ({ number }) => (number <= 3 ? 'throttle' : undefined) },
    )

    await mapping.drain()

    expect(dataOf(await seen())).toEqual(['0', '1', '2'])
    expect(mapping.stats()).toMatchObject({ failedInvocations: 3, recordsResolved: 3, recordsDiscarded: 0 })
    const published = host.data.filter(({ namespace }) => namespace === 'AWS/Lambda').map(({ name }) => name)
    expect(published.filter((name) => name === 'Throttles')).toHaveLength(3)
    expect(published.filter((name) => name === 'Invocations')).toHaveLength(1)
  })

  it.each([
    ['retry', 2],
    ['discard', 0],
  ] as const)(
    'gives a record up that no invocation can hold, where oversizedRecords says %s',
    async (oversizedRecords, times) => {
      const stream = aStream()
      stream.service.call('UpdateMaxRecordSize', {
        StreamARN: `arn:aws:kinesis:us-east-1:000000000000:stream/${STREAM}`,
        MaxRecordSizeInKiB: 10_240,
      })
      stream.put('key', 'before')
      stream.put('key', Buffer.alloc(5 * 1024 * 1024, 'x'))
      stream.put('key', 'after')
      const { mapping, seen, discarded } = await aMapping(stream.service, 'collect', {
        maximumRetryAttempts: 1,
        oversizedRecords,
      })

      await mapping.drain()

      expect(dataOf(await seen())).toEqual(['before', 'after'])
      expect((await discarded()).map(({ document }) => document)).toMatchObject([
        { requestContext: { approximateInvokeCount: times }, KinesisBatchInfo: { batchSize: 1 } },
      ])
    },
  )

  it('tries a record until it expires from the stream, also where retries never end', async () => {
    const sim = await createSimulation({ streams: [{ name: STREAM, retentionHours: 30 }] })
    cleanup.push(() => sim.close())
    const triedAtMs: number[] = []
    const mapping = sim.createEventSourceMapping({
      streamName: STREAM,
      batchSize: 1,
      pollIntervalMs: 60_000,
      retryBackoff: { baseMs: 600_000, maxMs: 600_000 },
      function: sim.createFunction({
        name: 'processor',
        handler: async ({ Records }: { Records: { kinesis: { data: string } }[] }) => {
          if (atob(Records[0]!.kinesis.data) === 'good') return
          triedAtMs.push(sim.clock.now())
          throw new Error('never')
        },
      }),
    })
    const startedMs = sim.clock.now()
    const put = (data: string) =>
      sim.kinesis.call('PutRecord', { StreamName: STREAM, PartitionKey: 'key', Data: Buffer.from(data) })
    put('bad')
    put('behind it')
    await sim.advance(29 * 3_600_000)
    put('good')
    await sim.run(mapping.drain(), { limitMs: 6 * 3_600_000 })

    expect(mapping.stats()).toMatchObject({ recordsExpired: 2, recordsResolved: 1, recordsDiscarded: 0 })
    const hours = (Math.max(...triedAtMs) - startedMs) / 3_600_000
    expect(hours).toBeGreaterThan(29)
    expect(hours).toBeLessThanOrEqual(30)
  })

  it('waits with parallel batches too, when what a stuck one holds back fills the memory', async () => {
    const stream = aStream()
    const data = 'x'.repeat(1_000_000)
    stream.put('stuck', 'bad')
    const { mapping } = await aMapping(stream.service, 'failOnBad', {
      batchSize: 1,
      parallelizationFactor: 10,
      retryBackoff: { baseMs: 1_000, maxMs: 1_000 },
    })
    for (let index = 0; index < 100; index += 1) stream.put(`key-${index}`, data)

    await expect.poll(() => mapping.stats().recordsResolved, { timeout: 20_000 }).toBeGreaterThan(30)
    // Time enough to read all of them, were they not held back.
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(mapping.stats().recordsRead).toBeLessThan(80)
  })

  it('reads no further ahead than a few batches while the function is slow', async () => {
    const stream = aStream()
    stream.putMany(15_000, () => 'key')
    const { mapping } = await aMapping(stream.service, 'alwaysFail', { batchSize: 10, onFailure: undefined })

    await expect.poll(() => mapping.stats().failedInvocations).toBeGreaterThan(5)

    expect(mapping.stats().recordsRead).toBe(10_000)
  })

  it('ends a drain that could go on for ever when its signal aborts, and says what is left', async () => {
    const stream = aStream()
    stream.putMany(3, () => 'key')
    const { mapping } = await aMapping(stream.service, 'alwaysFail')

    await mapping.drain(AbortSignal.timeout(300))

    expect(mapping.stats()).toMatchObject({ recordsResolved: 0, unresolvedRecords: 3 })
    const { invocations } = mapping.stats()
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(mapping.stats().invocations).toBe(invocations)
  })

  it('says what is wrong with a handler that is not there', async () => {
    const stream = aStream()
    stream.put('key', 'a')
    const { mapping } = await aMapping(stream.service, 'nowhere', { maximumRetryAttempts: 1 })

    await mapping.drain()

    expect(mapping.stats()).toMatchObject({
      failedInvocations: 2,
      recordsDiscarded: 1,
      lastError: expect.stringMatching(/^Runtime.HandlerNotFound: nowhere is undefined or not exported by /),
    })
  })

  it('gets over errors, expired iterators and read limits of the stream', async () => {
    const stream = aStream()
    stream.putMany(50, (index) => `key-${index}`)
    const errors = [
      new ServiceError('InternalFailure', 'oops', 500),
      new ServiceError('ExpiredIteratorException', 'too old'),
      new ServiceError('ProvisionedThroughputExceededException', 'Rate exceeded'),
      new Error('socket hang up'),
    ]
    const flaky: LocalService = {
      targetPrefix: stream.service.targetPrefix,
      call(operation, input) {
        if (operation === 'PutRecord' || errors.length === 0) return stream.service.call(operation, input)
        // Every other call fails, so that each error meets another state of the reader.
        if (++calls % 2 === 0) throw errors.shift()
        return stream.service.call(operation, input)
      },
    }
    let calls = 0
    const { mapping, seen } = await aMapping(flaky, 'collect')

    await mapping.drain()

    expect(dataOf(await seen())).toHaveLength(50)
    expect(errors).toEqual([])
    expect(mapping.stats().lastError).toContain('socket hang up')
  })

  it('is refused on a stream that there is not', async () => {
    const { service } = aStream()
    await expect(aMapping(service, 'collect', { streamName: 'nowhere' })).rejects.toThrow(
      /^streamName: "nowhere" cannot be used\. There is no such stream: create it first\./,
    )
  })

  it.each([
    ['was never there, as another endpoint says', 'nowhere'],
    ['is gone', STREAM],
  ])('ends a drain with an error where its stream %s', async (_, streamName) => {
    const stream = aStream()
    stream.put('key', 'a')
    const elsewhere: LocalService = {
      targetPrefix: stream.service.targetPrefix,
      call: async (operation, input) => stream.service.call(operation, input),
    }
    const { mapping } = await aMapping(elsewhere, 'collect', { streamName })
    if (streamName === STREAM) {
      await expect.poll(() => mapping.stats().recordsResolved).toBe(1)
      stream.service.call('DeleteStream', { StreamName: STREAM })
    }
    await expect.poll(() => mapping.stats().lastError).toContain('not found')

    await expect(mapping.drain()).rejects.toMatchObject({ code: 'ResourceNotFoundException' })
    await mapping.drain()
  })

  it('fails its drain, and nothing else, with a reader that fails', async () => {
    const stream = aStream()
    stream.put('key', 'a')
    const broken: LocalService = {
      targetPrefix: stream.service.targetPrefix,
      call: (operation, input) =>
        operation === 'GetRecords' ? { Records: [{}] } : stream.service.call(operation, input),
    }
    const { mapping } = await aMapping(broken, 'collect')
    await expect.poll(() => mapping.stats().lastError).toMatch(/^TypeError: /)

    await expect(mapping.drain()).rejects.toThrow(TypeError)
  })

  it('takes an invocation whose fault throws for one that failed', async () => {
    const stream = aStream()
    stream.put('key', 'a')
    const { mapping, discarded } = await aMapping(
      stream.service,
      'collect',
      { maximumRetryAttempts: 1 },
      {
        fault: () => {
          throw new RangeError('a mistake in the fault')
        },
      },
    )

    await mapping.drain()

    expect(await discarded()).toHaveLength(1)
    expect(mapping.stats()).toMatchObject({
      failedInvocations: 2,
      lastError: 'RangeError: a mistake in the fault',
    })
  })

  it('shares the read limit of a shard with other readers', async () => {
    const stream = aStream({ shardLimits: true })
    stream.putMany(500, (index) => `key-${index}`)
    const mappings = await Promise.all(
      [1, 2, 3].map(() => aMapping(stream.service, 'collect', { pollIntervalMs: 100 })),
    )

    await Promise.all(mappings.map(({ mapping }) => mapping.drain()))

    for (const { mapping } of mappings) {
      expect(mapping.stats()).toMatchObject({ recordsResolved: 500, lastError: undefined })
    }
  })

  it('refuses options that cannot work', async () => {
    const { service } = aStream()
    await expect(aMapping(service, 'collect', { batchSize: 0 })).rejects.toThrow(/^batchSize/)
    await expect(
      aMapping(service, 'collect', { filters: ['{"data":{"a":[{"like":"b"}]}}'] }),
    ).rejects.toThrow(/^filters\[0\]\.data\.a\[0\]\.like: "b" cannot be used\. /)
    await expect(aMapping(service, 'collect', { batchsize: 5 } as object)).rejects.toThrow(
      /^batchsize: 5 cannot be used\. There is no such option/,
    )
    await expect(aMapping(service, 'collect', { streamName: 'not a name' })).rejects.toThrow(/^streamName/)
    await expect(aMapping(service, 'collect', { pollIntervalMs: 0 })).rejects.toThrow(/^pollIntervalMs/)
    await expect(aMapping(service, 'collect', { onFailure: { folder: 'relative' } })).rejects.toThrow(
      /^onFailure/,
    )
    await expect(aMapping(service, 'collect', { onFailure: null as never })).rejects.toThrow(
      /^onFailure: null cannot be used\. Give { folder }/,
    )
    await expect(aMapping(service, 'collect', { metrics: 'EventCount' as never })).rejects.toThrow(
      /^metrics: "EventCount" cannot be used\. Give \['EventCount'\]/,
    )
    await expect(aMapping(service, 'collect', { function: undefined as never })).rejects.toThrow(
      /^function: undefined cannot be used\. Pass what createFunction gave/,
    )
    await expect(aMapping(service, 'collect', { retryBackoff: {} as never })).rejects.toThrow(
      /^retryBackoff\.baseMs: undefined cannot be used/,
    )
    await expect(
      aMapping(service, 'collect', { startingPosition: 'AT_TIMESTAMP' as 'LATEST' }),
    ).rejects.toThrow(/^startingPosition: /)
    await expect(
      aMapping(service, 'collect', { startingPosition: { atTimestampMs: Date.now() + 60_000 } }),
    ).rejects.toThrow(/^startingPosition\.atTimestampMs: .* not in the future/)
  })
})
