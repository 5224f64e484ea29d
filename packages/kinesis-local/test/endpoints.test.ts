import type { Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { DynamoDBClient, ListTablesCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { CreateBucketCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { buildApp } from 'fauxqs'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { LocalOptions } from '../src/local-options.js'
import { type Local, startLocal } from '../src/start-local.js'
import { aTemporaryFolder, cleanUp, objectsIn } from './delivery-fixture.js'
import { connection, post } from './support/clients.js'

const handlers = fileURLToPath(new URL('./function-handlers.mjs', import.meta.url))
const require = createRequire(import.meta.url)
const dynalite = require('dynalite') as (options: object) => Server
const kinesalite = require('kinesalite') as (options: object) => Server
const servers: Server[] = []
const app = buildApp({ logger: false })
let dynamodb: string
let kinesis: string
/** SQS, SNS and S3 on one port. */
let queues: string

beforeAll(async () => {
  dynamodb = await listening(dynalite({ createTableMs: 300 }))
  kinesis = await listening(kinesalite({ createStreamMs: 300 }))
  queues = await app.listen({ host: '127.0.0.1', port: 0 })
})
afterEach(cleanUp)
afterAll(async () => {
  await app.close()
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
})

function listening(server: Server): Promise<string> {
  servers.push(server)
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`))
  })
}

async function within<T>(options: LocalOptions, use: (local: Local) => Promise<T>): Promise<T> {
  const local = await startLocal(options)
  try {
    return await use(local)
  } finally {
    await local.close()
  }
}

describe('endpoints of other emulators', () => {
  const table = {
    TableName: 'events',
    KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
    AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
    BillingMode: 'PAY_PER_REQUEST',
  }

  it('hold the tables that were asked for, ready to use, also when they are there already', async () => {
    const client = new DynamoDBClient(connection({ url: dynamodb, region: 'us-east-1' }))
    for (const run of [1, 2]) {
      await within({ endpoints: { dynamodb }, tables: [table] }, async (local) => {
        await client.send(new PutItemCommand({ TableName: 'events', Item: { id: { S: String(run) } } }))
        expect(await local.dynamodb.call('Scan', { TableName: 'events' })).toMatchObject({ Count: run })
      })
    }
    expect((await client.send(new ListTablesCommand())).TableNames).toEqual(['events'])
    client.destroy()
  })

  it('are where children are pointed, and ours does not answer for them', async () => {
    await within({ endpoints: { dynamodb, s3: `${queues}/` } }, async (local) => {
      expect(local.environment).toMatchObject({
        AWS_ENDPOINT_URL: local.url,
        AWS_ENDPOINT_URL_DYNAMODB: dynamodb,
        AWS_ENDPOINT_URL_S3: queues,
      })
      const response = await post(local.url, 'DynamoDB_20120810.ListTables', '{}')
      expect(await response.json()).toMatchObject({ __type: 'UnknownOperationException' })
      const fn = local.createFunction({ name: 'environment', file: handlers, exportName: 'environment' })
      expect(await fn.invoke({})).toMatchObject({ payload: { env: { AWS_ENDPOINT_URL_DYNAMODB: dynamodb } } })
    })
  })

  it('take what alarms and topics of ours send to queues', async () => {
    const region = 'us-east-1'
    await within({ endpoints: { sqs: queues }, queues: ['pager'], topics: ['alarms'] }, async (local) => {
      const client = new SQSClient(connection({ url: queues, region }))
      await local.sns.call('Subscribe', {
        TopicArn: local.topicArn('alarms'),
        Protocol: 'sqs',
        Endpoint: 'arn:aws:sqs:us-east-1:000000000000:pager',
        Attributes: { RawMessageDelivery: 'true' },
      })
      await local.sns.call('Publish', { TopicArn: local.topicArn('alarms'), Message: 'over there' })

      const { Messages } = await client.send(
        new ReceiveMessageCommand({ QueueUrl: local.queueUrl('pager'), WaitTimeSeconds: 5 }),
      )
      expect(Messages?.map(({ Body }) => Body)).toEqual(['over there'])
      expect(() => local.queueMessages('pager')).toThrow('ask the endpoint that serves SQS')
      client.destroy()
    })
  })

  it('publish to topics of theirs', async () => {
    await within(
      { endpoints: { sns: queues, sqs: queues }, topics: ['theirs'], queues: ['listener'] },
      async (local) => {
        const TopicArn = local.topicArn('theirs')
        await local.sns.call('Subscribe', {
          TopicArn,
          Protocol: 'sqs',
          Endpoint: 'arn:aws:sqs:us-east-1:000000000000:listener',
          Attributes: { RawMessageDelivery: 'true' },
        })
        const answer = await local.sns.call('Publish', {
          TopicArn,
          Message: 'a <message> & more',
          MessageAttributes: { kind: { DataType: 'String', StringValue: 'test' } },
        })

        expect(answer).toMatchObject({ MessageId: expect.any(String) })
        const received = (await local.sqs.call('ReceiveMessage', {
          QueueUrl: local.queueUrl('listener'),
          WaitTimeSeconds: 5,
          MessageAttributeNames: ['All'],
        })) as { Messages: object[] }
        expect(received.Messages).toMatchObject([
          { Body: 'a <message> & more', MessageAttributes: { kind: { StringValue: 'test' } } },
        ])
        await expect(
          local.sns.call('Publish', { TopicArn: `${TopicArn}-none`, Message: 'm' }),
        ).rejects.toMatchObject({ code: 'NotFound' })
      },
    )
  })

  it('hold the buckets of delivery streams that were made over the wire', async () => {
    const client = new S3Client({ ...connection({ url: queues, region: 'us-east-1' }), forcePathStyle: true })
    await client.send(new CreateBucketCommand({ Bucket: 'lake' }))
    await within({ endpoints: { s3: queues } }, async (local) => {
      await local.firehose.call('CreateDeliveryStream', {
        DeliveryStreamName: 'to-s3',
        ExtendedS3DestinationConfiguration: { BucketARN: 'arn:aws:s3:::lake' },
      })
      await local.firehose.call('PutRecord', {
        DeliveryStreamName: 'to-s3',
        Record: { Data: Buffer.from('a') },
      })
      await local.firehose.flush('to-s3')
    })

    const { Contents } = await client.send(new ListObjectsV2Command({ Bucket: 'lake' }))
    expect(Contents).toHaveLength(1)
    client.destroy()
  })

  it('serve streams to our mappings and deliveries', async () => {
    const folder = await aTemporaryFolder()
    await within({ endpoints: { kinesis }, streams: [{ name: 'theirs', shards: 2 }] }, async (local) => {
      const delivery = local.createDeliveryStream({
        name: 'lake',
        streamName: 'theirs',
        folder,
        compression: 'UNCOMPRESSED',
        pollIntervalMs: 200,
      })
      const Records = ['a', 'b', 'c'].map((key) => ({
        PartitionKey: key,
        Data: Buffer.from(`${key}\n`).toString('base64'),
      }))
      await post(kinesis, 'Kinesis_20131202.PutRecords', JSON.stringify({ StreamName: 'theirs', Records }), {
        authorization:
          'AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/kinesis/aws4_request, SignedHeaders=host, Signature=0',
        'x-amz-date': '20260101T000000Z',
      })

      await delivery.drain(AbortSignal.timeout(20_000))
    })

    const lines = (await objectsIn(folder)).flatMap(({ text }) => text.trimEnd().split('\n'))
    expect(lines.sort()).toEqual(['a', 'b', 'c'])
  })

  it('that nobody listens at are named', async () => {
    const nobody = 'http://127.0.0.1:1'
    await expect(startLocal({ endpoints: { sqs: nobody }, queues: ['a'] })).rejects.toThrow(
      /queue a cannot be made.*http:\/\/127\.0\.0\.1:1 does not answer/,
    )
  })

  it('are URLs, of services that can be replaced', async () => {
    await expect(startLocal({ endpoints: { sqs: 'localhost' } })).rejects.toThrow(/^endpoints\.sqs/)
    await expect(startLocal({ endpoints: { lambda: 'http://127.0.0.1:1' } as object })).rejects.toThrow(
      /^endpoints/,
    )
  })
})
