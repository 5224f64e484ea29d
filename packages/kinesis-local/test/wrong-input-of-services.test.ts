import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Local, startLocal } from '../src/start-local.js'
import { post } from './support/clients.js'
import { nearlyRight } from './support/nearly-right.js'

let local: Local

beforeAll(async () => {
  local = await startLocal({ topics: ['alarms'], queues: ['pager'] })
  await local.firehose.call('CreateDeliveryStream', {
    DeliveryStreamName: 'lake',
    ExtendedS3DestinationConfiguration: { BucketARN: 'arn:aws:s3:::lake' },
  })
})
afterAll(() => local.close())

/** Values of every kind for members that the operations know. */
function inputs(members: Record<string, readonly unknown[]>) {
  const wrong = fc.oneof(
    fc.constantFrom(null, true, -1, 1.5, 1e300, '', 'x', '\u0000', [], {}, [null], [[]], [1], ['x'], [{}]),
    fc.jsonValue({ maxDepth: 3 }),
  )
  const record = Object.fromEntries(
    Object.entries(members).map(([name, right]) => [
      name,
      fc.option(fc.oneof(wrong, fc.constantFrom(...right), fc.constantFrom(...right)), { nil: undefined }),
    ]),
  )
  return fc.record(record)
}

const bucket = { BucketARN: 'arn:aws:s3:::lake' }
const metric = { Namespace: 'A', MetricName: 'm', Dimensions: [{ Name: 'a', Value: 'b' }] }
const query = { Id: 'a', MetricStat: { Metric: metric, Period: 60, Stat: 'Sum' } }

const services = [
  {
    prefix: 'Firehose_20150804',
    operations: [
      ...[
        'CreateDeliveryStream',
        'DeleteDeliveryStream',
        'DescribeDeliveryStream',
        'ListDeliveryStreams',
        'UpdateDestination',
      ],
      ...[
        'PutRecord',
        'PutRecordBatch',
        'TagDeliveryStream',
        'UntagDeliveryStream',
        'ListTagsForDeliveryStream',
      ],
    ],
    members: {
      DeliveryStreamName: ['lake', 'other'],
      DeliveryStreamType: ['DirectPut', 'KinesisStreamAsSource'],
      KinesisStreamSourceConfiguration: [
        { KinesisStreamARN: 'arn:aws:kinesis:us-east-1:000000000000:stream/none' },
      ],
      ExtendedS3DestinationConfiguration: [
        bucket,
        { ...bucket, Prefix: 7, BufferingHints: 'x' },
        { ...bucket, ProcessingConfiguration: { Enabled: true, Processors: [null] } },
        {
          ...bucket,
          ProcessingConfiguration: { Enabled: true, Processors: [{ Type: 'Lambda', Parameters: [7] }] },
        },
        { ...bucket, FileExtension: 'x', CustomTimeZone: '!' },
      ],
      CurrentDeliveryStreamVersionId: ['1', 7],
      DestinationId: ['destinationId-000000000001', 7],
      ExtendedS3DestinationUpdate: [{ Prefix: 'x/' }, { Prefix: 7 }],
      Tags: [[{ Key: 'a', Value: 'b' }], [{ Key: 7 }], [null]],
      TagKeys: [['a'], [7]],
      Limit: [1, 'x'],
      ExclusiveStartDeliveryStreamName: ['a', 7],
      Record: [{ Data: 'YQ==' }, { Data: 7 }, { Data: '%' }],
      Records: [[{ Data: 'YQ==' }], [null], [{ Data: {} }]],
    },
  },
  {
    prefix: 'GraniteServiceVersion20100801',
    operations: [
      ...['PutMetricAlarm', 'DescribeAlarms', 'DeleteAlarms', 'SetAlarmState', 'DescribeAlarmHistory'],
      ...[
        'EnableAlarmActions',
        'DisableAlarmActions',
        'GetMetricData',
        'GetMetricStatistics',
        'PutMetricData',
        'ListMetrics',
      ],
    ],
    members: {
      AlarmName: ['a', 'b'],
      AlarmNames: [['a'], [null]],
      ...{
        Namespace: ['A'],
        MetricName: ['m'],
        Dimensions: [metric.Dimensions, [{ Name: 7 }]],
        Period: [60, 10],
      },
      ...{ Statistic: ['Sum', 'p99'], Statistics: [['Sum'], [7]], Threshold: [1], EvaluationPeriods: [1, 3] },
      ComparisonOperator: ['GreaterThanThreshold', '__proto__', 'constructor'],
      TreatMissingData: ['ignore'],
      AlarmActions: [['arn:aws:sns:us-east-1:000000000000:alarms'], [7]],
      Metrics: [
        [query],
        [{ ...query, Id: 7 }],
        [{ Id: 'e', Expression: 'a + a' }],
        [query, { Id: 'e', Expression: '('.repeat(2_000) }],
      ],
      MetricDataQueries: [
        [query],
        [{ Id: 'e', Expression: 'IF(' }],
        [{ Id: 'e', MetricStat: 7 }],
        [{ Id: 'e', MetricStat: { Metric: 7 } }],
      ],
      ...{
        StartTime: [0, 1],
        EndTime: [1, 1e12],
        StartDate: [0],
        EndDate: [1e18],
        ScanBy: ['TimestampAscending'],
      },
      ...{
        StateValue: ['ALARM'],
        StateReason: ['x'],
        MaxRecords: [1],
        NextToken: ['x', 'MQ=='],
        MaxDatapoints: [1],
      },
      MetricData: [
        [{ MetricName: 'm', Value: 1 }],
        [{ MetricName: 'm', Values: 7 }],
        [{ MetricName: 'm', StatisticValues: 7 }],
      ],
    },
  },
] as const

