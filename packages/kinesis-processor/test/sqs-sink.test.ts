import { CreateQueueCommand, SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { InvalidOptionError } from '@org/kinesis-core'
import { kinesisEvent, lambdaContext } from '@org/kinesis-core/testing'
import { describe, expect, it } from 'vitest'
import { MemoryRejectedSink } from '../src/handler-fixture.js'
import { kinesisHandler, PermanentError, parseJson } from '../src/index.js'
import { outcomes, position, sinkRecords, time } from '../src/sink-fixture.js'
import { type SqsSinkOptions, sqsSink } from '../src/sqs.js'
import { startFifoServices } from './fifo-fixture.js'
import { startServices } from './local-fixture.js'

type Services = Awaited<ReturnType<typeof startServices>>
const sinkOf = ({ sqs, local }: Services, options: Partial<SqsSinkOptions<unknown>> = {}) =>
  sqsSink<unknown>({ client: sqs, queueUrl: local.queueUrl('orders'), ...options })
const bodies = ({ local }: Services) => local.queueMessages('orders').map(({ body }) => body)

/** The queue, but for messages with these bodies it answers that it failed, and does not take them. */
function failingFor(client: SQSClient, failing: string[]): SQSClient {
  const send = async (command: SendMessageBatchCommand, options: object) => {
    const { Entries = [] } = command.input
    const failed = Entries.filter(({ MessageBody }) => failing.includes(MessageBody ?? ''))
    const taken = Entries.filter((entry) => !failed.includes(entry))
    const Failed = failed.map(({ Id }) => ({
      Id,
      Code: 'InternalError',
      Message: 'injected',
      SenderFault: false,
    }))
    if (taken.length === 0) return { Failed }
    const answer = await client.send(
      new SendMessageBatchCommand({ ...command.input, Entries: taken }),
      options,
    )
    return { ...answer, Failed }
  }
  return { send } as unknown as SQSClient
}

describe('an SQS sink', () => {
  it('sends each record as a message, ten in a request', async () => {
    await using services = await startServices()
    const records = sinkRecords(...Array.from({ length: 23 }, (_, n): [string, object] => [`k${n}`, { n }]))

    const results = await sinkOf(services, { maxConcurrency: 1 }).write(records, time)

    expect(outcomes(results)).toEqual(Array(23).fill('stored'))
    expect(bodies(services).map((body) => JSON.parse(body))).toEqual(records.map(({ value }) => value))
    expect(services.operations()).toEqual([
      'SendMessageBatch 10',
      'SendMessageBatch 10',
      'SendMessageBatch 3',
    ])
  })

  it('keeps each request within 1 MiB, attributes counted', async () => {
    await using services = await startServices()
    const sink = sinkOf(services, {
      maxConcurrency: 1,
      body: (value) => String(value),
      attributes: () => ({ pad: 'x'.repeat(100_000) }),
    })
    const text = (bytes: number) => 'y'.repeat(bytes)

    const results = await sink.write(
      sinkRecords(['a', text(500_000)], ['b', text(300_000)], ['c', text(300_000)], ['d', text(948_700)]),
      time,
    )

    expect(outcomes(results)).toEqual(['stored', 'stored', 'stored', 'unstorable'])
    expect(services.operations()).toEqual(['SendMessageBatch 2', 'SendMessageBatch 1'])
  })

  it('sends a message of exactly 1 MiB, and rejects one with a byte more', async () => {
    await using services = await startServices()
    const text = 'x'.repeat(1024 * 1024)

    const results = await sinkOf(services).write(sinkRecords(['a', text], ['b', `${text}x`]), time)

    expect(outcomes(results)).toEqual(['stored', 'unstorable'])
    expect(results[1]).toMatchObject({
      error: { message: 'The message has 1048577 bytes; a message has at most 1048576.' },
    })
  })

  it('makes bodies and attributes of values and positions, and leaves out what an attribute cannot hold', async () => {
    await using services = await startServices()
    const sink = sinkOf(services, {
      body: (value, { partitionKey }) => `${partitionKey}: ${value}`,
      attributes: (value, { shardId }) => ({
        shardId,
        length: String(value).length,
        bytes: Uint8Array.of(1, 2),
        empty: '',
        none: undefined,
      }),
    })

    await sink.write(sinkRecords(['a', 'hello']), time)

    const [message] = services.local.queueMessages('orders')
    expect(message?.body).toBe('a: hello')
    expect(message?.attributes).toEqual({
      shardId: { DataType: 'String', StringValue: 'shardId-000000000000' },
      length: { DataType: 'Number', StringValue: '5' },
      bytes: { DataType: 'Binary', BinaryValue: 'AQI=' },
    })
  })

  it('sends any JSON, also with the characters that a queue refuses, and rejects text with them', async () => {
    await using services = await startServices()
    const value = { text: 'nul \u0000, no characters \ufffe \uffff, half a pair \ud800' }

    const results = await sinkOf(services).write(
      sinkRecords<unknown>(['a', value], ['b', 'nul \u0000'], ['c', 'half \ud800'], ['d', ''], ['e', 'good']),
      time,
    )

    expect(outcomes(results)).toEqual(['stored', 'unstorable', 'unstorable', 'unstorable', 'stored'])
    expect(JSON.parse(bodies(services)[0]!)).toEqual(value)
  })

  it.each<[string, Partial<SqsSinkOptions<unknown>>, string]>([
    ['a number that is none', { attributes: () => ({ n: Number.NaN }) }, 'unstorable'],
    ['an attribute that cannot be named so', { attributes: () => ({ 'a b': 'x' }) }, 'failed'],
    ['an attribute of another type', { attributes: () => ({ when: new Date() }) as never }, 'failed'],
    [
      'eleven attributes',
      { attributes: () => Object.fromEntries([...'abcdefghijk'].map((name) => [name, 1])) },
      'failed',
    ],
    ['a body that is no text', { body: () => 7 as never }, 'failed'],
  ])(
    'rejects a record for its data, and none for the code that made its message: %s',
    async (_, options, outcome) => {
      await using services = await startServices()

      const results = await sinkOf(services, options).write(sinkRecords(['a', 'x']), time)

      expect(outcomes(results)).toEqual([outcome])
      expect(services.requests).toEqual([])
    },
  )

  it('fails the one message that failed in a request, and holds back what follows in later ones of its key', async () => {
    await using services = await startServices()
    const client = failingFor(services.sqs, ['a0'])
    const records = sinkRecords(...Array.from({ length: 11 }, (_, n): [string, string] => ['a', `a${n}`]), [
      'b',
      'b0',
    ])

    const results = await sinkOf(services, { client, maxConcurrency: 1 }).write(records, time)

    expect(outcomes(results)).toEqual(['failed', ...Array(9).fill('stored'), 'failed', 'stored'])
    expect(results[0]).toMatchObject({ error: { message: 'InternalError: injected' } })
    expect(results[10]).toMatchObject({
      error: { message: 'An earlier record of its partition key failed.' },
    })
    expect(bodies(services)).not.toContain('a10')
  })

  it('fails the records of a request that failed, and no others', async () => {
    await using services = await startServices(({ number }) =>
      number === 2 ? { kind: 'error500' } : undefined,
    )
    const records = sinkRecords(...Array.from({ length: 30 }, (_, n): [string, string] => [`k${n}`, `${n}`]))

    const results = await sinkOf(services, { maxConcurrency: 1 }).write(records, time)

    expect(outcomes(results)).toEqual(records.map((_, n) => (n < 10 || n >= 20 ? 'stored' : 'failed')))
  })

  it('gives up on a queue that fails again and again, that gives no answer, or that is not there', async () => {
    await using down = await startServices(() => ({ kind: 'throttle' }))
    await using silent = await startServices(() => ({ kind: 'stall', delayMs: 20_000 }))
    await using services = await startServices()
    const many = sinkRecords(...Array.from({ length: 200 }, (_, n): [string, string] => [`k${n}`, `${n}`]))
    const queueUrl = `${services.local.url}/000000000000/missing`

    const failed = await sinkOf(down, { maxConcurrency: 1 }).write(many, time)
    const late = await sinkOf(silent, { requestTimeoutMs: 100 }).write(sinkRecords(['a', 'x']), time)
    const missing = await sinkOf(services, { queueUrl }).write(sinkRecords(['a', 'x']), time)
    const over = await sinkOf(services).write(sinkRecords(['a', 'x']), { remainingMs: () => 0 })

    expect(outcomes(failed)).toEqual(Array(200).fill('failed'))
    expect(down.requests).toHaveLength(3)
    expect(late).toMatchObject([{ stored: false, error: { message: 'SQS gave no answer in 100 ms.' } }])
    expect(missing).toMatchObject([{ stored: false, error: { name: 'QueueDoesNotExist' } }])
    expect(outcomes(over)).toEqual(['failed'])
  })

  it('stores a stream through a handler, whatever fails on the way, and rejects what no message can hold', async () => {
    await using services = await startServices(({ number }) =>
      number % 2 === 1 ? { kind: 'error500' } : undefined,
    )
    const rejected = new MemoryRejectedSink()
    const handler = kinesisHandler<{ n: number; text: string }>({
      decode: (data) => parseJson(data) as { n: number; text: string },
      sink: sinkOf(services),
      rejected,
      backoffBaseMs: 1,
      maxAttempts: 10,
    })
    const big = 'x'.repeat(1024 * 1024)
    const events = Array.from({ length: 25 }, (_, n) => ({ n, text: n === 7 ? big : '' }))

    const response = await handler(
      kinesisEvent(events.map((data) => ({ partitionKey: `k${data.n % 5}`, data }))),
      lambdaContext(),
    )

    expect(response).toEqual({ batchItemFailures: [] })
    expect(rejected.records).toMatchObject([{ partitionKey: 'k2', reasonCode: 'unstorable' }])
    const stored = new Set(bodies(services).map((body) => (JSON.parse(body) as { n: number }).n))
    expect([...stored].sort((a, b) => a - b)).toEqual(events.map(({ n }) => n).filter((n) => n !== 7))
  })

  it.each<[string, object]>([
    ['client', { client: undefined }],
    ['queueUrl', { queueUrl: '' }],
    ['body', { body: 'text' }],
    ['attributes', { attributes: {} }],
    ['maxMessageBytes', { maxMessageBytes: 2 * 1024 * 1024 }],
    ['maxConcurrency', { maxConcurrency: 0 }],
    ['requestTimeoutMs', { requestTimeoutMs: -1 }],
    ['clock', { clock: {} }],
    ['queue', { queue: 'x' }],
  ])('fails when it is built with options that cannot work: %s', (option, wrong) => {
    const build = () => sqsSink({ client: { send() {} }, queueUrl: 'http://q', ...wrong } as never)

    expect(build).toThrow(InvalidOptionError)
    expect(build).toThrow(expect.objectContaining({ option }))
  })
})

describe('an SQS sink of a FIFO queue', () => {
  it('sends the records of each key in order, one of a key in a request', async () => {
    await using services = await startFifoServices()
    const records = sinkRecords(
      ...Array.from({ length: 100 }, (_, n): [string, string] => [`k${n % 10}`, `k${n % 10} ${n}`]),
    )

    const results = await sqsSink({ client: services.sqs, queueUrl: services.queueUrl }).write(records, time)

    expect(outcomes(results)).toEqual(Array(100).fill('stored'))
    const received = await services.receiveAll()
    expect(received).toHaveLength(100)
    for (let key = 0; key < 10; key++) {
      const group = received.filter(({ group }) => group === `k${key}`).map(({ body }) => body)
      expect(group).toEqual(records.map(({ value }) => value).filter((value) => value.startsWith(`k${key} `)))
    }
  })

  it('sends a record that comes again under the same deduplication ID, so that the queue drops it', async () => {
    await using services = await startFifoServices()
    const sink = sqsSink({ client: services.sqs, queueUrl: services.queueUrl })
    const producer = { producerId: 'p-1', sequence: 4 }
    const records = [
      { value: 'plain', position: position(1) },
      { value: 'plain', position: position(1) },
      { value: 'member', position: position(1, { subSequenceNumber: 1 }) },
      { value: 'sent twice', position: position(2, { producer }) },
      { value: 'sent twice', position: position(3, { producer }) },
    ]

    await sink.write(records, time)
    await sink.write(records, time)

    const received = await services.receiveAll()
    expect(received.map(({ body }) => body)).toEqual(['plain', 'member', 'sent twice'])
    expect(received.map(({ deduplicationId }) => deduplicationId)).toEqual([
      `events/shardId-000000000000/${position(1).sequenceNumber}/0`,
      `events/shardId-000000000000/${position(1).sequenceNumber}/1`,
      'p-1:4',
    ])
  })

  it('holds back what stands behind a message that failed, until it is sent', async () => {
    await using services = await startFifoServices()
    const { queueUrl, sqs } = services
    const records = sinkRecords(['a', 'a1'], ['a', 'a2'], ['b', 'b1'], ['a', 'a3'], ['b', 'b2'])

    const first = await sqsSink({ client: failingFor(sqs, ['a2']), queueUrl }).write(records, time)
    const again = await sqsSink({ client: sqs, queueUrl }).write(records, time)

    expect(outcomes(first)).toEqual(['stored', 'failed', 'stored', 'failed', 'stored'])
    expect(first[3]).toMatchObject({ error: { message: 'An earlier record of its partition key failed.' } })
    expect(outcomes(again)).toEqual(Array(5).fill('stored'))
    const received = (await services.receiveAll()).map(({ body }) => body)
    expect(received.filter((body) => body.startsWith('a'))).toEqual(['a1', 'a2', 'a3'])
  })

  it('names the group of a key that can be no name by its digest', async () => {
    await using services = await startFifoServices()

    const results = await sqsSink({ client: services.sqs, queueUrl: services.queueUrl }).write(
      sinkRecords(['ключ', '1'], ['x'.repeat(129), '2'], ['with space', '3']),
      time,
    )

    expect(outcomes(results)).toEqual(Array(3).fill('stored'))
    const groups = (await services.receiveAll()).map(({ group }) => group)
    expect(new Set(groups).size).toBe(3)
    for (const group of groups) expect(group).toMatch(/^sha256-[\da-f]{64}$/)
  })

  it("rejects what is above the queue's own limit, also when the sink was not told of it", async () => {
    await using services = await startFifoServices()
    const { QueueUrl } = await services.sqs.send(
      new CreateQueueCommand({ QueueName: 'small', Attributes: { MaximumMessageSize: '1024' } }),
    )

    const results = await sqsSink({ client: services.sqs, queueUrl: QueueUrl! }).write(
      sinkRecords(['a', 'x'.repeat(2_000)], ['b', 'good']),
      time,
    )

    expect(outcomes(results)).toEqual(['unstorable', 'stored'])
    expect((results[0] as { error: Error }).error).toBeInstanceOf(PermanentError)
  })
})
