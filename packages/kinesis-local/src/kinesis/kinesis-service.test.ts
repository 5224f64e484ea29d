import { partitionKeyHash } from '@org/kinesis-core'
import { ManualClock } from '@org/kinesis-core/testing'
import { describe, expect, it } from 'vitest'
import { MetricStore } from '../cloudwatch/metric-store.js'
import { KinesisService, type KinesisServiceOptions } from './kinesis-service.js'

interface ShardShape {
  ShardId: string
  HashKeyRange: { StartingHashKey: string; EndingHashKey: string }
  ParentShardId?: string
  AdjacentParentShardId?: string
  SequenceNumberRange: { StartingSequenceNumber: string; EndingSequenceNumber?: string }
}

interface Page {
  Records: {
    Data: Buffer
    PartitionKey: string
    SequenceNumber: string
    ApproximateArrivalTimestamp: number
  }[]
  NextShardIterator?: string
  MillisBehindLatest: number
  ChildShards?: { ShardId: string; ParentShards: string[] }[]
}

const FIRST = 'shardId-000000000000'
const HOUR_MS = 3_600_000

/** A stream named `orders`, under a clock that the test holds. */
function aService(options: KinesisServiceOptions & { shards?: number } = {}) {
  const { shards = 1, ...more } = options
  const clock = new ManualClock()
  const service = new KinesisService({ clock, ...more })
  const call = <T>(operation: string, input: Record<string, unknown> = {}) =>
    service.call(operation, { StreamName: 'orders', ...input }) as T
  call('CreateStream', { ShardCount: shards })
  const put = (data: string | Uint8Array, more: Record<string, unknown> = {}) =>
    call<{ SequenceNumber: string; ShardId: string }>('PutRecord', {
      PartitionKey: 'a',
      Data: Buffer.from(data),
      ...more,
    })
  const putMany = (count: number, bytes = 1, more: Record<string, unknown> = {}) =>
    call<{ FailedRecordCount: number; Records: { ErrorCode?: string; ShardId?: string }[] }>('PutRecords', {
      Records: Array.from({ length: count }, () => ({
        PartitionKey: 'a',
        Data: Buffer.alloc(bytes),
        ...more,
      })),
    })
  const iterator = (ShardIteratorType: string, more: Record<string, unknown> = {}) =>
    call<{ ShardIterator: string }>('GetShardIterator', { ShardId: FIRST, ShardIteratorType, ...more })
      .ShardIterator
  const get = (ShardIterator: string, more: Record<string, unknown> = {}) =>
    service.call('GetRecords', { ShardIterator, ...more }) as Page
  const texts = (page: Page) => page.Records.map(({ Data }) => Data.toString())
  const shardsOf = (more: Record<string, unknown> = {}) =>
    call<{ Shards: ShardShape[] }>('ListShards', more).Shards
  return { clock, service, call, put, putMany, iterator, get, texts, shardsOf }
}

