import { ManualClock } from '@org/kinesis-core/testing'
import { describe, expect, it } from 'vitest'
import { MetricStore } from '../cloudwatch/metric-store.js'
import { KinesisService, type KinesisServiceOptions } from './kinesis-service.js'
import type { SubscribeToShardEvent } from './shard-subscription.js'

const StreamARN = 'arn:aws:kinesis:us-east-1:000000000000:stream/orders'
const ShardId = 'shardId-000000000000'
const MiB = 1024 * 1024

function aConsumer(options: KinesisServiceOptions = {}) {
  const clock = new ManualClock()
  const service = new KinesisService({ clock, ...options })
  service.call('CreateStream', { StreamName: 'orders', ShardCount: 1 })
  const register = (ConsumerName: string) =>
    (
      service.call('RegisterStreamConsumer', { StreamARN, ConsumerName }) as {
        Consumer: { ConsumerARN: string }
      }
    ).Consumer.ConsumerARN
  const ConsumerARN = register('fast')
  const subscribe = (StartingPosition: Record<string, unknown> = { Type: 'TRIM_HORIZON' }, more = {}) =>
    service
      .subscribeToShard({ ConsumerARN, ShardId, StartingPosition, ...more })
      [Symbol.asyncIterator]() as AsyncIterableIterator<SubscribeToShardEvent>
  const put = (text: string | Buffer) =>
    service.call('PutRecord', { StreamARN, PartitionKey: 'a', Data: Buffer.from(text) }) as {
      SequenceNumber: string
    }
  return { clock, service, register, ConsumerARN, subscribe, put }
}

const texts = (event: SubscribeToShardEvent) => event.Records.map(({ Data }) => Data.toString())

async function next(events: AsyncIterator<SubscribeToShardEvent>): Promise<SubscribeToShardEvent> {
  const { value, done } = await events.next()
  if (done) throw new Error('The subscription has ended.')
  return value
}

const refused = (code: string) => expect.objectContaining({ code })

describe('a subscription', () => {
  it('tells at once where it stands, and is pushed what is written then, without time passing', async () => {
    const { subscribe, put, clock } = aConsumer()
    put('before')
    const events = subscribe({ Type: 'LATEST' })

    expect(await next(events)).toMatchObject({ Records: [], MillisBehindLatest: 0 })
    const pushed = next(events)
    put('1')
    expect(texts(await pushed)).toEqual(['1'])
    const started = clock.now()
    const more = next(events)
    put('2')
    put('3')
    expect(texts(await more)).toEqual(['2', '3'])
    expect(clock.now()).toBe(started)
  })

  it('goes on where the one before stopped, with either position by sequence number', async () => {
    const { clock, subscribe, put } = aConsumer()
    put('1')
    const first = subscribe()
    const { ContinuationSequenceNumber: SequenceNumber } = await next(first)
    await first.return?.()
    put('2')
    await clock.advance(5_000)

    expect(texts(await next(subscribe({ Type: 'AFTER_SEQUENCE_NUMBER', SequenceNumber })))).toEqual(['2'])
    await clock.advance(5_000)
    // AT is at least once, as the number is that of the last record.
    expect(texts(await next(subscribe({ Type: 'AT_SEQUENCE_NUMBER', SequenceNumber })))).toEqual(['1', '2'])
    await clock.advance(5_000)
    expect(texts(await next(subscribe({ Type: 'AT_TIMESTAMP', Timestamp: clock.now() / 1000 })))).toEqual([])
  })

  it('that was never written to goes on from where it began', async () => {
    const { clock, subscribe, put } = aConsumer()
    const { ContinuationSequenceNumber: SequenceNumber } = await next(subscribe())
    put('1')
    await clock.advance(5_000)

    expect(texts(await next(subscribe({ Type: 'AFTER_SEQUENCE_NUMBER', SequenceNumber })))).toEqual(['1'])
  })

  it('says every five seconds that it is alive, and waits for nothing when nobody asks', async () => {
    const { clock, subscribe } = aConsumer()
    const events = subscribe()
    await next(events)
    expect(clock.pending).toBe(0)

    const idle = next(events)
    await clock.advance(4_999)
    expect(clock.pending).toBe(1)
    await clock.advance(1)
    expect(await idle).toMatchObject({ Records: [], ContinuationSequenceNumber: expect.any(String) })
  })

  it('ends after five minutes', async () => {
    const { clock, subscribe } = aConsumer()
    const seen: number[] = []
    const started = clock.now()
    const all = (async () => {
      for await (const event of subscribe()) {
        seen.push(clock.now() - started)
        expect(event.Records).toEqual([])
      }
    })()

    await clock.advance(300_000)
    await all
    expect(seen).toHaveLength(60)
    expect(seen.at(-1)).toBe(295_000)
    expect(clock.pending).toBe(0)
  })

  it('ends with the children of a shard that was closed, after its last record', async () => {
    const { service, subscribe, put } = aConsumer()
    put('1')
    const events = subscribe()
    await next(events)
    const last = next(events)
    service.call('SplitShard', { StreamARN, ShardToSplit: ShardId, NewStartingHashKey: '5' })

    expect(await last).toEqual({
      Records: [],
      MillisBehindLatest: 0,
      ChildShards: [
        expect.objectContaining({ ShardId: 'shardId-000000000001', ParentShards: [ShardId] }),
        expect.objectContaining({ ShardId: 'shardId-000000000002', ParentShards: [ShardId] }),
      ],
    })
    expect(await events.next()).toEqual({ done: true, value: undefined })
  })

  it('gets 2 MiB a second after a burst of one, whatever others read', async () => {
    const { clock, subscribe, put, service } = aConsumer()
    service.call('UpdateMaxRecordSize', { StreamARN, MaxRecordSizeInKiB: 10_240 })
    for (let second = 0; second < 8; second++) {
      put(Buffer.alloc(MiB - 1))
      await clock.advance(1_000)
    }
    let bytes = 0
    void (async () => {
      for await (const { Records } of subscribe()) for (const { Data } of Records) bytes += Data.length
    })()

    const seen: number[] = []
    for (let second = 0; second < 4; second++) {
      await clock.advance(second === 0 ? 0 : 1_000)
      seen.push(Math.round(bytes / MiB))
    }
    expect(seen).toEqual([2, 4, 6, 8])
  })

  it('gets whatever is there when limits are off', async () => {
    const { clock, subscribe, put } = aConsumer({ shardLimits: false })
    for (let record = 0; record < 8; record++) put(Buffer.alloc(MiB - 1))
    const started = clock.now()
    const events = subscribe()

    for (let record = 0; record < 8; record++) expect((await next(events)).Records).toHaveLength(1)
    expect(clock.now()).toBe(started)
  })

  it('ends when its reader stops asking, also in mid-wait', async () => {
    const { clock, subscribe } = aConsumer()
    const events = subscribe()
    await next(events)
    const waiting = events.next()
    await events.return?.()

    expect(await waiting).toEqual({ done: true, value: undefined })
    expect(clock.pending).toBe(0)
  })

  it('publishes what it pushed, under the name of the consumer', async () => {
    const metrics = new MetricStore()
    const { subscribe, put, clock } = aConsumer({ metrics })
    put('12345678')
    put('12345678')
    await next(subscribe())

    const sum = (name: string) => {
      const dimensions = { StreamName: 'orders', ConsumerName: 'fast' }
      const series = metrics.series('AWS/Kinesis', name, dimensions)!
      return metrics.query(series, 0, clock.now() + 1, 86_400)[0]?.values.sum
    }
    expect(sum('SubscribeToShardEvent.Records')).toBe(2)
    expect(sum('SubscribeToShardEvent.Bytes')).toBe(18)
    expect(sum('SubscribeToShard.Success')).toBe(1)
  })
})

