import { InvalidOptionError } from '@org/kinesis-core'
import { describe, expect, it } from 'vitest'
import { type DynamoDbSinkOptions, dynamoDbSink } from '../src/dynamodb.js'
import { PermanentError } from '../src/errors.js'
import type { SinkRecord, SinkResult } from '../src/sink.js'
import { startServices } from './local-fixture.js'

type Order = Record<string, unknown>

const record = (value: Order, partitionKey = String(value.id)): SinkRecord<Order> => ({
  value,
  position: {
    streamArn: 'arn:aws:kinesis:us-east-1:000000000000:stream/orders',
    streamName: 'orders',
    shardId: 'shardId-000000000000',
    sequenceNumber: '1',
    subSequenceNumber: 0,
    partitionKey,
    arrivalMs: 0,
  },
})
const order = (id: string, at = '1', more: Order = {}) => record({ id, at, ...more })
const time = { remainingMs: () => 60_000 }
const codes = (results: readonly SinkResult[]) =>
  results.map((result) =>
    result.stored ? 'stored' : result.error instanceof PermanentError ? result.error.reasonCode : 'failed',
  )

type Services = Awaited<ReturnType<typeof startServices>>
const sinkOf = ({ dynamodb }: Services, options: Partial<DynamoDbSinkOptions<Order>> = {}) =>
  dynamoDbSink<Order>({
    client: dynamodb,
    tableName: 'orders',
    key: { partition: 'id', sort: 'at' },
    item: (value) => value,
    uniqueKeys: true,
    ...options,
  })

