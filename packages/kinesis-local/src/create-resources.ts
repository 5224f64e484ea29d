import { StreamingError } from '@org/kinesis-core'
import { createRemotely, type ReplacedServices } from './endpoints/replaced-services.js'
import type { KinesisService } from './kinesis/kinesis-service.js'
import type { LocalStreamOptions, ResolvedLocalOptions } from './local-options.js'
import { type LocalService, ServiceError } from './service.js'

interface Services {
  kinesis: KinesisService
  dynamodb: LocalService
  sqs: LocalService
  sns: LocalService
  replaced: ReplacedServices
}

/** What the options ask for, here or at the endpoints that replace ours; returns what other emulators call it. */
export async function createResources(
  { streams, queues, topics, tables }: ResolvedLocalOptions,
  { kinesis, sqs, sns, dynamodb, replaced }: Services,
): Promise<{ queueUrls: Map<string, string>; topicArns: Map<string, string> }> {
  const queueUrls = new Map<string, string>()
  const topicArns = new Map<string, string>()
  for (const stream of streams) {
    await created(`stream ${stream.name}`, async () => {
      if (replaced.kinesis === undefined) kinesis.createStream(stream)
      else await createRemoteStream(replaced.kinesis, stream)
    })
  }
  for (const name of queues) {
    await created(`queue ${name}`, async () => {
      const { QueueUrl } = (await sqs.call('CreateQueue', { QueueName: name })) as { QueueUrl: string }
      queueUrls.set(name, QueueUrl)
    })
  }
  for (const name of topics) {
    await created(`topic ${name}`, async () => {
      const { TopicArn } = (await sns.call('CreateTopic', { Name: name })) as { TopicArn: string }
      topicArns.set(name, TopicArn)
    })
  }
  for (const table of tables) {
    await created(`table ${table.TableName}`, async () => {
      if (replaced.dynamodb === undefined) await dynamodb.call('CreateTable', table)
      else await createRemoteTable(replaced.dynamodb, table)
    })
  }
  return { queueUrls, topicArns }
}

async function createRemoteStream(
  kinesis: LocalService,
  { name: StreamName, shards, retentionHours }: Required<LocalStreamOptions>,
): Promise<void> {
  await createRemotely(
    kinesis,
    { operation: 'CreateStream', input: { StreamName, ShardCount: shards } },
    {
      operation: 'DescribeStreamSummary',
      input: { StreamName },
      status: (output) =>
        (output as { StreamDescriptionSummary?: { StreamStatus?: string } }).StreamDescriptionSummary
          ?.StreamStatus,
    },
  )
  const RetentionPeriodHours = retentionHours
  if (retentionHours > 24) {
    await kinesis.call('IncreaseStreamRetentionPeriod', { StreamName, RetentionPeriodHours })
  }
}

function createRemoteTable(dynamodb: LocalService, table: { TableName: string }): Promise<void> {
  return createRemotely(
    dynamodb,
    { operation: 'CreateTable', input: table },
    {
      operation: 'DescribeTable',
      input: { TableName: table.TableName },
      status: (output) => (output as { Table?: { TableStatus?: string } }).Table?.TableStatus,
    },
  )
}

/** What the service refuses is an option of the caller's. */
async function created(what: string, create: () => Promise<unknown>): Promise<void> {
  try {
    await create()
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error
    throw new StreamingError(`The ${what} cannot be made. ${error.code}: ${error.message}`, {
      code: 'INVALID_OPTION',
      retryable: false,
      cause: error,
    })
  }
}