describe('a second subscription of one consumer and shard', () => {
  it('is refused within five seconds, and takes over after them', async () => {
    const { clock, subscribe, register } = aConsumer()
    const first = subscribe()
    await next(first)
    const waiting = first.next()

    await clock.advance(4_999)
    expect(() => subscribe()).toThrow(refused('ResourceInUseException'))
    await expect(next(subscribe(undefined, { ConsumerARN: register('other') }))).resolves.toBeDefined()
    await clock.advance(1)
    const second = subscribe()
    await expect(waiting).resolves.toMatchObject({ value: { Records: [] } })
    await expect(first.next()).rejects.toEqual(refused('ResourceInUseException'))
    await expect(next(second)).resolves.toBeDefined()
  })
})

describe('a subscription is refused', () => {
  it.each([
    ['of no consumer', { ConsumerARN: `${StreamARN}/consumer/none:1` }, 'ResourceNotFoundException'],
    ['to no shard', { ShardId: 'shardId-000000000007' }, 'ResourceNotFoundException'],
    ['from nowhere', { StartingPosition: undefined }, 'ValidationException'],
    ['from an unknown position', { StartingPosition: { Type: 'EARLIEST' } }, 'ValidationException'],
    [
      'without the number it names',
      { StartingPosition: { Type: 'AT_SEQUENCE_NUMBER' } },
      'InvalidArgumentException',
    ],
    [
      'from a number that is none',
      { StartingPosition: { Type: 'AT_SEQUENCE_NUMBER', SequenceNumber: '7' } },
      'InvalidArgumentException',
    ],
  ])('%s', (_what, more, code) => {
    const { subscribe } = aConsumer()

    expect(() => subscribe(undefined, more)).toThrow(refused(code))
    // What is refused is no successful call: the next one need not wait.
    subscribe()
  })

  it('to a consumer that is still CREATING', async () => {
    const { clock } = aConsumer()
    const slow = new KinesisService({ clock, streamTransitionMs: 1_000 })
    slow.createStream({ name: 'orders', shards: 1, retentionHours: 24 })
    const { Consumer } = slow.call('RegisterStreamConsumer', { StreamARN, ConsumerName: 'fast' }) as {
      Consumer: { ConsumerARN: string }
    }
    const subscribe = () =>
      slow.subscribeToShard({ ...Consumer, ShardId, StartingPosition: { Type: 'LATEST' } })

    expect(subscribe).toThrow(refused('ResourceInUseException'))
    await clock.advance(1_000)
    subscribe()
  })
})

describe('the reader hears', () => {
  it.each([
    ['that its consumer is gone', 'DeregisterStreamConsumer', {}],
    ['that its stream is gone', 'DeleteStream', { StreamARN, EnforceConsumerDeletion: true }],
  ])('%s', async (_what, operation, input) => {
    const { service, subscribe, ConsumerARN } = aConsumer()
    const events = subscribe()
    await next(events)
    const waiting = events.next()
    service.call(operation, operation === 'DeleteStream' ? input : { ConsumerARN })

    await expect(waiting).rejects.toEqual(refused('ResourceNotFoundException'))
  })
})
