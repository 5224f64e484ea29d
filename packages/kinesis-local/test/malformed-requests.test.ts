import { connect } from 'node:net'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ServiceError } from '../src/service.js'
import { type Local, startLocal } from '../src/start-local.js'
import { encodeCbor } from '../src/wire/cbor-encoder.js'
import { post } from './support/clients.js'

let local: Local

beforeAll(async () => {
  local = await startLocal({ streams: [{ name: 'orders' }], queues: ['rejected'] })
})
afterAll(() => local.close())

/** Whatever came before, the next request is answered. */
async function stillAnswers(): Promise<void> {
  const response = await post(local.url, 'Kinesis_20131202.ListStreams', '{}')
  expect(await response.json()).toMatchObject({ StreamNames: expect.arrayContaining(['orders']) })
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
    ['JSON', 'application/x-amz-json-1.1', `{"a":[${'{},'.repeat(2_500_000)}{}]}`],
    [
      'CBOR',
      'application/x-amz-cbor-1.1',
      Buffer.concat([Buffer.from('a161619f', 'hex'), Buffer.alloc(8e6, 0xa0)]),
    ],
    [
      'one text of CBOR in pieces',
      'application/x-amz-cbor-1.1',
      Buffer.concat([Buffer.from('a161617f', 'hex'), Buffer.alloc(8e6, 0x60), Buffer.from('ff', 'hex')]),
    ],
    ['a form', 'application/x-www-form-urlencoded', 'a&'.repeat(4_000_000)],
  ])('is refused when a small body unpacks to millions of values: %s', async (_what, type, body) => {
    const { gzipSync } = await import('node:zlib')
    const packed = gzipSync(body)
    expect(packed.length).toBeLessThan(100_000)

    const response = await post(local.url, 'Kinesis_20131202.ListStreams', packed, {
      'content-encoding': 'gzip',
      'content-type': type,
    })

    expect(response.status).toBe(400)
    expect(await response.text()).toMatch(/more than [0-9]+ (values|parameters)/)
  })

  it('is refused at once when its parts are all there is', async () => {
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    const startedAt = performance.now()
    const ampersands = await post(local.url, '', '&'.repeat(30_000_000), form)
    const dots = await post(local.url, '', `${'a.'.repeat(15_000_000)}=b`, form)
    const quotes = await post(local.url, 'Kinesis_20131202.ListStreams', '"'.repeat(30_000_000))
    const escapes = await post(local.url, 'Kinesis_20131202.Explode', `{"a":"${'\\"'.repeat(15_000_000)}"}`)

    expect(await ampersands.text()).toContain('more than 20000 parameters')
    expect(await dots.text()).toContain('too deep')
    expect(await quotes.text()).toContain('more than 500000 values')
    expect(await errorOf(escapes)).toBe('400 UnknownOperationException')
    // Each took seconds while every part was looked at.
    expect(performance.now() - startedAt).toBeLessThan(10_000)
  })

  it('may hold long texts with any number of commas and brackets', async () => {
    const text = '[{,"\\'.repeat(150_000)
    const body = JSON.stringify({ QueueUrl: 'x/rejected', MessageBody: text })
    expect(body.length).toBeGreaterThan(1_000_000)

    expect(await (await post(local.url, 'AmazonSQS.SendMessage', body)).text()).not.toMatch(/values/)
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

  describe('of Kinesis', () => {
    const operations = [
      ...['CreateStream', 'DeleteStream', 'DescribeStream', 'DescribeStreamSummary', 'DescribeLimits'],
      ...['ListStreams', 'ListShards', 'PutRecord', 'PutRecords', 'GetShardIterator', 'GetRecords'],
      ...['SplitShard', 'MergeShards', 'UpdateShardCount', 'UpdateMaxRecordSize', 'UpdateStreamMode'],
      ...['IncreaseStreamRetentionPeriod', 'DecreaseStreamRetentionPeriod', 'EnableEnhancedMonitoring'],
      ...['RegisterStreamConsumer', 'DeregisterStreamConsumer', 'DescribeStreamConsumer'],
      ...['ListStreamConsumers', 'SubscribeToShard', 'StartStreamEncryption', 'StopStreamEncryption'],
      ...['TagResource', 'UntagResource', 'ListTagsForResource', 'AddTagsToStream', 'ListTagsForStream'],
      ...['PutResourcePolicy', 'GetResourcePolicy', 'DeleteResourcePolicy', 'UpdateAccountSettings'],
      ...['DescribeAccountSettings', 'UpdateStreamWarmThroughput', 'UpdateStreamRecordDistributionStrategy'],
    ]
    const StreamARN = 'arn:aws:kinesis:us-east-1:000000000000:stream/fuzzed'
    const ConsumerARN = () =>
      (
        local.kinesis.call('DescribeStreamConsumer', { StreamARN, ConsumerName: 'fast' }) as {
          ConsumerDescription: { ConsumerARN: string }
        }
      ).ConsumerDescription.ConsumerARN

    beforeAll(() => {
      local.kinesis.call('CreateStream', { StreamName: 'fuzzed', ShardCount: 1 })
      local.kinesis.call('RegisterStreamConsumer', { StreamARN, ConsumerName: 'fast' })
    })
    afterAll(() => {
      // Other tests list what is there.
      const { StreamNames } = local.kinesis.call('ListStreams', { Limit: 10_000 }) as {
        StreamNames: string[]
      }
      for (const StreamName of StreamNames.filter((name) => name !== 'orders')) {
        local.kinesis.call('DeleteStream', { StreamName, EnforceConsumerDeletion: true })
      }
    })

    /** Inputs that often are right in all but one or two members, so that every check is reached. */
    const member = fc.oneof(
      { arbitrary: fc.jsonValue({ maxDepth: 2 }), weight: 3 },
      {
        arbitrary: fc.constantFrom<unknown>(
          ...['fuzzed', StreamARN, 'fast', 'shardId-000000000000', 'LATEST', 'ON_DEMAND', 'KMS', 'AUTO'],
          ...['ENABLED', 'UNIFORM_SCALING', 'AT_SEQUENCE_NUMBER', 'AAAA', '1'.repeat(56), '-1', '{}'],
          ...[0, 1, -1, 1.5, 2 ** 53, 1e308, true, null, [], {}, { team: 'a' }, ['ALL'], [null], [{}]],
        ),
        weight: 2,
      },
    )
    const right = {
      ...{ StreamName: 'fuzzed', StreamARN, ResourceARN: StreamARN, ConsumerARN: '' },
      ...{ ConsumerName: 'fast', ShardId: 'shardId-000000000000', ShardIteratorType: 'LATEST' },
      ...{
        PartitionKey: 'a',
        Data: 'eA==',
        ShardCount: 1,
        TargetShardCount: 1,
        ScalingType: 'UNIFORM_SCALING',
      },
      ...{ StartingPosition: { Type: 'LATEST' }, EncryptionType: 'KMS', KeyId: 'k', Policy: '{}' },
      ...{ Records: [{ PartitionKey: 'a', Data: 'eA==' }], Tags: { team: 'a' }, TagKeys: ['team'] },
      ...{ RetentionPeriodHours: 24, MaxRecordSizeInKiB: 1_024, ShardLevelMetrics: ['ALL'] },
      ...{ StreamModeDetails: { StreamMode: 'PROVISIONED' }, WarmThroughputMiBps: 1 },
      ...{ MinimumThroughputBillingCommitment: { Status: 'ENABLED' }, RecordDistributionStrategy: 'AUTO' },
      ...{ ShardToSplit: 'shardId-000000000000', NewStartingHashKey: '5', ShardIterator: 'AAAA' },
      ...{ ShardToMerge: 'shardId-000000000000', AdjacentShardToMerge: 'shardId-000000000000' },
      ...{ MaxResults: 1, Limit: 1, ShardFilter: { Type: 'AT_LATEST' } },
      ...{ Timestamp: 0, ExplicitHashKey: '0', StartingSequenceNumber: '1' },
    }
    const names = [...Object.keys(right), 'NextToken', 'StreamCreationTimestamp', 'DryRun', 'StreamId']
    const changes = fc.dictionary(fc.constantFrom(...names), member, { maxKeys: 3 })
    const dropped = fc.array(fc.constantFrom(...names), { maxLength: 3 })

    async function answered(target: string, body: Uint8Array, contentType: string): Promise<number> {
      const response = await post(local.url, target, body, { 'content-type': contentType })
      if (response.headers.get('content-type')?.includes('eventstream')) await response.body!.cancel()
      else await response.arrayBuffer()
      return response.status
    }

    it.each([
      ['JSON', 'application/x-amz-json-1.1', (input: unknown) => Buffer.from(JSON.stringify(input))],
      ['CBOR', 'application/x-amz-cbor-1.1', (input: unknown) => encodeCbor(input, 'milliseconds')],
    ] as const)('does no harm, whatever is wrong in it, in %s', async (_name, contentType, encode) => {
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...operations),
          changes,
          dropped,
          async (operation, wrong, missing) => {
            const input: Record<string, unknown> = { ...right, ConsumerARN: ConsumerARN(), ...wrong }
            for (const name of missing) delete input[name]
            const status = await answered(`Kinesis_20131202.${operation}`, encode(input), contentType)
            expect([200, 400], `${operation} ${JSON.stringify(input)}`).toContain(status)
            restore()
          },
        ),
        { numRuns: 400 },
      )
      await stillAnswers()
    })

    it('is refused or done, and never fails, with each member of each operation wrong in each way', () => {
      const wrong = [
        ...[null, {}, [], [null], [{}], '', ' ', 'a', '-1', true, 0, -1, 1.5],
        ...[2 ** 53, 8.65e12, -8.65e12, 1e308, Number.NaN, new Date(Number.NaN)],
      ]
      // What stands within a member is as likely to be wrong.
      const within: [string, (value: unknown) => unknown][] = [
        ['StartingPosition', (Timestamp) => ({ Type: 'AT_TIMESTAMP', Timestamp })],
        ['StartingPosition', (SequenceNumber) => ({ Type: 'AT_SEQUENCE_NUMBER', SequenceNumber })],
        ['StartingPosition', (Type) => ({ Type })],
        ['ShardFilter', (Timestamp) => ({ Type: 'FROM_TIMESTAMP', Timestamp })],
        ['ShardFilter', (ShardId) => ({ Type: 'AFTER_SHARD_ID', ShardId })],
        ['ShardFilter', (Type) => ({ Type })],
        ['StreamModeDetails', (StreamMode) => ({ StreamMode })],
        ['Records', (record) => [record]],
        ['Records', (Data) => [{ PartitionKey: 'a', Data }]],
        ['Records', (PartitionKey) => [{ PartitionKey, Data: 'eA==' }]],
        ['Records', (ExplicitHashKey) => [{ PartitionKey: 'a', Data: 'eA==', ExplicitHashKey }]],
        ['Tags', (value) => ({ team: value })],
        ['TagKeys', (value) => [value]],
        ['ShardLevelMetrics', (value) => [value]],
        ['MinimumThroughputBillingCommitment', (Status) => ({ Status })],
        // Tokens and iterators come from outside too.
        ['NextToken', (value) => tokenOf({ streamName: 'fuzzed', after: '', createdAtMs: value })],
        ['NextToken', (issuedAtMs) => tokenOf({ streamName: 'fuzzed', after: '', issuedAtMs })],
        ['ShardIterator', (value) => tokenOf(['fuzzed', value, 'shardId-000000000000', 0, Date.now()])],
        ['ShardIterator', (value) => tokenOf(['fuzzed', 0, 'shardId-000000000000', value, value])],
      ]
      const members: [string, (value: unknown) => unknown][] = [
        ...names.map((name): [string, (value: unknown) => unknown] => [name, (value) => value]),
        ...within,
      ]
      for (const operation of operations) {
        for (const [name, make] of members) {
          for (const value of wrong) {
            const input = { ...right, ConsumerARN: ConsumerARN(), [name]: make(value) }
            // Where a token leaves nothing else to be asked.
            const alone = { [name]: make(value) }
            for (const given of [input, alone]) {
              let failure: unknown
              try {
                const answer = local.kinesis.callForWire(operation, given)
                JSON.stringify(answer)
              } catch (error) {
                failure = error
              }
              if (failure === undefined || (failure instanceof ServiceError && failure.statusCode === 400))
                continue
              expect(failure, `${operation} ${JSON.stringify(given)}`).toBeUndefined()
            }
            restore()
          }
        }
      }
    })

    function tokenOf(fields: unknown): string {
      const text = JSON.stringify(fields, (_key, value) => (Number.isNaN(value) ? 'NaN' : value))
      return Buffer.from(text).toString('base64')
    }

    it('does no harm when it is any bytes for CBOR, or CBOR cut short', async () => {
      const cut = fc
        .tuple(fc.nat(), fc.jsonValue())
        .map(([at, value]) =>
          encodeCbor({ StreamName: 'fuzzed', Records: value }, 'milliseconds').subarray(0, at % 60),
        )
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...operations),
          fc.oneof(fc.uint8Array({ maxLength: 100 }), cut),
          async (operation, bytes) => {
            const status = await answered(
              `Kinesis_20131202.${operation}`,
              bytes,
              'application/x-amz-cbor-1.1',
            )
            expect([200, 400], `${operation} ${Buffer.from(bytes).toString('hex')}`).toContain(status)
            restore()
          },
        ),
        { numRuns: 200 },
      )
      await stillAnswers()
    })

    /** What a lucky input deleted is there again for the next one. */
    function restore(): void {
      const { StreamNames } = local.kinesis.call('ListStreams', { Limit: 10_000 }) as {
        StreamNames: string[]
      }
      if (!StreamNames.includes('fuzzed'))
        local.kinesis.call('CreateStream', { StreamName: 'fuzzed', ShardCount: 1 })
      const { Consumers } = local.kinesis.call('ListStreamConsumers', { StreamARN }) as {
        Consumers: { ConsumerName: string }[]
      }
      if (!Consumers.some(({ ConsumerName }) => ConsumerName === 'fast')) {
        local.kinesis.call('RegisterStreamConsumer', { StreamARN, ConsumerName: 'fast' })
      }
    }
  })

  it.each([
    ['no signature', {}],
    ['text for one', { authorization: 'nonsense' }],
    [
      'one of another key, service and region',
      {
        authorization: `AWS4-HMAC-SHA256 Credential=AKIA/20260101/mars-1/s3/aws4_request, SignedHeaders=host, Signature=${'0'.repeat(64)}`,
      },
    ],
    ['a long one', { authorization: 'A'.repeat(8_000) }],
    ['a date that is none', { 'x-amz-date': 'yesterday' }],
    ['a body that its hash denies', { 'x-amz-content-sha256': '0'.repeat(64) }],
  ])('is answered all the same with %s: signatures are not checked', async (_what, headers) => {
    const response = await post(local.url, 'Kinesis_20131202.ListStreams', '{}', headers)

    expect(await response.json()).toMatchObject({ StreamNames: ['orders'] })
  })

  it('is refused when its target is any text, in JSON and in CBOR', async () => {
    // What a header can carry.
    const text = fc.string({ unit: 'grapheme-ascii', maxLength: 80 })
    const target = fc.oneof(
      text,
      text.map((operation) => `Kinesis_20131202.${operation}`),
      fc.constantFrom('Kinesis_20131202', 'Kinesis_20131202.', 'kinesis_20131202.ListStreams'),
      fc.constantFrom('Kinesis_20131202.toString', 'Kinesis_20131202.__proto__', '.', '..'),
    )
    const contentTypes = fc.constantFrom('application/x-amz-json-1.1', 'application/x-amz-cbor-1.1', 'x', '')
    await fc.assert(
      fc.asyncProperty(target, contentTypes, async (name, contentType) => {
        const response = await post(local.url, name, new Uint8Array([0xa0]), { 'content-type': contentType })
        await response.arrayBuffer()
        expect(response.status, name).toBe(400)
      }),
      { numRuns: 100 },
    )
  })

  it('is refused when it names no operation in the path of Smithy RPC', async () => {
    const path = fc.oneof(
      fc.webPath(),
      fc.webSegment().map((operation) => `/service/GraniteServiceVersion20100801/operation/${operation}`),
    )
    await fc.assert(
      fc.asyncProperty(path, fc.uint8Array({ maxLength: 40 }), async (where, body) => {
        const response = await fetch(new URL(`${local.url}${where}`), {
          method: 'POST',
          headers: { 'smithy-protocol': 'rpc-v2-cbor', 'content-type': 'application/cbor' },
          body: new Uint8Array(body),
        })
        await response.arrayBuffer()
        expect(response.status, where).toBe(400)
      }),
      { numRuns: 100 },
    )
    await stillAnswers()
  })

  it.each([
    ['another host', { origin: 'https://evil.example' }, 403],
    ['nowhere, as a page without an origin says', { origin: 'null' }, 403],
    ['another site', { 'sec-fetch-site': 'cross-site' }, 403],
    ['this machine', { origin: 'http://localhost:3000' }, 200],
  ])('is answered to a page of this machine alone: from %s', async (_where, from, status) => {
    const response = await fetch(local.url, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...from },
      body: 'Action=CreateTopic&Version=2010-03-31&Name=from-a-page',
    })

    expect(response.status).toBe(status)
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
