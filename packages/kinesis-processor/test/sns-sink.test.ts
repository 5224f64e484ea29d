import { CreateTopicCommand, PublishBatchCommand, type SNSClient } from '@aws-sdk/client-sns'
import { InvalidOptionError } from '@org/kinesis-core'
import { kinesisEvent, lambdaContext } from '@org/kinesis-core/testing'
import type { FaultPlan } from '@org/kinesis-local'
import { describe, expect, it } from 'vitest'
import { MemoryRejectedSink } from '../src/handler-fixture.js'
import { kinesisHandler, parseJson } from '../src/index.js'
import { outcomes, sinkRecords, time } from '../src/sink-fixture.js'
import { type SnsSinkOptions, snsSink } from '../src/sns.js'
import { startFifoServices } from './fifo-fixture.js'
import { startServices } from './local-fixture.js'

/** The queue `orders` gets what the topic gets, as it is. */
async function startTopic(faults?: FaultPlan) {
  const services = await startServices(faults)
  const topicArn = services.local.topicArn('orders')
  await services.local.sns.call('Subscribe', {
    TopicArn: topicArn,
    Protocol: 'sqs',
    Endpoint: `arn:aws:sqs:${services.local.region}:${services.local.accountId}:orders`,
    Attributes: { RawMessageDelivery: 'true' },
  })
  return { ...services, topicArn }
}

type Services = Awaited<ReturnType<typeof startTopic>>
const sinkOf = ({ sns, topicArn }: Services, options: Partial<SnsSinkOptions<unknown>> = {}) =>
  snsSink<unknown>({ client: sns, topicArn, ...options })
const messages = ({ local }: Services) => local.queueMessages('orders')