describe('writing', () => {
  it('places a record by the hash of its key, or by the hash key that is given', () => {
    const { put, shardsOf } = aService({ shards: 4 })
    const shardAt = (hashKey: bigint) =>
      shardsOf().find(
        ({ HashKeyRange: range }) =>
          BigInt(range.StartingHashKey) <= hashKey && hashKey <= BigInt(range.EndingHashKey),
      )!.ShardId

    for (const key of ['a', 'b', 'customer-17', 'ż']) {
      expect(put('x', { PartitionKey: key }).ShardId).toBe(shardAt(partitionKeyHash(key)))
    }
    expect(put('x', { ExplicitHashKey: '0' }).ShardId).toBe(FIRST)
    expect(put('x', { ExplicitHashKey: String(2n ** 128n - 1n) }).ShardId).toBe('shardId-000000000003')
  })

  it('takes 1,000 records in a burst and 1,000 more per second', async () => {
    const { clock, putMany } = aService()

    expect(
      [putMany(500), putMany(500), putMany(10)].map(({ FailedRecordCount }) => FailedRecordCount),
    ).toEqual([0, 0, 10])
    await clock.advance(100)
    expect(putMany(500).FailedRecordCount).toBe(400)
    await clock.advance(10_000)
    expect(
      [putMany(500), putMany(500), putMany(1)].map(({ FailedRecordCount }) => FailedRecordCount),
    ).toEqual([0, 0, 1])
  })

  it('takes 1 MiB per second and shard, however few records that is, and spares the other shards', async () => {
    const { clock, putMany, put } = aService({ shards: 2 })
    const first = { ExplicitHashKey: '0' }

    expect(putMany(5, 250_000, first).FailedRecordCount).toBe(1)
    expect(() => put(Buffer.alloc(250_000), first)).toThrow(
      expect.objectContaining({ code: 'ProvisionedThroughputExceededException' }),
    )
    expect(putMany(4, 250_000, { ExplicitHashKey: String(2n ** 127n) }).FailedRecordCount).toBe(0)
    await clock.advance(1_000)
    expect(putMany(5, 250_000, first).FailedRecordCount).toBe(1)
  })

  it('takes as much at once as the burst says, and no more over time', async () => {
    const records = aService({ writeBurst: { recordsMs: 500 } })
    expect(records.putMany(500).FailedRecordCount).toBe(0)
    expect(records.putMany(1).FailedRecordCount).toBe(1)
    await records.clock.advance(10_000)
    expect([records.putMany(500), records.putMany(1)].map((put) => put.FailedRecordCount)).toEqual([0, 1])

    // The burst that AWS documents for large records: 10 MiB, and 1 MiB per second on average.
    const bytes = aService({ writeBurst: { bytesMs: 10_000 } })
    const MiB = 1024 * 1024
    expect(bytes.putMany(9, MiB - 1).FailedRecordCount).toBe(0)
    expect(
      [bytes.putMany(1, MiB - 1), bytes.putMany(1, MiB - 1)].map((put) => put.FailedRecordCount),
    ).toEqual([0, 1])
    await bytes.clock.advance(2_000)
    expect(bytes.putMany(3, MiB - 1).FailedRecordCount).toBe(1)
  })

  it('lets a record above the burst in when the shard has rested, and pays for it afterwards', async () => {
    const { clock, call, put } = aService()
    call('UpdateMaxRecordSize', { MaxRecordSizeInKiB: 10_240 })
    put(Buffer.alloc(10 * 1024 * 1024 - 1))

    await clock.advance(9_000)
    expect(() => put(Buffer.alloc(1_000))).toThrow('Rate exceeded')
    await clock.advance(1_000)
    put(Buffer.alloc(1_000))
  })

  it.each([0, 60_001, Number.NaN])('refuses a burst of %d milliseconds', (bytesMs) => {
    expect(() => aService({ writeBurst: { bytesMs } })).toThrow('writeBurst.bytesMs')
  })

  it('takes whatever comes when the limits are off', () => {
    const { putMany } = aService({ shardLimits: false })

    for (let call = 0; call < 10; call++) expect(putMany(500, 2_000).FailedRecordCount).toBe(0)
  })

  it('takes records up to the size of the stream, 1 MiB until it is raised', () => {
    const { call, put } = aService({ shardLimits: false })
    const MiB = 1024 * 1024
    const tooLarge = expect.objectContaining({
      code: 'ValidationException',
      message: expect.stringContaining("at 'data' failed to satisfy constraint"),
    })

    put(Buffer.alloc(MiB - 1))
    expect(() => put(Buffer.alloc(MiB))).toThrow(tooLarge)
    call('UpdateMaxRecordSize', { MaxRecordSizeInKiB: 10_240 })
    put(Buffer.alloc(10 * MiB - 1))
    expect(() => put(Buffer.alloc(10 * MiB))).toThrow(tooLarge)
  })

  it('takes 500 records and 10 MiB in a call, and stores none of a call that it refuses', () => {
    const { call, putMany, get, iterator } = aService({ shardLimits: false })
    const refused = [
      () => putMany(501),
      () => putMany(0),
      () => putMany(11, 1024 * 1024 - 1),
      () =>
        call('PutRecords', {
          Records: [
            { PartitionKey: 'a', Data: 'eA==' },
            { PartitionKey: '', Data: 'eA==' },
          ],
        }),
      () =>
        call('PutRecords', {
          Records: [
            { PartitionKey: 'a', Data: 'eA==' },
            { PartitionKey: 'k'.repeat(257), Data: 'eA==' },
          ],
        }),
      () => call('PutRecords', { Records: [{ PartitionKey: 'a', Data: 'eA==' }, { PartitionKey: 'a' }] }),
      () =>
        call('PutRecords', {
          Records: [{ PartitionKey: 'a', Data: 'eA==', ExplicitHashKey: String(2n ** 128n) }],
        }),
    ]

    const codes = refused.map((run) => {
      try {
        run()
        return 'taken'
      } catch (error) {
        return (error as { code: string }).code
      }
    })

    expect(codes).toEqual([
      'ValidationException',
      'ValidationException',
      'InvalidArgumentException',
      'ValidationException',
      'ValidationException',
      'ValidationException',
      'InvalidArgumentException',
    ])
    expect(get(iterator('TRIM_HORIZON')).Records).toEqual([])
    // 256 characters, whatever their bytes.
    expect(putMany(1, 1, { PartitionKey: '🙂'.repeat(256) }).FailedRecordCount).toBe(0)
  })

  it('names the member that is wrong', () => {
    const { call } = aService()

    expect(() =>
      call('PutRecords', { Records: [{ PartitionKey: 'a', Data: 'eA==' }, { Data: 'eA==' }] }),
    ).toThrow(
      "1 validation error detected: Value null at 'records.2.member.partitionKey' failed to satisfy constraint: Member must not be null",
    )
  })
})