describe('wrong input', () => {
  it.each(services)(
    'of $prefix is answered with an error of the service, never with a fault of ours',
    async (service) => {
      const call = fc.tuple(fc.constantFrom(...service.operations), inputs(service.members))

      await fc.assert(
        fc.asyncProperty(call, async ([operation, input]) => {
          const response = await post(local.url, `${service.prefix}.${operation}`, JSON.stringify(input))
          const text = await response.text()
          expect([200, 400, 404, 503], `${operation}: ${text}`).toContain(response.status)
        }),
        { numRuns: 500 },
      )
    },
  )

  it('of SNS is answered so too', async () => {
    const operations = [
      ...['CreateTopic', 'DeleteTopic', 'ListTopics', 'GetTopicAttributes', 'Subscribe', 'Unsubscribe'],
      ...['ListSubscriptions', 'ListSubscriptionsByTopic', 'Publish', 'PublishBatch'],
    ]
    const topic = local.topicArn('alarms')
    const members = inputs({
      ...{
        Name: ['alarms', 'x'],
        TopicArn: [topic, 'x'],
        SubscriptionArn: [`${topic}:x`],
        TargetArn: [topic],
      },
      ...{
        Protocol: ['sqs', 'email'],
        Endpoint: ['arn:aws:sqs:us-east-1:000000000000:pager'],
        NextToken: ['1', 'x'],
      },
      Attributes: [{ RawMessageDelivery: 'true' }, { FifoTopic: 'true' }, { MaximumMessageSize: 'x' }],
      ...{ Message: ['m', '{"default":"m"}'], MessageStructure: ['json'], Subject: ['s'] },
      MessageAttributes: [{ a: { DataType: 'String', StringValue: 'x' } }, { a: 7 }, { a: null }],
      PublishBatchRequestEntries: [[{ Id: 'a', Message: 'm' }], [null], [{ Id: 7 }]],
    })

    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...operations), members, async (operation, input) => {
        const error = await Promise.resolve(local.sns.call(operation, input)).then(
          () => undefined,
          (reason: unknown) => reason,
        )
        if (error !== undefined) expect(error, `${operation} ${JSON.stringify(input)}`).toHaveProperty('code')
      }),
      { numRuns: 500 },
    )
  })
})