describe('a DynamoDB sink of events with unique keys', () => {
  it('stores many records in few requests, whatever keys they are of', async () => {
    await using services = await startServices()

    const results = await sinkOf(services).write(
      Array.from({ length: 110 }, (_, n) => order(`id-${n}`, '1', { n: n / 10 })),
      time,
    )

    expect(codes(results)).toEqual(Array(110).fill('stored'))
    expect(services.requests).toHaveLength(5)
    expect(services.requests.every(({ operation }) => operation === 'BatchWriteItem')).toBe(true)
    const stored = await services.stored()
    expect(stored).toHaveLength(110)
    expect(stored.find(({ id }) => id === 'id-7')).toEqual({ id: 'id-7', at: '1', n: 0.7 })
  })

  it('splits requests where two records have one key: the last wins', async () => {
    await using services = await startServices()

    const results = await sinkOf(services).write(
      [order('a', '1', { n: 1 }), order('b', '1', { n: 2 }), order('a', '1', { n: 3 })],
      time,
    )

    expect(codes(results)).toEqual(['stored', 'stored', 'stored'])
    expect(await services.stored()).toContainEqual({ id: 'a', at: '1', n: 3 })
  })

  it('does not let one item poison the others: too large, without a key, out of range', async () => {
    await using services = await startServices()

    const results = await sinkOf(services).write(
      [
        order('a'),
        order('b', '1', { text: 'x'.repeat(400 * 1024) }),
        order(''),
        record({ id: 'c' }),
        record({ id: 7, at: '1' }, 'seven'),
        order('p'.repeat(2_049)),
        order('d', 's'.repeat(1_025)),
        order('e', '1', { n: 1e300 }),
        order('a', '2'),
      ],
      time,
    )

    expect(codes(results)).toEqual(['stored', ...Array(7).fill('unstorable'), 'stored'])
    expect(services.operations()).toEqual(['BatchWriteItem 2'])
    expect(results[1]).toMatchObject({ error: { message: expect.stringMatching(/has 409\d{3} bytes/) } })
  })

  it('finds the one item that only the table knows to be wrong', async () => {
    await using services = await startServices()
    // The index wants text for `kind`, which the sink cannot know.
    const records = [
      order('a'),
      order('b', '1', { kind: 7 }),
      order('c', '1', { kind: 'x' }),
      order('b', '2'),
    ]

    const results = await sinkOf(services).write(records, time)

    expect(codes(results)).toEqual(
      ['stored', 'unstorable', 'stored', 'stored'].map((code, i) => (i === 3 ? 'failed' : code)),
    )
    expect(services.operations()).toEqual(['BatchWriteItem 4', 'PutItem 1', 'PutItem 1', 'PutItem 1'])
    expect((await services.stored()).map(({ id }) => id).sort()).toEqual(['a', 'c'])
  })

  it('stores an item of exactly 400 KB', async () => {
    await using services = await startServices()
    const room = 400 * 1024 - 'id'.length - 'a'.length - 'at'.length - '1'.length - 'text'.length

    const results = await sinkOf(services).write([order('a', '1', { text: 'x'.repeat(room) })], time)

    expect(codes(results)).toEqual(['stored'])
    expect(
      codes(await sinkOf(services).write([order('a', '1', { text: 'x'.repeat(room + 1) })], time)),
    ).toEqual(['unstorable'])
  })

  it('stores whatever JSON can hold and DynamoDB can take', async () => {
    await using services = await startServices()
    const value = {
      id: 'ключ',
      at: '🕐',
      deep: { list: [1, 'two', null, [true, {}]], empty: '' },
      big: 1.5e15,
      small: 1e-130,
      third: 0.3333333333333333,
      negative: -19.99,
    }

    expect(codes(await sinkOf(services).write([record(value)], time))).toEqual(['stored'])
    expect(await services.stored()).toEqual([value])
  })

  it('fails the records whose request failed, holds back what follows them in their key, and no other', async () => {
    await using services = await startServices(({ operation, number }) =>
      operation === 'BatchWriteItem' && number === 1 ? { kind: 'error500' } : undefined,
    )
    const records = [
      ...Array.from({ length: 30 }, (_, n) => order('hot', String(n).padStart(3, '0'))),
      order('cold', '1'),
    ]

    const results = await sinkOf(services, { maxConcurrency: 1 }).write(records, time)

    expect(codes(results)).toEqual([...Array(30).fill('failed'), 'stored'])
    expect(await services.stored()).toEqual([{ id: 'cold', at: '1' }])
  })

  it('gives up on a table that fails again and again, instead of trying every request', async () => {
    await using services = await startServices(() => ({ kind: 'throttle' }))
    const records = Array.from({ length: 1_000 }, (_, n) => order(`id-${n}`))

    const results = await sinkOf(services, { maxConcurrency: 1 }).write(records, time)

    expect(codes(results)).toEqual(Array(1_000).fill('failed'))
    expect(services.requests).toHaveLength(3)
  })

  it('gives up on an answer that does not come', async () => {
    await using services = await startServices(() => ({ kind: 'stall', delayMs: 20_000 }))

    const results = await sinkOf(services, { requestTimeoutMs: 100 }).write([order('a')], time)

    expect(results).toMatchObject([
      { stored: false, error: { code: 'TRANSIENT', message: 'orders gave no answer in 100 ms.' } },
    ])
  })

  it('starts no request when the time is over', async () => {
    await using services = await startServices()

    const results = await sinkOf(services).write([order('a')], { remainingMs: () => 0 })

    expect(codes(results)).toEqual(['failed'])
    expect(services.requests).toEqual([])
  })

  it.each<[string, Partial<DynamoDbSinkOptions<Order>>, RegExp]>([
    ["a key that is not the table's, in a batch", {}, /key element does not match the schema/],
    ["a key that is not the table's, in a put", { uniqueKeys: false }, /Missing the key at/],
    [
      'a condition that is none',
      {
        uniqueKeys: false,
        item: (value) => ({ at: '1', ...value }),
        condition: () => ({ expression: '#x' }),
      },
      /ConditionExpression/,
    ],
  ])('rejects no record for a fault of the wiring: %s', async (_, options, message) => {
    await using services = await startServices()

    const results = await sinkOf(services, { key: { partition: 'id' }, ...options }).write(
      [record({ id: 'a' }), record({ id: 'b' })],
      time,
    )

    expect(codes(results)).toEqual(['failed', 'failed'])
    expect(results[0]).toMatchObject({
      error: { name: 'ValidationException', message: expect.stringMatching(message) },
    })
    expect(services.requests.length).toBeLessThanOrEqual(2)
  })

  it('takes a table that is not there for a fault that may be mended', async () => {
    await using services = await startServices()

    const results = await sinkOf(services, { tableName: 'missing' }).write([order('a')], time)

    expect(results).toMatchObject([{ stored: false, error: { name: 'ResourceNotFoundException' } }])
    expect(codes(results)).toEqual(['failed'])
  })

  it('holds back the rest of a key when the item of one of its records cannot be made', async () => {
    await using services = await startServices()
    const item = (value: Order) => {
      if (value.at === '1') throw new Error('the exchange rates are not loaded')
      return value
    }

    const results = await sinkOf(services, { item }).write(
      [order('a', '1'), order('a', '2'), order('b', '2')],
      time,
    )

    expect(codes(results)).toEqual(['failed', 'failed', 'stored'])
  })
})