describe('reading', () => {
  it('begins where the iterator says', async () => {
    const { clock, put, iterator, get, texts } = aService()
    put('1')
    await clock.advance(1_000)
    const second = put('2')
    const middle = clock.now()
    await clock.advance(1_000)
    const latest = iterator('LATEST')
    put('3')

    const StartingSequenceNumber = second.SequenceNumber
    expect(texts(get(iterator('TRIM_HORIZON')))).toEqual(['1', '2', '3'])
    expect(texts(get(iterator('AT_SEQUENCE_NUMBER', { StartingSequenceNumber })))).toEqual(['2', '3'])
    expect(texts(get(iterator('AFTER_SEQUENCE_NUMBER', { StartingSequenceNumber })))).toEqual(['3'])
    expect(texts(get(iterator('AT_TIMESTAMP', { Timestamp: middle / 1000 })))).toEqual(['2', '3'])
    await clock.advance(1_000)
    expect(texts(get(latest))).toEqual(['3'])
  })

  it('is refused behind a record that was not written yet, as one of an earlier stream of this name', () => {
    const earlier = aService()
    const numbers = ['1', '2', '3'].map((text) => earlier.put(text).SequenceNumber)
    const { put, iterator, get, texts } = aService()
    put('new')

    const behind = (StartingSequenceNumber: string) =>
      texts(get(iterator('AFTER_SEQUENCE_NUMBER', { StartingSequenceNumber })))
    expect(behind(numbers[0]!)).toEqual([])
    expect(() => behind(numbers[2]!)).toThrow(/used in GetShardIterator on shard .* is invalid/)
  })

  it('begins at the start of a shard with its own starting sequence number', () => {
    const { put, iterator, get, texts, shardsOf } = aService()
    put('1')
    const { StartingSequenceNumber } = shardsOf()[0]!.SequenceNumberRange

    expect(texts(get(iterator('AT_SEQUENCE_NUMBER', { StartingSequenceNumber })))).toEqual(['1'])
  })

  it('goes on with the next iterator, and says truly how far behind it is', async () => {
    const { clock, put, iterator, get, texts } = aService()
    put('1')
    await clock.advance(5_000)
    put('2')
    await clock.advance(2_000)

    const first = get(iterator('TRIM_HORIZON'), { Limit: 1 })
    const second = get(first.NextShardIterator!)
    const third = get(second.NextShardIterator!)
    put('3')
    const fourth = get(third.NextShardIterator!)

    expect([first, second, third, fourth].map(texts)).toEqual([['1'], ['2'], [], ['3']])
    expect([first, second, third, fourth].map((page) => page.MillisBehindLatest)).toEqual([2_000, 0, 0, 0])
  })

  it('is behind by more than nothing when the next record came in this millisecond', () => {
    const { put, iterator, get } = aService()
    put('1')
    put('2')

    expect(get(iterator('TRIM_HORIZON'), { Limit: 1 }).MillisBehindLatest).toBe(1)
  })

  it('gives 10,000 records or 10 MiB at most', () => {
    const { putMany, iterator, get } = aService({ shardLimits: false })
    for (let call = 0; call < 21; call++) putMany(500)
    for (let call = 0; call < 12; call++) putMany(1, 1024 * 1024 - 1)

    const first = get(iterator('TRIM_HORIZON'))
    const second = get(first.NextShardIterator!)
    const third = get(second.NextShardIterator!)

    expect(first.Records).toHaveLength(10_000)
    expect(second.Records).toHaveLength(500 + 9)
    expect(third.Records).toHaveLength(3)
  })

  it('is allowed five times a second for each shard', async () => {
    const { clock, iterator, get } = aService({ shards: 2 })
    const other = iterator('TRIM_HORIZON', { ShardId: 'shardId-000000000001' })
    const position = iterator('TRIM_HORIZON')
    for (let read = 0; read < 5; read++) get(position)

    expect(() => get(position)).toThrow(
      expect.objectContaining({ code: 'ProvisionedThroughputExceededException' }),
    )
    get(other)
    await clock.advance(200)
    get(position)
    expect(() => get(position)).toThrow('Rate exceeded for shard')
  })

  it('is refused for five seconds after 10 MiB', async () => {
    const { clock, call, put, iterator, get } = aService()
    call('UpdateMaxRecordSize', { MaxRecordSizeInKiB: 10_240 })
    put(Buffer.alloc(10 * 1024 * 1024 - 1))
    const position = iterator('TRIM_HORIZON')
    get(position)

    await clock.advance(4_900)
    expect(() => get(position)).toThrow('Rate exceeded for shard')
    await clock.advance(200)
    expect(get(position).Records).toHaveLength(1)
  })

  it('is refused with an iterator older than five minutes, or of a stream that is gone', async () => {
    const { clock, call, iterator, get } = aService()
    const old = iterator('TRIM_HORIZON')
    await clock.advance(300_000)
    expect(get(old).Records).toEqual([])
    await clock.advance(1)
    expect(() => get(old)).toThrow(expect.objectContaining({ code: 'ExpiredIteratorException' }))

    const ofTheFirst = iterator('TRIM_HORIZON')
    call('DeleteStream')
    await clock.advance(1)
    call('CreateStream', { ShardCount: 1 })
    expect(() => get(ofTheFirst)).toThrow(expect.objectContaining({ code: 'ResourceNotFoundException' }))
  })

  it('is refused with an iterator or token of a stream that was made anew, also within the millisecond', () => {
    const { service, call, iterator, get } = aService({ shards: 2 })
    const ShardIterator = iterator('TRIM_HORIZON')
    const { NextToken } = call<{ NextToken: string }>('ListShards', { MaxResults: 1 })
    call('DeleteStream')
    call('CreateStream', { ShardCount: 2 })

    expect(() => get(ShardIterator)).toThrow(/has been deleted/)
    expect(() => service.call('ListShards', { NextToken })).toThrow(/Invalid NextToken/)
  })

  it('gives what it was given even when the reader writes into it', () => {
    const { put, iterator, get, texts } = aService()
    put('untouched')
    get(iterator('TRIM_HORIZON')).Records[0]!.Data.fill(0)

    expect(texts(get(iterator('TRIM_HORIZON')))).toEqual(['untouched'])
  })
})

