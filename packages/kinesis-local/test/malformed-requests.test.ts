import { connect } from 'node:net'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Local, startLocal } from '../src/start-local.js'
import { post } from './support/clients.js'

let local: Local

beforeAll(async () => {
  local = await startLocal({ streams: [{ name: 'orders' }], queues: ['rejected'] })
})
afterAll(() => local.close())

/** Whatever came before, the next request is answered. */
async function stillAnswers(): Promise<void> {
  const response = await post(local.url, 'Kinesis_20131202.ListStreams', '{}')
  expect(await response.json()).toMatchObject({ StreamNames: ['orders'] })
}

async function errorOf(response: Response): Promise<string> {
  const body = (await response.json()) as { __type: string }
  expect(response.headers.get('x-amzn-errortype')).toBe(body.__type)
  expect(response.headers.get('x-amzn-requestid')).toBeTruthy()
  return `${response.status} ${body.__type}`
}

function send(bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(local.url).port), '127.0.0.1')
    socket.on('error', () => {})
    socket.on('close', () => resolve())
    socket.on('connect', () => socket.end(bytes))
    socket.resume()
  })
}

describe('a request that is none', () => {
  it.each([
    ['an unknown service', 'S3.ListBuckets', '{}', '400 UnknownOperationException'],
    ['no target', '', '{}', '400 UnknownOperationException'],
    ['an unknown operation', 'Kinesis_20131202.Explode', '{}', '400 UnknownOperationException'],
    ['the name of a method', 'Kinesis_20131202.constructor', '{}', '400 UnknownOperationException'],
    ['an unknown table operation', 'DynamoDB_20120810.__proto__', '{}', '400 UnknownOperationException'],
    ['text for JSON', 'Kinesis_20131202.PutRecords', 'nonsense', '400 SerializationException'],
    ['a list for an object', 'Kinesis_20131202.PutRecords', '[]', '400 SerializationException'],
    ['nothing where a stream is needed', 'Kinesis_20131202.PutRecords', '', '400 InvalidArgumentException'],
    ['a number for a name', 'Kinesis_20131202.PutRecords', '{"StreamName":1}', '400 SerializationException'],
    [
      'a record that is none',
      'Kinesis_20131202.PutRecords',
      '{"StreamName":"orders","Records":[7]}',
      '400 SerializationException',
    ],
    [
      'data that is no base64',
      'Kinesis_20131202.PutRecord',
      '{"StreamName":"orders","PartitionKey":"a","Data":"?"}',
      '400 SerializationException',
    ],
    [
      'an iterator that is none',
      'Kinesis_20131202.GetRecords',
      '{"ShardIterator":"AAAA"}',
      '400 InvalidArgumentException',
    ],
    [
      'an unknown queue',
      'AmazonSQS.SendMessage',
      '{"QueueUrl":"x/y","MessageBody":"m"}',
      '400 QueueDoesNotExist',
    ],
    [
      'a batch of numbers',
      'AmazonSQS.SendMessageBatch',
      '{"QueueUrl":"x/rejected","Entries":[1]}',
      '400 MissingParameter',
    ],
    [
      'metrics that are none',
      'GraniteServiceVersion20100801.PutMetricData',
      '{"Namespace":"n","MetricData":["m"]}',
      '400 InvalidParameterValueException',
    ],
    ['a table that is none', 'DynamoDB_20120810.PutItem', '{"TableName":{}}', '400 SerializationException'],
  ])('is answered with the error of the service: %s', async (_what, target, body, expected) => {
    expect(await errorOf(await post(local.url, target, body))).toBe(expected)
  })

  it('is told to speak JSON when it is CBOR for a service that has none', async () => {
    const response = await post(local.url, 'DynamoDB_20120810.ListTables', Buffer.from([0xa0]), {
      'content-type': 'application/x-amz-cbor-1.1',
    })

    expect(await response.json()).toMatchObject({
      __type: 'SerializationException',
      message: 'CBOR is not spoken to dynamodb here. Use JSON.',
    })
  })

  it('is refused when its body is out of bounds, and the connection lives on', async () => {
    const response = await post(local.url, 'Kinesis_20131202.PutRecords', Buffer.alloc(33 * 1024 * 1024, 32))

    expect(await errorOf(response)).toBe('413 RequestEntityTooLargeException')
    await stillAnswers()
  })

  it('is refused when it unpacks to more than the bound, or cannot be unpacked', async () => {
    const { gzipSync } = await import('node:zlib')
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024))

    for (const body of [bomb, Buffer.from('no gzip')]) {
      const response = await post(local.url, 'GraniteServiceVersion20100801.PutMetricData', body, {
        'content-encoding': 'gzip',
      })
      expect(await errorOf(response)).toBe('400 SerializationException')
    }
  })

  it.each([
    'Kinesis_20131202.PutRecords',
    'DynamoDB_20120810.PutItem',
    'AmazonSQS.SendMessage',
    'GraniteServiceVersion20100801.GetMetricData',
  ])('does no harm when it is nested deep: %s', async (target) => {
    const depth = 100_000
    const bodies = [
      `${'['.repeat(depth)}${']'.repeat(depth)}`,
      `${'{"M":'.repeat(depth)}1${'}'.repeat(depth)}`,
      `{"TableName":"orders","StreamName":"orders","Item":{"a":${'{"M":{"a":'.repeat(depth)}1${'}}'.repeat(depth)}}}`,
    ]
    for (const body of bodies) expect((await post(local.url, target, body)).status).toBe(400)
    await stillAnswers()
  })

  it('does no harm when it is no HTTP at all', async () => {
    const noise = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 200 }),
      fc
        .uint8Array({ maxLength: 200 })
        .map((tail) => Buffer.concat([Buffer.from('POST / HTTP/1.1\r\n'), tail])),
      fc
        .uint8Array({ maxLength: 200 })
        .map((tail) => Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), tail])),
      fc
        .integer({ min: 1, max: 23 })
        .map((length) => Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n').subarray(0, length)),
    )
    await fc.assert(
      fc.asyncProperty(noise, (bytes) => send(bytes)),
      { numRuns: 60 },
    )
    await stillAnswers()
  })

  it('does no harm when it is any JSON for any operation', async () => {
    const targets = [
      ...['CreateStream', 'PutRecords', 'PutRecord', 'GetShardIterator', 'ListShards', 'AddTagsToStream'].map(
        (operation) => `Kinesis_20131202.${operation}`,
      ),
      ...['CreateQueue', 'SendMessageBatch', 'ReceiveMessage'].map((operation) => `AmazonSQS.${operation}`),
      ...['PutMetricData', 'GetMetricData', 'GetMetricStatistics', 'ListMetrics'].map(
        (operation) => `GraniteServiceVersion20100801.${operation}`,
      ),
      ...['PutItem', 'Query', 'UpdateTimeToLive'].map((operation) => `DynamoDB_20120810.${operation}`),
    ]
    const fields = fc.constantFrom(
      ...['StreamName', 'Records', 'ShardId', 'ShardFilter', 'Tags', 'QueueUrl', 'QueueName', 'Entries'],
      ...[
        'Namespace',
        'MetricData',
        'MetricDataQueries',
        'Dimensions',
        'StartTime',
        'EndTime',
        'TableName',
        'Item',
      ],
    )
    const names = fc.constantFrom('orders', 'x/rejected', 'rejected', 'none')
    const input = fc.dictionary(fields, fc.oneof(names, fc.jsonValue()))

    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...targets), input, async (target, body) => {
        const response = await post(local.url, target, JSON.stringify(body))
        await response.arrayBuffer()
        // Nothing that a caller sends is a fault of the service.
        expect([200, 400], `${target} ${JSON.stringify(body)}`).toContain(response.status)
      }),
      { numRuns: 400 },
    )
  })

  it('is not answered under a name that is not this machine', async () => {
    const response = await new Promise<string>((resolve) => {
      const socket = connect(Number(new URL(local.url).port), '127.0.0.1')
      socket.on('data', (data) => {
        resolve(data.toString())
        socket.destroy()
      })
      socket.write(
        'POST / HTTP/1.1\r\nHost: evil.example\r\nX-Amz-Target: Kinesis_20131202.ListStreams\r\nContent-Length: 2\r\n\r\n{}',
      )
    })

    expect(response).toMatch(/^HTTP\/1\.1 403 /)
    expect(response).not.toContain('orders')
  })
})
