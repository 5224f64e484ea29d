import { once } from 'node:events'
import { connect, constants } from 'node:http2'
import {
  CreateStreamCommand,
  DeregisterStreamConsumerCommand,
  type KinesisClient,
  PutRecordsCommand,
  RegisterStreamConsumerCommand,
  SplitShardCommand,
  SubscribeToShardCommand,
  type SubscribeToShardEvent,
} from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Local, startLocal } from '../src/start-local.js'
import { kinesisClient, post, protocols } from './support/clients.js'

let local: Local
let nextStream = 1
/** The requests of subscriptions that have ended. */
const ended: string[] = []

beforeAll(async () => {
  local = await startLocal({
    shardLimits: false,
    onRequest: ({ operation, requestBody }) => {
      if (operation === 'SubscribeToShard') ended.push(requestBody.toString())
    },
  })
})
afterAll(() => local.close())

const TARGET = 'Kinesis_20131202.SubscribeToShard'

const text = (data: Uint8Array | undefined) => Buffer.from(data!).toString()

describe.each(protocols)('SubscribeToShard over %s', (_name, config) => {
  let client: KinesisClient

  beforeAll(() => {
    client = kinesisClient(local, config())
  })
  afterAll(() => client.destroy())

  async function aConsumer() {
    const StreamName = `stream-${nextStream++}`
    await client.send(new CreateStreamCommand({ StreamName, ShardCount: 1 }))
    const StreamARN = `arn:aws:kinesis:us-east-1:000000000000:stream/${StreamName}`
    const { Consumer } = await client.send(
      new RegisterStreamConsumerCommand({ StreamARN, ConsumerName: 'fast' }),
    )
    const put = (...records: string[]) =>
      client.send(
        new PutRecordsCommand({
          StreamName,
          Records: records.map((record) => ({ PartitionKey: 'k', Data: Buffer.from(record) })),
        }),
      )
    return { StreamName, ConsumerARN: Consumer!.ConsumerARN!, put }
  }

  async function subscribe(ConsumerARN: string, ShardId = 'shardId-000000000000') {
    const { EventStream } = await client.send(
      new SubscribeToShardCommand({ ConsumerARN, ShardId, StartingPosition: { Type: 'TRIM_HORIZON' } }),
    )
    return EventStream!
  }

  /** All records of a shard until it ends, with what its last event says. */
  async function drain(ConsumerARN: string, ShardId?: string) {
    const records: string[] = []
    let last: SubscribeToShardEvent | undefined
    for await (const { SubscribeToShardEvent: event } of await subscribe(ConsumerARN, ShardId)) {
      records.push(...event!.Records!.map(({ Data }) => text(Data)))
      last = event
    }
    return { records, last }
  }

  it('pushes records as they are written, through a reshard and into the children', async () => {
    const { StreamName, ConsumerARN, put } = await aConsumer()
    await put('1', '2')
    const parent = drain(ConsumerARN)
    await put('3')
    await client.send(
      new SplitShardCommand({
        StreamName,
        ShardToSplit: 'shardId-000000000000',
        NewStartingHashKey: String(1n << 127n),
      }),
    )
    const { Records } = await put('4', '5')
    const { records, last } = await parent

    expect(records).toEqual(['1', '2', '3'])
    expect(last!.ContinuationSequenceNumber).toBeUndefined()
    expect(last!.ChildShards!.map(({ ShardId }) => ShardId)).toEqual([
      'shardId-000000000001',
      'shardId-000000000002',
    ])
    for await (const { SubscribeToShardEvent: event } of await subscribe(ConsumerARN, Records![0]!.ShardId)) {
      expect(event!.Records!.map(({ Data }) => text(Data))).toEqual(['4', '5'])
      expect(event!.Records![0]!.ApproximateArrivalTimestamp).toBeInstanceOf(Date)
      expect(event!.ContinuationSequenceNumber).toBe(event!.Records!.at(-1)!.SequenceNumber)
      break
    }
  })

  it('gives large records whole', async () => {
    const { ConsumerARN, StreamName } = await aConsumer()
    const Data = Buffer.alloc(1024 * 1024 - 1, 7)
    for (let record = 0; record < 20; record++) {
      local.kinesis.call('PutRecord', { StreamName, PartitionKey: 'k', Data })
    }
    let count = 0
    for await (const { SubscribeToShardEvent: event } of await subscribe(ConsumerARN)) {
      for (const record of event!.Records!) {
        expect(Buffer.compare(record.Data!, Data)).toBe(0)
        count += 1
      }
      if (count === 20) break
    }
    expect(count).toBe(20)
  })

  it('says what went wrong, before the stream of events and in it', async () => {
    const { ConsumerARN, put } = await aConsumer()
    await put('1')
    const events = (await subscribe(ConsumerARN))[Symbol.asyncIterator]()
    await events.next()

    await expect(subscribe(ConsumerARN)).rejects.toMatchObject({ name: 'ResourceInUseException' })
    const heard = expect(events.next()).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: `Consumer ${ConsumerARN} not found.`,
    })
    await client.send(new DeregisterStreamConsumerCommand({ ConsumerARN }))
    await heard
  })
})