describe('a clock that is set back', () => {
  it('stops neither streams nor shards', async () => {
    const held = new ManualClock()
    let backMs = 0
    const clock = {
      now: () => held.now() - backMs,
      schedule: (delayMs: number, callback: () => void) => held.schedule(delayMs, callback),
    }
    const { call, putMany, iterator, get } = aService({ clock })
    putMany(500)
    call('UpdateMaxRecordSize', { MaxRecordSizeInKiB: 2_048 })
    backMs = HOUR_MS

    expect(putMany(500).FailedRecordCount).toBe(0)
    await held.advance(1_000)
    expect(putMany(500).FailedRecordCount).toBe(0)
    expect(get(iterator('TRIM_HORIZON')).Records).toHaveLength(1_500)
  })
})

describe('a stream whose clock is set back right after it was made', () => {
  it('keeps what is put then', async () => {
    let nowMs = Date.UTC(2026, 0, 1)
    const service = new KinesisService({ clock: { now: () => nowMs, schedule: () => () => {} } })
    const StreamName = 'orders'
    service.call('CreateStream', { StreamName, ShardCount: 1 })
    nowMs -= 5
    service.call('PutRecord', { StreamName, PartitionKey: 'a', Data: Buffer.from('x') })

    const { ShardIterator } = service.call('GetShardIterator', {
      ...{ StreamName, ShardId: FIRST, ShardIteratorType: 'TRIM_HORIZON' },
    }) as { ShardIterator: string }
    expect(service.call('GetRecords', { ShardIterator })).toMatchObject({ Records: [{ PartitionKey: 'a' }] })
  })
})

