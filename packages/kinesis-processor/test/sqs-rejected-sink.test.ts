import { InvalidOptionError } from '@org/kinesis-core'
import { describe, expect, it } from 'vitest'
import { parseRejectedRecord } from '../src/rejected/parse-rejected-record.js'
import { type RejectedRecord, rejectedRecord } from '../src/rejected-record.js'
import { s3RejectedSink } from '../src/s3.js'
import { type SqsRejectedSinkOptions, sqsRejectedSink } from '../src/sqs.js'
import { startServices } from './local-fixture.js'
import { startS3 } from './s3-fixture.js'

const time = { remainingMs: () => 60_000 }

function rejected(n: number, payloadBytes = 10, partitionKey = 'a'): RejectedRecord {
  return rejectedRecord(
    {
      position: {
        streamArn: 'arn:aws:kinesis:us-east-1:000000000000:stream/orders',
        streamName: 'orders',
        shardId: 'shardId-000000000000',
        sequenceNumber: String(n),
        subSequenceNumber: 0,
        partitionKey,
        arrivalMs: 0,
      },
      data: Buffer.alloc(payloadBytes, 'x'),
      fault: undefined,
    },
    { error: new Error('bad'), reasonCode: 'invalid' },
    0,
  )
}

type Services = Awaited<ReturnType<typeof startServices>>
const sinkOf = ({ sqs, local }: Services, options: Partial<SqsRejectedSinkOptions> = {}) =>
  sqsRejectedSink({ client: sqs, queueUrl: local.queueUrl('rejected'), ...options })
const queued = ({ local }: Services) =>
  local.queueMessages('rejected').map(({ body }) => JSON.parse(body) as RejectedRecord)
const stored = (results: readonly { stored: boolean }[]) => results.map((result) => result.stored)

describe('a queue for rejected records', () => {
  it('takes each record as a message, ten in a request', async () => {
    await using services = await startServices()
    const records = Array.from({ length: 23 }, (_, n) => rejected(n))

    const results = await sinkOf(services, { maxConcurrency: 1 }).write(records, time)

    expect(stored(results)).toEqual(Array(23).fill(true))
    expect(queued(services)).toEqual(records)
    expect(services.operations()).toEqual([
      'SendMessageBatch 10',
      'SendMessageBatch 10',
      'SendMessageBatch 3',
    ])
  })

  it('keeps each request within 1 MiB', async () => {
    await using services = await startServices()
    const records = [700_000, 300_000, 80_000, 80_000, 700_000].map((bytes, n) => rejected(n, bytes * 0.75))

    const results = await sinkOf(services, { maxConcurrency: 1 }).write(records, time)

    expect(stored(results)).toEqual(Array(5).fill(true))
    expect(services.operations()).toEqual(['SendMessageBatch 2', 'SendMessageBatch 3'])
  })

  it('fails only the record that no message can hold', async () => {
    await using services = await startServices()

    const results = await sinkOf(services).write([rejected(1), rejected(2, 1024 * 1024), rejected(3)], time)

    expect(stored(results)).toEqual([true, false, true])
    expect(results[1]).toMatchObject({
      error: { message: expect.stringMatching(/a message has at most 1048576/) },
    })
  })

  it('gives what no message can hold to its overflow, and tells what became of it', async () => {
    await using services = await startServices()
    await using s3 = await startS3()
    const overflow = s3RejectedSink({ client: s3.client, bucket: 'kept' })
    const records = [rejected(1), rejected(2, 1024 * 1024), rejected(3), rejected(4, 800_000)]

    const results = await sinkOf(services, { overflow }).write(records, time)

    expect(stored(results)).toEqual([true, true, true, true])
    expect(queued(services)).toEqual([records[0], records[2]])
    const [key] = await s3.keys()
    expect((await s3.linesOf(key!)).map(parseRejectedRecord)).toEqual([records[1], records[3]])
  })

  it('leaves a record unresolved that its overflow does not take, and sends the others', async () => {
    await using services = await startServices()
    await using s3 = await startS3(() => 'error503')
    const overflow = s3RejectedSink({ client: s3.client, bucket: 'kept' })
    const broken = { write: () => Promise.reject(new Error('broken')) }
    const records = [rejected(1), rejected(2, 1024 * 1024)]

    const failed = await sinkOf(services, { overflow }).write(records, time)
    const threw = await sinkOf(services, { overflow: broken }).write(records, time)

    expect(failed).toMatchObject([{ stored: true }, { stored: false, error: { name: 'SlowDown' } }])
    expect(threw).toMatchObject([{ stored: true }, { stored: false, error: { message: 'broken' } }])
  })

  it('takes characters that a queue refuses, and gives them back', async () => {
    await using services = await startServices()
    const key = 'nul \u0000, no characters \ufffe \uffff, half a pair \ud800'

    const results = await sinkOf(services).write([rejected(1, 10, key)], time)

    expect(stored(results)).toEqual([true])
    expect(queued(services)[0]?.partitionKey).toBe(key)
  })

  it('fails the records of a request that failed, and no others', async () => {
    await using services = await startServices(({ number }) =>
      number === 2 ? { kind: 'error500' } : undefined,
    )
    const records = Array.from({ length: 30 }, (_, n) => rejected(n))

    const results = await sinkOf(services, { maxConcurrency: 1 }).write(records, time)

    expect(stored(results)).toEqual(records.map((_, n) => n < 10 || n >= 20))
    expect(queued(services)).toHaveLength(20)
  })

  it('gives up on a queue that fails again and again', async () => {
    await using services = await startServices(() => ({ kind: 'throttle' }))

    const results = await sinkOf(services, { maxConcurrency: 1 }).write(
      Array.from({ length: 200 }, (_, n) => rejected(n)),
      time,
    )

    expect(stored(results)).toEqual(Array(200).fill(false))
    expect(services.requests).toHaveLength(3)
  })

  it('gives up on an answer that does not come, and starts nothing when the time is over', async () => {
    await using services = await startServices(() => ({ kind: 'stall', delayMs: 20_000 }))

    const late = await sinkOf(services, { requestTimeoutMs: 100 }).write([rejected(1)], time)
    const over = await sinkOf(services).write([rejected(2)], { remainingMs: () => 0 })

    expect(late).toMatchObject([{ stored: false, error: { message: 'SQS gave no answer in 100 ms.' } }])
    expect(stored(over)).toEqual([false])
    expect(services.requests.length).toBeLessThanOrEqual(1)
  })

  it('fails where there is no such queue', async () => {
    await using services = await startServices()
    const queueUrl = `${services.local.url}/000000000000/missing`

    const results = await sinkOf(services, { queueUrl }).write([rejected(1)], time)

    expect(results).toMatchObject([{ stored: false, error: { name: 'QueueDoesNotExist' } }])
  })

  it.each<[string, object]>([
    ['client', { client: undefined }],
    ['queueUrl', { queueUrl: '' }],
    ['overflow', { overflow: {} }],
    ['queueUrl', { queueUrl: 'https://sqs.us-east-1.amazonaws.com/000000000000/rejected.fifo' }],
    ['maxConcurrency', { maxConcurrency: 0 }],
    ['requestTimeoutMs', { requestTimeoutMs: -1 }],
    ['queue', { queue: 'x' }],
  ])('fails when it is built with options that cannot work: %s', (option, wrong) => {
    const build = () => sqsRejectedSink({ client: { send() {} }, queueUrl: 'http://q', ...wrong } as never)

    expect(build).toThrow(InvalidOptionError)
    expect(build).toThrow(expect.objectContaining({ option }))
  })
})
