import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Local, startLocal } from '../src/start-local.js'
import { post } from './support/clients.js'

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