describe('DryRun', () => {
  it('ends a request that passes all checks, and does nothing', () => {
    const { service, call, put, putMany, iterator, get } = aService()
    const dry = expect.objectContaining({ code: 'DryRunOperationException' })
    const { ConsumerARN } = (
      call('RegisterStreamConsumer', { StreamARN: arnOf(call), ConsumerName: 'c' }) as {
        Consumer: { ConsumerARN: string }
      }
    ).Consumer
    const from = { ConsumerARN, ShardId: FIRST, StartingPosition: { Type: 'LATEST' } }

    expect(() => put('1', { DryRun: true })).toThrow(dry)
    expect(() => call('PutRecords', { DryRun: true, Records: [{ PartitionKey: 'a', Data: '' }] })).toThrow(
      dry,
    )
    expect(() => iterator('TRIM_HORIZON', { DryRun: true })).toThrow(dry)
    expect(() => get(iterator('TRIM_HORIZON'), { DryRun: true })).toThrow(dry)
    expect(() => service.subscribeToShard({ ...from, DryRun: true })).toThrow(dry)

    expect(() => iterator('SOMEWHERE', { DryRun: true })).toThrow('enum value set')
    expect(putMany(1, 1, { DryRun: false }).FailedRecordCount).toBe(0)
    expect(get(iterator('TRIM_HORIZON')).Records).toHaveLength(1)
  })
})

describe('retention', () => {
  it('brings nothing back that has expired when it grows, neither records nor shards', async () => {
    const { clock, call, put, iterator, get, shardsOf } = aService()
    put('old')
    call('SplitShard', { ShardToSplit: FIRST, NewStartingHashKey: '5' })
    await clock.advance(24 * HOUR_MS + 1)
    call('IncreaseStreamRetentionPeriod', { RetentionPeriodHours: 168 })

    expect(shardsOf().map(({ ShardId }) => ShardId)).not.toContain(FIRST)
    for (const { ShardId } of shardsOf())
      expect(get(iterator('TRIM_HORIZON', { ShardId })).Records).toEqual([])
    expect(() => iterator('TRIM_HORIZON')).toThrow(
      expect.objectContaining({ code: 'ResourceNotFoundException' }),
    )
  })

  it('ends after 24 hours, or as many as were asked for', async () => {
    const { clock, call, put, iterator, get, texts } = aService()
    put('1')
    await clock.advance(HOUR_MS)
    put('2')
    await clock.advance(23 * HOUR_MS + 1)
    expect(texts(get(iterator('TRIM_HORIZON')))).toEqual(['2'])

    call('IncreaseStreamRetentionPeriod', { RetentionPeriodHours: 48 })
    await clock.advance(24 * HOUR_MS)
    expect(texts(get(iterator('TRIM_HORIZON')))).toEqual(['2'])
    call('DecreaseStreamRetentionPeriod', { RetentionPeriodHours: 24 })
    expect(texts(get(iterator('TRIM_HORIZON')))).toEqual([])
  })

  it('changes in the direction that the operation names', () => {
    const { call } = aService()

    expect(() => call('DecreaseStreamRetentionPeriod', { RetentionPeriodHours: 25 })).toThrow(
      'can not be longer',
    )
    expect(() => call('IncreaseStreamRetentionPeriod', { RetentionPeriodHours: 8_761 })).toThrow(
      'Member must have value less than or equal to 8760',
    )
    expect(() => call('IncreaseStreamRetentionPeriod', { RetentionPeriodHours: 23 })).toThrow('too short')
  })

  it('ends early for tiny records too, which take memory beside their bytes', () => {
    const { putMany, iterator, get } = aService({ shardLimits: false, maxRetainedBytes: 1_000_000 })
    for (let call = 0; call < 100; call++) putMany(500)

    let count = 0
    let { NextShardIterator, ...page } = get(iterator('TRIM_HORIZON'))
    for (; page.Records.length > 0; { NextShardIterator, ...page } = get(NextShardIterator!))
      count += page.Records.length
    expect(count).toBeGreaterThan(8_000)
    expect(count).toBeLessThan(20_000)
  })

  it('ends early for the oldest records when memory has its bound, and says so once', async () => {
    const said: string[] = []
    const { clock, service, putMany, iterator, get } = aService({
      shardLimits: false,
      maxRetainedBytes: 1_000_000,
      onEarlyTrim: (message) => said.push(message),
    })
    for (let call = 0; call < 40; call++) {
      putMany(500, 199)
      expect(service.retainedBytes).toBeLessThanOrEqual(1_000_000)
      await clock.advance(1)
    }

    const records = get(iterator('TRIM_HORIZON')).Records
    expect(records.length).toBeGreaterThan(1_000)
    expect(records.length).toBeLessThanOrEqual(5_000)
    expect(records.at(-1)!.ApproximateArrivalTimestamp * 1000).toBe(clock.now() - 1)
    expect(said).toEqual([expect.stringContaining('maxRetainedBytes')])
  })
})