describe('a DynamoDB sink of events that share keys', () => {
  const newest: DynamoDbSinkOptions<Order>['condition'] = ({ n }) => ({
    expression: 'attribute_not_exists(#n) OR #n < :n',
    names: { '#n': 'n' },
    values: { ':n': n },
  })

  it('puts each item under its condition, and takes an older event for stored', async () => {
    await using services = await startServices()
    const sink = sinkOf(services, { uniqueKeys: false, condition: newest })

    const results = await sink.write(
      [
        order('a', '1', { n: 5 }),
        order('b', '1', { n: 1 }),
        order('a', '1', { n: 4 }),
        order('b', '1', { n: 2 }),
      ],
      time,
    )

    expect(codes(results)).toEqual(Array(4).fill('stored'))
    expect(services.operations()).toEqual(Array(4).fill('PutItem 1'))
    expect((await services.stored()).map(({ id, n }) => `${id}${n}`).sort()).toEqual(['a5', 'b2'])
  })

  it('leaves the same table when all of it comes again', async () => {
    await using services = await startServices()
    const sink = sinkOf(services, { uniqueKeys: false, condition: newest })
    const records = [order('a', '1', { n: 1 }), order('a', '1', { n: 2 })]

    await sink.write(records, time)
    await sink.write(records, time)

    expect(await services.stored()).toEqual([{ id: 'a', at: '1', n: 2 }])
  })

  it('puts without a condition where there is none: the last of a key wins', async () => {
    await using services = await startServices()

    await sinkOf(services, { uniqueKeys: false }).write(
      Array.from({ length: 40 }, (_, n) => order('a', '1', { n })),
      time,
    )

    expect(await services.stored()).toEqual([{ id: 'a', at: '1', n: 39 }])
  })

  it('puts nothing of a key behind a put that failed', async () => {
    await using services = await startServices(({ number }) =>
      number === 1 ? { kind: 'error500' } : undefined,
    )

    const results = await sinkOf(services, { uniqueKeys: false, maxConcurrency: 1 }).write(
      [order('a', '1', { n: 1 }), order('a', '1', { n: 2 }), order('b', '1', { n: 3 })],
      time,
    )

    expect(codes(results)).toEqual(['failed', 'failed', 'stored'])
    expect(services.requests).toHaveLength(2)
  })
})

describe('options of a DynamoDB sink that cannot work', () => {
  const good: DynamoDbSinkOptions<Order> = {
    client: { send: () => {} } as never,
    tableName: 'orders',
    key: { partition: 'id' },
    item: (value) => value,
    uniqueKeys: true,
  }

  it.each<[string, Partial<Record<keyof DynamoDbSinkOptions<Order> | 'table', unknown>>]>([
    ['client', { client: undefined }],
    ['tableName', { tableName: '' }],
    ['key', { key: undefined }],
    ['key.sort', { key: { partition: 'id', sort: '' } }],
    ['item', { item: undefined }],
    ['uniqueKeys', { uniqueKeys: undefined }],
    ['condition', { condition: () => ({ expression: 'x' }) }],
    ['maxConcurrency', { maxConcurrency: 0 }],
    ['maxUnprocessedAttempts', { maxUnprocessedAttempts: 0 }],
    ['requestTimeoutMs', { requestTimeoutMs: 0 }],
    ['table', { table: 'orders' }],
  ])('fail when the sink is built: %s', (option, wrong) => {
    const build = () => dynamoDbSink({ ...good, ...wrong } as never)

    expect(build).toThrow(InvalidOptionError)
    expect(build).toThrow(expect.objectContaining({ option }))
  })
})