/** A stream with a consumer, made in process; the body of a request that subscribes it. */
function aSubscription() {
  const StreamName = `stream-${nextStream++}`
  const StreamARN = `arn:aws:kinesis:us-east-1:000000000000:stream/${StreamName}`
  local.kinesis.call('CreateStream', { StreamName, ShardCount: 1 })
  const { Consumer } = local.kinesis.call('RegisterStreamConsumer', { StreamARN, ConsumerName: 'raw' }) as {
    Consumer: { ConsumerARN: string }
  }
  const body = JSON.stringify({
    ConsumerARN: Consumer.ConsumerARN,
    ShardId: 'shardId-000000000000',
    StartingPosition: { Type: 'TRIM_HORIZON' },
  })
  return { StreamName, body }
}

it('reads no more of the shard than its reader takes', async () => {
  const records = 60
  const { StreamName, body } = aSubscription()
  for (let record = 0; record < records; record++) {
    local.kinesis.call('PutRecord', { StreamName, PartitionKey: 'k', Data: Buffer.alloc(1024 * 1024 - 1) })
  }
  const pushed = () => {
    const dimensions = { StreamName, ConsumerName: 'raw' }
    const series = local.metrics.series('AWS/Kinesis', 'SubscribeToShardEvent.Records', dimensions)
    const points = series === undefined ? [] : local.metrics.query(series, 0, Date.now() + 1_000, 86_400)
    return points.reduce((sum, { values }) => sum + values.sum, 0)
  }
  const response = await post(local.url, TARGET, body)
  let before = 0
  do {
    before = pushed()
    await new Promise((resolve) => setTimeout(resolve, 200))
  } while (before === 0 || before !== pushed())

  expect(before).toBeLessThan(records)
  const reader = response.body!.getReader()
  while (pushed() < records) await reader.read()
  await reader.cancel()
})

it('ends when its reader turns away', async () => {
  const { body } = aSubscription()
  const overHttp1 = await post(local.url, TARGET, body)
  await overHttp1.body!.cancel()
  await vi.waitFor(() => expect(ended).toContain(body), 10_000)

  const session = connect(local.url)
  const overHttp2 = session.request({ ':method': 'POST', 'x-amz-target': TARGET })
  const { body: other } = aSubscription()
  overHttp2.end(other)
  await once(overHttp2, 'data')
  overHttp2.close(constants.NGHTTP2_CANCEL)
  await vi.waitFor(() => expect(ended).toContain(other), 10_000)
  session.destroy()
})

it.each(['truncate', 'reset-amid'] as const)('is cut off by the fault %s', async (kind) => {
  const faulty = await startLocal({
    streams: [{ name: 'orders' }],
    faults: ({ operation }) => (operation === 'SubscribeToShard' ? { kind } : undefined),
  })
  const client = kinesisClient(faulty, { requestHandler: new NodeHttpHandler() })
  try {
    const StreamARN = 'arn:aws:kinesis:us-east-1:000000000000:stream/orders'
    const { Consumer } = await client.send(
      new RegisterStreamConsumerCommand({ StreamARN, ConsumerName: 'fast' }),
    )
    const ShardId = 'shardId-000000000000'
    faulty.kinesis.call('SplitShard', { StreamARN, ShardToSplit: ShardId, NewStartingHashKey: '5' })
    const read = async () => {
      const { ConsumerARN } = Consumer!
      const { EventStream } = await client.send(
        new SubscribeToShardCommand({ ConsumerARN, ShardId, StartingPosition: { Type: 'TRIM_HORIZON' } }),
      )
      for await (const _event of EventStream!);
    }

    // A reset may overtake what was sent before it.
    await expect(read()).rejects.toThrow(/aborted|ECONNRESET/)
  } finally {
    client.destroy()
    await faulty.close()
  }
})

it('ends when the services close, at once', async () => {
  const short = await startLocal({ streams: [{ name: 'orders' }] })
  const client = kinesisClient(short)
  try {
    const { Consumer } = await client.send(
      new RegisterStreamConsumerCommand({
        StreamARN: 'arn:aws:kinesis:us-east-1:000000000000:stream/orders',
        ConsumerName: 'fast',
      }),
    )
    const { EventStream } = await client.send(
      new SubscribeToShardCommand({
        ConsumerARN: Consumer!.ConsumerARN,
        ShardId: 'shardId-000000000000',
        StartingPosition: { Type: 'LATEST' },
      }),
    )
    const events = EventStream![Symbol.asyncIterator]()
    await events.next()
    const waiting = events.next()
    await short.close()

    expect((await waiting).done).toBe(true)
  } finally {
    client.destroy()
    await short.close()
  }
})