describe('resharding', () => {
  it('keeps every record readable, parents before children', () => {
    const { call, put, iterator, get, texts, shardsOf } = aService({ shards: 2 })
    put('before', { ExplicitHashKey: '0' })
    call('MergeShards', { ShardToMerge: FIRST, AdjacentShardToMerge: 'shardId-000000000001' })
    const after = put('after', { ExplicitHashKey: '0' })

    const parent = get(iterator('TRIM_HORIZON'))
    expect(texts(parent)).toEqual(['before'])
    expect(parent.NextShardIterator).toBeUndefined()
    expect(parent.ChildShards).toMatchObject([
      { ShardId: 'shardId-000000000002', ParentShards: [FIRST, 'shardId-000000000001'] },
    ])
    expect(after.ShardId).toBe('shardId-000000000002')
    expect(shardsOf()[2]).toMatchObject({
      ParentShardId: FIRST,
      AdjacentParentShardId: 'shardId-000000000001',
    })
    expect(shardsOf()[0]!.SequenceNumberRange.EndingSequenceNumber).toBeDefined()
  })

  it.each([
    [2, 4],
    [4, 2],
    [3, 4],
    [5, 10],
    [5, 3],
    [1, 1],
  ])('cuts the key space into equal shards, from %i to %i', (shards, TargetShardCount) => {
    const { call, shardsOf } = aService({ shards })

    call('UpdateShardCount', { TargetShardCount, ScalingType: 'UNIFORM_SCALING' })

    const open = shardsOf({ ShardFilter: { Type: 'AT_LATEST' } })
      .map(({ HashKeyRange: range }) => ({
        start: BigInt(range.StartingHashKey),
        end: BigInt(range.EndingHashKey),
      }))
      .sort((a, b) => (a.start < b.start ? -1 : 1))
    expect(open).toHaveLength(TargetShardCount)
    expect(open[0]!.start).toBe(0n)
    expect(open.at(-1)!.end).toBe(2n ** 128n - 1n)
    for (const [index, { start, end }] of open.entries()) {
      if (index > 0) expect(start).toBe(open[index - 1]!.end + 1n)
      expect((Number(end - start) * TargetShardCount) / 2 ** 128).toBeCloseTo(1, 2)
    }
    // Doubling and halving need no shards but the old and the new ones.
    if (TargetShardCount === shards * 2 || TargetShardCount * 2 === shards) {
      expect(shardsOf()).toHaveLength(shards + TargetShardCount)
    }
  })

  it('refuses what the service refuses', () => {
    const { call } = aService({ shards: 4 })
    const update = (TargetShardCount: number) => () =>
      call('UpdateShardCount', { TargetShardCount, ScalingType: 'UNIFORM_SCALING' })

    expect(update(9)).toThrow('cannot scale up over double')
    expect(update(1)).toThrow('cannot scale down below half')
    expect(() =>
      call('MergeShards', { ShardToMerge: FIRST, AdjacentShardToMerge: 'shardId-000000000002' }),
    ).toThrow('not an adjacent pair')
    expect(() => call('SplitShard', { ShardToSplit: FIRST, NewStartingHashKey: '0' })).toThrow(
      'NewStartingHashKey 0',
    )
    expect(() =>
      call('SplitShard', { ShardToSplit: 'shardId-000000000009', NewStartingHashKey: '5' }),
    ).toThrow(expect.objectContaining({ code: 'ResourceNotFoundException' }))
    call('SplitShard', { ShardToSplit: FIRST, NewStartingHashKey: '5' })
    expect(() => call('SplitShard', { ShardToSplit: FIRST, NewStartingHashKey: '5' })).toThrow(
      expect.objectContaining({ code: 'ResourceInUseException' }),
    )
    expect(() => call('CreateStream', { StreamName: 'huge', ShardCount: 1_000_000 })).toThrow(
      expect.objectContaining({ code: 'LimitExceededException' }),
    )
  })

  it('lists the shards that a filter names, and forgets closed ones after their retention', async () => {
    const { clock, call, shardsOf } = aService()
    const atStart = clock.now()
    await clock.advance(HOUR_MS)
    call('SplitShard', { ShardToSplit: FIRST, NewStartingHashKey: '5' })
    await clock.advance(HOUR_MS)
    const ids = (filter?: Record<string, unknown>) =>
      shardsOf(filter === undefined ? {} : { ShardFilter: filter }).map(({ ShardId }) =>
        Number(ShardId.slice(-2)),
      )

    expect(ids()).toEqual([0, 1, 2])
    expect(ids({ Type: 'AT_LATEST' })).toEqual([1, 2])
    expect(ids({ Type: 'AT_TRIM_HORIZON' })).toEqual([0])
    expect(ids({ Type: 'FROM_TRIM_HORIZON' })).toEqual([0, 1, 2])
    expect(ids({ Type: 'AFTER_SHARD_ID', ShardId: 'shardId-000000000001' })).toEqual([2])
    expect(ids({ Type: 'AT_TIMESTAMP', Timestamp: atStart / 1000 })).toEqual([0])
    expect(ids({ Type: 'FROM_TIMESTAMP', Timestamp: (clock.now() - 1) / 1000 })).toEqual([1, 2])
    await clock.advance(24 * HOUR_MS)
    expect(ids()).toEqual([1, 2])
  })
})