describe('an SNS sink', () => {
  it('publishes each record as a message, ten in a request, with its attributes', async () => {
    await using services = await startTopic()
    const records = sinkRecords(...Array.from({ length: 23 }, (_, n): [string, object] => [`k${n}`, { n }]))

    const results = await sinkOf(services, {
      maxConcurrency: 1,
      attributes: (_, { partitionKey }) => ({ partitionKey, size: 1 }),
    }).write(records, time)

    expect(outcomes(results)).toEqual(Array(23).fill('stored'))
    expect(messages(services).map(({ body }) => JSON.parse(body))).toEqual(records.map(({ value }) => value))
    expect(messages(services)[22]?.attributes).toEqual({
      partitionKey: { DataType: 'String', StringValue: 'k22' },
      size: { DataType: 'Number', StringValue: '1' },
    })
    expect(services.operations()).toEqual(['PublishBatch 10', 'PublishBatch 10', 'PublishBatch 3'])
  })

  it('keeps messages and requests within 256 KiB, unless it is told that the topic takes more', async () => {
    await using services = await startTopic()
    const { TopicArn } = await services.sns.send(
      new CreateTopicCommand({ Name: 'large', Attributes: { MaximumMessageSize: '1048576' } }),
    )
    const text = (bytes: number) => 'x'.repeat(bytes)
    const records = sinkRecords(
      ['a', text(262_144)],
      ['b', text(262_145)],
      ['c', text(200_000)],
      ['d', text(60_000)],
    )

    const results = await sinkOf(services, { maxConcurrency: 1 }).write(records, time)
    const large = await sinkOf(services, { topicArn: TopicArn!, maxMessageBytes: 1_048_576 }).write(
      records,
      time,
    )

    expect(outcomes(results)).toEqual(['stored', 'unstorable', 'stored', 'stored'])
    expect(outcomes(large)).toEqual(Array(4).fill('stored'))
    expect(services.operations().slice(1)).toEqual(['PublishBatch 1', 'PublishBatch 2', 'PublishBatch 4'])
  })

  it('publishes one by one where the topic takes less than the sink was told, and rejects only what is too large', async () => {
    await using services = await startTopic()
    const records = sinkRecords(
      ['a', 'x'.repeat(150_000)],
      ['b', 'x'.repeat(300_000)],
      ['c', 'x'.repeat(150_000)],
    )

    const results = await sinkOf(services, { maxMessageBytes: 1_048_576 }).write(records, time)

    expect(outcomes(results)).toEqual(['stored', 'unstorable', 'stored'])
    expect(services.operations()).toEqual(['PublishBatch 3', ...Array(3).fill('PublishBatch 1')])
  })

  it('fails the one message that failed in a request', async () => {
    await using services = await startTopic()
    const client = {
      send: async (command: PublishBatchCommand, options: object) => {
        const [first, ...rest] = command.input.PublishBatchRequestEntries!
        const taken = new PublishBatchCommand({ ...command.input, PublishBatchRequestEntries: rest })
        const answer = await services.sns.send(taken, options)
        return { ...answer, Failed: [{ Id: first!.Id, Code: 'InternalError', SenderFault: false }] }
      },
    } as unknown as SNSClient

    const results = await sinkOf(services, { client }).write(
      sinkRecords(['a', '1'], ['b', '2'], ['c', '3']),
      time,
    )

    expect(outcomes(results)).toEqual(['failed', 'stored', 'stored'])
    expect(messages(services).map(({ body }) => body)).toEqual(['2', '3'])
  })

  it('fails the records of a request that failed, and all where there is no such topic', async () => {
    await using services = await startTopic(({ number }) => (number === 2 ? { kind: 'error500' } : undefined))
    const records = sinkRecords(...Array.from({ length: 30 }, (_, n): [string, string] => [`k${n}`, `${n}`]))

    const results = await sinkOf(services, { maxConcurrency: 1 }).write(records, time)
    const missing = await sinkOf(services, { topicArn: `${services.topicArn}-2` }).write(
      records.slice(0, 1),
      time,
    )

    expect(outcomes(results)).toEqual(records.map((_, n) => (n < 10 || n >= 20 ? 'stored' : 'failed')))
    expect(missing).toMatchObject([{ stored: false, error: { name: 'NotFoundException' } }])
  })

  it('stores a stream through a handler, whatever fails on the way, and rejects what no message can hold', async () => {
    await using services = await startTopic(({ number }) =>
      number % 2 === 1 ? { kind: 'error500' } : undefined,
    )
    const rejected = new MemoryRejectedSink()
    const handler = kinesisHandler({
      decode: (data) => parseJson(data) as { n: number; text: string },
      sink: sinkOf(services),
      rejected,
      backoffBaseMs: 1,
      maxAttempts: 10,
    })
    const big = 'x'.repeat(256 * 1024)
    const events = Array.from({ length: 25 }, (_, n) => ({ n, text: n === 7 ? big : '' }))

    const response = await handler(
      kinesisEvent(events.map((data) => ({ partitionKey: `k${data.n % 5}`, data }))),
      lambdaContext(),
    )

    expect(response).toEqual({ batchItemFailures: [] })
    expect(rejected.records).toMatchObject([{ partitionKey: 'k2', reasonCode: 'unstorable' }])
    const stored = new Set(messages(services).map(({ body }) => (JSON.parse(body) as { n: number }).n))
    expect([...stored].sort((a, b) => a - b)).toEqual(events.map(({ n }) => n).filter((n) => n !== 7))
  })

  it.each<[string, object]>([
    ['client', { client: undefined }],
    ['topicArn', { topicArn: '' }],
    ['body', { body: 'text' }],
    ['attributes', { attributes: {} }],
    ['maxMessageBytes', { maxMessageBytes: 2 * 1024 * 1024 }],
    ['maxConcurrency', { maxConcurrency: 0 }],
    ['requestTimeoutMs', { requestTimeoutMs: -1 }],
    ['clock', { clock: {} }],
    ['topic', { topic: 'x' }],
  ])('fails when it is built with options that cannot work: %s', (option, wrong) => {
    const build = () => snsSink({ client: { send() {} }, topicArn: 'arn:aws:sns:x:1:t', ...wrong } as never)

    expect(build).toThrow(InvalidOptionError)
    expect(build).toThrow(expect.objectContaining({ option }))
  })
})

describe('an SNS sink of a FIFO topic', () => {
  it('publishes the records of each key in order, and once though they come again', async () => {
    await using services = await startFifoServices()
    const records = sinkRecords(
      ...Array.from({ length: 40 }, (_, n): [string, string] => [`k${n % 4}`, `k${n % 4} ${n}`]),
    )
    const sink = snsSink({ client: services.sns, topicArn: services.topicArn })

    const first = await sink.write(records, time)
    const again = await sink.write(records, time)

    expect(outcomes([...first, ...again])).toEqual(Array(80).fill('stored'))
    const received = await services.receiveAll()
    expect(received).toHaveLength(40)
    for (let key = 0; key < 4; key++) {
      const group = received.filter(({ group }) => group === `k${key}`).map(({ body }) => body)
      expect(group).toEqual(records.map(({ value }) => value).filter((value) => value.startsWith(`k${key} `)))
    }
  })
})