describe('input that is right but for a few members', () => {
  const QueueUrl = 'http://127.0.0.1/000000000000/fuzzed'
  const MessageAttributes = {
    text: { DataType: 'String', StringValue: 'x' },
    bytes: { DataType: 'Binary', BinaryValue: 'eA==' },
  }
  const sqs = {
    CreateQueue: { QueueName: 'fuzzed', Attributes: { VisibilityTimeout: '30' } },
    DeleteQueue: { QueueUrl },
    GetQueueUrl: { QueueName: 'fuzzed' },
    ListQueues: { QueueNamePrefix: 'f' },
    GetQueueAttributes: { QueueUrl, AttributeNames: ['All'] },
    SendMessage: { QueueUrl, MessageBody: 'm', DelaySeconds: 0, MessageAttributes },
    SendMessageBatch: { QueueUrl, Entries: [{ Id: 'a', MessageBody: 'm', MessageAttributes }] },
    ReceiveMessage: {
      ...{ QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 0, AttributeNames: ['All'] },
      ...{ MessageAttributeNames: ['All'], MessageSystemAttributeNames: ['All'] },
    },
    DeleteMessage: { QueueUrl, ReceiptHandle: Buffer.from(`${'0'.repeat(36)}/1`).toString('base64') },
    DeleteMessageBatch: {
      QueueUrl,
      Entries: [{ Id: 'a', ReceiptHandle: Buffer.from(`${'0'.repeat(36)}/1`).toString('base64') }],
    },
    ChangeMessageVisibilityBatch: {
      QueueUrl,
      Entries: [{ Id: 'a', VisibilityTimeout: 0, ReceiptHandle: 'x' }],
    },
    PurgeQueue: { QueueUrl },
  }

  const TopicArn = 'arn:aws:sns:us-east-1:000000000000:fuzzed'
  const Endpoint = 'arn:aws:sqs:us-east-1:000000000000:pager'
  const message = { Message: '{"default":"m"}', MessageStructure: 'json', Subject: 's', MessageAttributes }
  const sns = {
    CreateTopic: { Name: 'fuzzed', Attributes: { MaximumMessageSize: '262144' } },
    DeleteTopic: { TopicArn },
    ListTopics: { NextToken: '0' },
    GetTopicAttributes: { TopicArn },
    Subscribe: { TopicArn, Protocol: 'sqs', Endpoint, Attributes: { RawMessageDelivery: 'true' } },
    Unsubscribe: { SubscriptionArn: `${TopicArn}:${'0'.repeat(8)}` },
    ListSubscriptions: { NextToken: '0' },
    ListSubscriptionsByTopic: { TopicArn, NextToken: '0' },
    Publish: { TopicArn, ...message },
    PublishBatch: { TopicArn, PublishBatchRequestEntries: [{ Id: 'a', ...message }] },
  }

  const ofMetric = { ...metric, Period: 60, Statistic: 'Sum' }
  const condition = {
    ...{ EvaluationPeriods: 3, DatapointsToAlarm: 2, Threshold: 1, TreatMissingData: 'ignore' },
    ...{ ComparisonOperator: 'GreaterThanThreshold', ActionsEnabled: true, OKActions: [TopicArn] },
  }
  const expression = { Id: 'e', Expression: 'a + 1', Label: 'more', ReturnData: true }
  const queries = [{ ...query, ReturnData: false }, expression]
  const range = { StartTime: 0, EndTime: 600 }
  const cloudwatch = {
    PutMetricAlarm: { AlarmName: 'a', ...ofMetric, Unit: 'Count', ...condition },
    DescribeAlarms: {
      ...{ AlarmNames: ['a'], AlarmNamePrefix: 'a', StateValue: 'OK', ActionPrefix: 'arn:' },
      ...{ MaxRecords: 1, NextToken: 'MA==' },
    },
    DeleteAlarms: { AlarmNames: ['a'] },
    SetAlarmState: { AlarmName: 'a', StateValue: 'OK', StateReason: 'x', StateReasonData: '{}' },
    DescribeAlarmHistory: {
      ...{ AlarmName: 'a', HistoryItemType: 'StateUpdate', StartDate: 0, EndDate: 1 },
      ...{ MaxRecords: 1, ScanBy: 'TimestampAscending', NextToken: 'MA==' },
    },
    EnableAlarmActions: { AlarmNames: ['a'] },
    DisableAlarmActions: { AlarmNames: ['a'] },
    GetMetricData: {
      ...{ ...range, MetricDataQueries: queries, ScanBy: 'TimestampAscending', MaxDatapoints: 5 },
      NextToken: 'MA==',
    },
    GetMetricStatistics: { ...metric, ...range, Period: 60, Statistics: ['Sum'], Unit: 'Count' },
    PutMetricData: {
      Namespace: 'A',
      MetricData: [
        { MetricName: 'm', Value: 1, Unit: 'Count', Timestamp: 0, Dimensions: metric.Dimensions },
        { MetricName: 'm', Values: [1, 2], Counts: [1, 2] },
        { MetricName: 'm', StatisticValues: { SampleCount: 1, Sum: 1, Minimum: 1, Maximum: 1 } },
      ],
    },
    ListMetrics: { ...metric, NextToken: 'MA==' },
  }
  const alarmOfMetrics = { PutMetricAlarm: { AlarmName: 'b', Metrics: queries, ...condition } }

  const DeliveryStreamName = 'fuzzed'
  const destination = {
    ...{ ...bucket, Prefix: '!{timestamp:yyyy}/', ErrorOutputPrefix: '!{firehose:error-output-type}/' },
    ...{ BufferingHints: { SizeInMBs: 1, IntervalInSeconds: 0 }, CompressionFormat: 'GZIP' },
    ...{ FileExtension: '.gz', CustomTimeZone: 'UTC' },
  }
  const firehose = {
    CreateDeliveryStream: {
      ...{ DeliveryStreamName: 'made', DeliveryStreamType: 'KinesisStreamAsSource' },
      KinesisStreamSourceConfiguration: {
        KinesisStreamARN: 'arn:aws:kinesis:us-east-1:000000000000:stream/none',
      },
      ...{ ExtendedS3DestinationConfiguration: destination, Tags: [{ Key: 'a', Value: 'b' }] },
    },
    DeleteDeliveryStream: { DeliveryStreamName },
    DescribeDeliveryStream: { DeliveryStreamName },
    ListDeliveryStreams: {
      ...{ Limit: 1, DeliveryStreamType: 'DirectPut', ExclusiveStartDeliveryStreamName: 'a' },
    },
    UpdateDestination: {
      ...{ DeliveryStreamName, CurrentDeliveryStreamVersionId: '1' },
      ...{ DestinationId: 'destinationId-000000000001', ExtendedS3DestinationUpdate: destination },
    },
    PutRecord: { DeliveryStreamName, Record: { Data: 'YQ==' } },
    PutRecordBatch: { DeliveryStreamName, Records: [{ Data: 'YQ==' }] },
    TagDeliveryStream: { DeliveryStreamName, Tags: [{ Key: 'a', Value: 'b' }] },
    UntagDeliveryStream: { DeliveryStreamName, TagKeys: ['a'] },
    ListTagsForDeliveryStream: { DeliveryStreamName },
  }

  /** What a lucky input took away is there again for the next one, and what it made is not. */
  async function restore(): Promise<void> {
    await settled(() => local.sqs.call('CreateQueue', sqs.CreateQueue))
    await settled(() => local.sns.call('CreateTopic', sns.CreateTopic))
    await local.cloudwatch.call('PutMetricAlarm', cloudwatch.PutMetricAlarm)
    for (const name of ['made', DeliveryStreamName]) {
      await settled(() => local.firehose.call('DeleteDeliveryStream', { DeliveryStreamName: name }))
    }
    local.firehose.call('CreateDeliveryStream', {
      DeliveryStreamName,
      ExtendedS3DestinationConfiguration: bucket,
    })
  }

  /** The status, and what was said. */
  async function overTheWire(prefix: string, operation: string, input: unknown) {
    const response = await post(local.url, `${prefix}.${operation}`, JSON.stringify(input))
    return { status: response.status, said: await response.text() }
  }

  /** SNS speaks the query protocol, whose values are all text: in process they are of every kind. */
  async function inProcess(operation: string, input: Record<string, unknown>) {
    const error = await settled(() => local.sns.call(operation, input))
    if (error === undefined) return { status: 200, said: '' }
    const { statusCode = 500, message: said } = error as { statusCode?: number; message: string }
    return { status: statusCode, said }
  }

  const all = [
    ['SQS', sqs, (operation, input) => overTheWire('AmazonSQS', operation, input)],
    ['SNS', sns, inProcess],
    [
      'CloudWatch',
      cloudwatch,
      (operation, input) => overTheWire('GraniteServiceVersion20100801', operation, input),
    ],
    [
      'alarms on several metrics',
      alarmOfMetrics,
      (operation, input) => overTheWire('GraniteServiceVersion20100801', operation, input),
    ],
    ['Firehose', firehose, (operation, input) => overTheWire('Firehose_20150804', operation, input)],
  ] as [
    name: string,
    right: Record<string, Record<string, unknown>>,
    call: (operation: string, input: Record<string, unknown>) => Promise<{ status: number; said: string }>,
  ][]

  it.each(all)('is right without them, for %s', async (_, right, call) => {
    for (const [operation, input] of Object.entries(right)) {
      await restore()
      expect(await call(operation, input), operation).toMatchObject({ status: 200 })
    }
  })

  const strange = { toString: 1, valueOf: 1 }
  it.each([
    ['AmazonSQS.SendMessageBatch', { QueueUrl, Entries: [null] }],
    ['AmazonSQS.DeleteMessageBatch', { QueueUrl, Entries: [null] }],
    ['AmazonSQS.ReceiveMessage', { QueueUrl, MaxNumberOfMessages: strange }],
    [
      'GraniteServiceVersion20100801.GetMetricData',
      { ...range, MetricDataQueries: [{ Id: 'a', MetricStat: null }] },
    ],
    [
      'GraniteServiceVersion20100801.GetMetricData',
      { ...range, MetricDataQueries: [query], MaxDatapoints: 0 },
    ],
    ['GraniteServiceVersion20100801.SetAlarmState', { ...cloudwatch.SetAlarmState, StateValue: strange }],
    ['Firehose_20150804.ListDeliveryStreams', { Limit: strange }],
  ])('is the fault of who sent it: %s %j', async (target, input) => {
    await restore()
    expect((await post(local.url, target, JSON.stringify(input))).status).toBe(400)
  })

  it('may be a reason of any kind', async () => {
    await restore()
    const input = { ...cloudwatch.SetAlarmState, StateReason: strange }
    expect(await overTheWire('GraniteServiceVersion20100801', 'SetAlarmState', input)).toHaveProperty(
      'status',
      200,
    )
  })

  it.each(all)('is answered with an error of %s, never with a fault of ours', async (_, right, call) => {
    await fc.assert(
      fc.asyncProperty(nearlyRight(right), async ({ operation, input }) => {
        await restore()
        const { status, said } = await call(operation, input)
        expect([200, 400, 403, 404, 503], `${operation} ${JSON.stringify(input)}: ${said}`).toContain(status)
      }),
      { numRuns: 500 },
    )
  })
})

async function settled(run: () => unknown): Promise<unknown> {
  try {
    await run()
    return undefined
  } catch (error) {
    return error
  }
}