function arnOf(call: (operation: string) => unknown): string {
  const { StreamDescriptionSummary } = call('DescribeStreamSummary') as {
    StreamDescriptionSummary: { StreamARN: string }
  }
  return StreamDescriptionSummary.StreamARN
}

describe('streams', () => {
  it('are told a hundred at a time, and so are their shards, however many are asked for', () => {
    const { service, call } = aService({ shards: 101 })
    for (let n = 0; n < 100; n++) service.call('CreateStream', { StreamName: `s-${n}`, ShardCount: 1 })

    const { StreamNames } = service.call('ListStreams', { Limit: 1_000 }) as { StreamNames: string[] }
    const { StreamDescription } = call('DescribeStream', { Limit: 1_000 }) as {
      StreamDescription: { Shards: unknown[]; HasMoreShards: boolean }
    }
    expect(StreamNames).toHaveLength(100)
    expect(StreamDescription.Shards).toHaveLength(100)
    expect(StreamDescription.HasMoreShards).toBe(true)
  })

  it('are refused where members contradict one another, or one that is required is missing', () => {
    const { service, call } = aService({ shards: 3 })
    service.call('CreateStream', { StreamName: 'others', ShardCount: 1 })
    const StreamARN = arnOf(call)
    const { NextToken } = call<{ NextToken: string }>('ListShards', { MaxResults: 1 })
    const listShards = (input: object) => () => service.call('ListShards', { ...input })

    expect(() => call('DescribeStream', { StreamName: 'others', StreamARN })).toThrow('different streams')
    expect(call('DescribeStreamSummary', { StreamARN })).toBeDefined()
    expect(() => service.call('UpdateStreamMode', { StreamARN })).toThrow("at 'streamModeDetails'")
    expect(() => call('AddTagsToStream')).toThrow("at 'tags'")
    expect(listShards({ NextToken, ExclusiveStartShardId: FIRST })).toThrow('cannot be provided together')
    expect(listShards({ NextToken, StreamCreationTimestamp: 1 })).toThrow('cannot be provided together')
    expect(listShards({ StreamName: 'orders', StreamCreationTimestamp: 1 })).toThrow('was not created at')
    expect(listShards({ StreamName: 'orders', StreamCreationTimestamp: 2 ** 53 })).toThrow('Timestamp')
    expect(listShards({ NextToken })).not.toThrow()
  })

  it('are found by name and by ARN, and an ARN of another region or account finds none', () => {
    const { call, service } = aService()
    const describeArn = (StreamARN: string) => () => service.call('DescribeStreamSummary', { StreamARN })

    expect(describeArn('arn:aws:kinesis:us-east-1:000000000000:stream/orders')()).toMatchObject({
      StreamDescriptionSummary: { StreamName: 'orders' },
    })
    expect(describeArn('arn:aws:kinesis:eu-west-1:000000000000:stream/orders')).toThrow('not found')
    expect(describeArn('orders')).toThrow("at 'streamARN' failed to satisfy constraint")
    expect(() => call('CreateStream', { ShardCount: 1 })).toThrow(
      expect.objectContaining({ code: 'ResourceInUseException' }),
    )
    expect(() => call('CreateStream', { StreamName: 'a b', ShardCount: 1 })).toThrow('[a-zA-Z0-9_.-]+')
  })

  it('are listed in pages', () => {
    const { service } = aService()
    for (const StreamName of ['c', 'a', 'b']) service.call('CreateStream', { StreamName, ShardCount: 1 })

    const first = service.call('ListStreams', { Limit: 2 }) as { NextToken: string }
    expect(first).toMatchObject({ StreamNames: ['a', 'b'], HasMoreStreams: true })
    expect(service.call('ListStreams', { NextToken: first.NextToken })).toMatchObject({
      StreamNames: ['c', 'orders'],
      HasMoreStreams: false,
    })
  })

  it('have tags, up to fifty', () => {
    const { call } = aService()
    call('AddTagsToStream', { Tags: { team: 'a', stage: 'test' } })
    call('RemoveTagsFromStream', { TagKeys: ['team'] })

    expect(call('ListTagsForStream')).toEqual({ Tags: [{ Key: 'stage', Value: 'test' }], HasMoreTags: false })
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`key-${index}`, 'v']))
    expect(() => call('AddTagsToStream', { Tags: many })).toThrow('at most 50 tags')
  })
})

describe('metrics', () => {
  const statistics = (metrics: MetricStore, name: string, dimensions: Record<string, string>) => {
    const series = metrics.series('AWS/Kinesis', name, dimensions)
    return series === undefined
      ? undefined
      : metrics.query(series, 0, Number.MAX_SAFE_INTEGER, 86_400)[0]?.values
  }

  it('tell what a stream takes, refuses and gives', async () => {
    const metrics = new MetricStore()
    const { clock, putMany, iterator, get } = aService({ metrics })
    const StreamName = 'orders'
    putMany(500, 9)
    putMany(500, 9)
    putMany(500, 9)
    await clock.advance(7_000)
    get(iterator('TRIM_HORIZON'))

    expect(statistics(metrics, 'IncomingRecords', { StreamName })?.sum).toBe(1_000)
    expect(statistics(metrics, 'IncomingBytes', { StreamName })?.sum).toBe(10_000)
    expect(statistics(metrics, 'WriteProvisionedThroughputExceeded', { StreamName })?.sum).toBe(500)
    expect(statistics(metrics, 'PutRecords.ThrottledRecords', { StreamName })?.sum).toBe(500)
    expect(statistics(metrics, 'PutRecords.TotalRecords', { StreamName })?.sum).toBe(1_500)
    expect(statistics(metrics, 'PutRecords.Success', { StreamName })).toMatchObject({ sum: 2, count: 3 })
    expect(statistics(metrics, 'GetRecords.Records', { StreamName })?.sum).toBe(1_000)
    expect(statistics(metrics, 'GetRecords.IteratorAgeMilliseconds', { StreamName })?.maximum).toBe(7_000)
  })

  it('tell it of each shard where enhanced monitoring is on', () => {
    const metrics = new MetricStore()
    const { call, putMany } = aService({ metrics })
    const dimensions = { StreamName: 'orders', ShardId: FIRST }
    putMany(10)
    expect(statistics(metrics, 'IncomingRecords', dimensions)).toBeUndefined()

    const enabled = call('EnableEnhancedMonitoring', { ShardLevelMetrics: ['IncomingRecords'] })
    putMany(10)

    expect(enabled).toMatchObject({
      CurrentShardLevelMetrics: [],
      DesiredShardLevelMetrics: ['IncomingRecords'],
    })
    expect(statistics(metrics, 'IncomingRecords', dimensions)?.sum).toBe(10)
    expect(statistics(metrics, 'IncomingBytes', dimensions)).toBeUndefined()
    expect(() => call('EnableEnhancedMonitoring', { ShardLevelMetrics: ['Nonsense'] })).toThrow(
      'enum value set',
    )
  })
})
