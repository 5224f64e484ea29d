import { deliveryMetrics, functionMetrics, streamMetrics } from '@org/kinesis-core'
import { Duration, RemovalPolicy, type Stack } from 'aws-cdk-lib'
import type { Template } from 'aws-cdk-lib/assertions'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  AlarmTopic,
  catalogMetric,
  DataLake,
  DataLakeDelivery,
  EncryptedStream,
  StreamAnalytics,
  StreamMonitoring,
  type StreamMonitoringProps,
  StreamProcessor,
} from '../src/index.js'
import { handlerDirectory, only, type Properties, synth } from './support/synth.js'

const ALARM = 'AWS::CloudWatch::Alarm'
const handler = { directory: handlerDirectory }

function watchEverything(stack: Stack, props: Partial<StreamMonitoringProps> = {}): void {
  const { stream } = new EncryptedStream(stack, 'Stream')
  const { bucket } = new DataLake(stack, 'Lake')
  new StreamMonitoring(stack, 'Monitoring', {
    stream,
    processor: new StreamProcessor(stack, 'Processor', { stream, handler, functionName: 'store' }),
    analytics: new StreamAnalytics(stack, 'Analytics', { stream, handler }),
    delivery: new DataLakeDelivery(stack, 'Delivery', { stream, bucket, transform: handler }),
    alarmNamePrefix: 'clicks',
    ...props,
  })
}

/** Every metric of an alarm: its own, or those of its expression. */
function metricsOf(alarm: Properties): { name: string; dimensions: Record<string, unknown> }[] {
  const metrics =
    alarm.Metrics === undefined
      ? [alarm]
      : alarm.Metrics.filter((one: { MetricStat?: unknown }) => one.MetricStat).map(
          (one: { MetricStat: { Metric: unknown } }) => one.MetricStat.Metric,
        )
  return metrics.map((metric: Properties) => ({
    name: `${metric.Namespace} ${metric.MetricName}`,
    dimensions: Object.fromEntries(
      (metric.Dimensions ?? []).map((one: { Name: string; Value: unknown }) => [one.Name, one.Value]),
    ),
  }))
}

describe('StreamMonitoring', () => {
  let template: Template
  let alarms: Properties[]
  const alarm = (name: string) => {
    const found = alarms.find((one) => one.AlarmName === `clicks-${name}`)
    if (found === undefined) throw new Error(`There is no alarm clicks-${name}`)
    return found
  }

  beforeAll(() => {
    template = synth((stack) => watchEverything(stack))
    alarms = Object.values(template.findResources(ALARM)).map((resource) => resource.Properties)
  })

  it('has the alarm on incoming records, on this stream, to the topic', () => {
    expect(alarm('stream-incoming-records')).toEqual({
      AlarmName: 'clicks-stream-incoming-records',
      AlarmDescription: 'Monitor incoming records to Kinesis stream',
      Namespace: 'AWS/Kinesis',
      MetricName: 'IncomingRecords',
      Statistic: 'Sum',
      Period: 300,
      EvaluationPeriods: 2,
      Threshold: 1_000,
      ComparisonOperator: 'GreaterThanThreshold',
      TreatMissingData: 'notBreaching',
      Dimensions: [{ Name: 'StreamName', Value: { Ref: only(template, 'AWS::Kinesis::Stream')[0] } }],
      AlarmActions: [{ Ref: only(template, 'AWS::SNS::Topic')[0] }],
    })
  })

  it.each([
    ['stream-iterator-age', 'AWS/Kinesis GetRecords.IteratorAgeMilliseconds', 'StreamName', 900_000, 60],
    ['processor-errors', 'AWS/Lambda Errors', 'FunctionName', 0, 300],
    ['processor-iterator-age', 'AWS/Lambda IteratorAge', 'FunctionName', 900_000, 60],
    [
      'processor-dead-letters',
      'AWS/Lambda OnFailureDestinationDeliveredEventCount',
      'EventSourceMappingUUID',
      0,
      300,
    ],
    ['processor-dropped-records', 'AWS/Lambda DroppedEventCount', 'EventSourceMappingUUID', 0, 300],
    ['processor-rejected-dead-letters', 'AWS/SQS ApproximateNumberOfMessagesVisible', 'QueueName', 0, 300],
    ['analytics-errors', 'AWS/Lambda Errors', 'FunctionName', 0, 300],
    ['analytics-iterator-age', 'AWS/Lambda IteratorAge', 'FunctionName', 900_000, 60],
    [
      'analytics-dead-letters',
      'AWS/Lambda OnFailureDestinationDeliveredEventCount',
      'EventSourceMappingUUID',
      0,
      300,
    ],
    ['analytics-dropped-records', 'AWS/Lambda DroppedEventCount', 'EventSourceMappingUUID', 0, 300],
    ['processor-rejected-age', 'AWS/SQS ApproximateAgeOfOldestMessage', 'QueueName', 604_800, 300],
    ['delivery-transform-errors', 'AWS/Lambda Errors', 'FunctionName', 0, 300],
    ['delivery-freshness', 'AWS/Firehose DeliveryToS3.DataFreshness', 'DeliveryStreamName', 900, 300],
  ])('%s fires above its threshold', (name, metric, dimension, threshold, period) => {
    const one = alarm(name)

    expect(metricsOf(one)).toEqual([{ name: metric, dimensions: { [dimension]: expect.anything() } }])
    expect(one).toMatchObject({
      Threshold: threshold,
      Period: period,
      ComparisonOperator: 'GreaterThanThreshold',
    })
  })

  it('fires when deliveries fail', () => {
    const one = alarm('delivery-success')

    expect(metricsOf(one)[0]!.name).toBe('AWS/Firehose DeliveryToS3.Success')
    expect(one).toMatchObject({ Threshold: 1, ComparisonOperator: 'LessThanThreshold', Statistic: 'Average' })
  })

  it.each([
    [
      'stream-throttled-records',
      'AWS/Kinesis PutRecords.ThrottledRecords',
      'AWS/Kinesis PutRecords.TotalRecords',
    ],
    ['stream-failed-records', 'AWS/Kinesis PutRecords.FailedRecords', 'AWS/Kinesis PutRecords.TotalRecords'],
    ['processor-rejected-records', 'KinesisProcessing RecordsRejected', 'KinesisProcessing RecordsReceived'],
  ])('%s compares with all records, in percent', (name, part, total) => {
    const one = alarm(name)

    expect(one.Metrics[0]).toMatchObject({ Expression: '100 * part / total', ReturnData: true })
    expect(metricsOf(one).map((metric) => metric.name)).toEqual([part, total])
    expect(one.Threshold).toBe(1)
  })

  it('looks for the metrics of the processor under the name that the processor is given', () => {
    const { POWERTOOLS_SERVICE_NAME: service } = only(template, 'AWS::Lambda::Function', /^Processor/)[1]
      .Environment.Variables

    expect(metricsOf(alarm('processor-rejected-records')).map((metric) => metric.dimensions)).toEqual([
      { service },
      { service },
    ])
  })

  it('has an action and dimensions in every alarm: one without would never fire', () => {
    expect(alarms.length).toBeGreaterThanOrEqual(18)
    for (const one of alarms) {
      expect(one.AlarmActions, one.AlarmName).toHaveLength(1)
      expect(metricsOf(one).length, one.AlarmName).toBeGreaterThan(0)
      for (const metric of metricsOf(one)) {
        expect(Object.keys(metric.dimensions), `${one.AlarmName}: ${metric.name}`).not.toEqual([])
      }
    }
  })

  it('takes other thresholds', () => {
    const changed = synth((stack) =>
      watchEverything(stack, {
        incomingRecordsThreshold: 5,
        iteratorAgeThreshold: Duration.minutes(1),
        badRecordsPercent: 10,
        deliveryFreshnessThreshold: Duration.hours(1),
      }),
    )

    const threshold = (id: RegExp) => only(changed, ALARM, id)[1].Threshold
    expect(threshold(/^MonitoringIncomingRecords/)).toBe(5)
    expect(threshold(/^MonitoringIteratorAge/)).toBe(60_000)
    expect(threshold(/^MonitoringProcessorIteratorAge/)).toBe(60_000)
    expect(threshold(/^MonitoringThrottledRecords/)).toBe(10)
    expect(threshold(/^MonitoringDeliveryFreshness/)).toBe(3_600)
  })

  it('watches a stream alone, and a topic that is given', () => {
    const alone = synth((stack) => {
      const { stream } = new EncryptedStream(stack, 'Stream')
      new StreamMonitoring(stack, 'Monitoring', { stream, topic: new Topic(stack, 'Mine') })
    })

    const found = Object.values(alone.findResources(ALARM)).map((resource) => resource.Properties)
    expect(found).toHaveLength(4)
    expect(found[0]).not.toHaveProperty('AlarmName')
    expect(found[0]!.AlarmActions).toEqual([{ Ref: only(alone, 'AWS::SNS::Topic', /^Mine/)[0] }])
  })
})

describe('AlarmTopic', () => {
  const alarmsOfThisAccount = {
    StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
    ArnLike: {
      'aws:SourceArn': {
        'Fn::Join': [
          '',
          [
            'arn:',
            { Ref: 'AWS::Partition' },
            ':cloudwatch:',
            { Ref: 'AWS::Region' },
            ':',
            { Ref: 'AWS::AccountId' },
            ':alarm:*',
          ],
        ],
      },
    },
  }

  it('lets the alarms of this account and region use its key, and nobody else beside the account', () => {
    const template = synth((stack) => new AlarmTopic(stack, 'Alarms', { topicName: 'alarms' }))

    const [keyId, key] = only(template, 'AWS::KMS::Key')
    expect(key.EnableKeyRotation).toBe(true)
    expect(key.KeyPolicy.Statement.slice(1)).toEqual([
      {
        Sid: 'AlarmsEncryptWhatTheyPublish',
        Effect: 'Allow',
        Principal: { Service: 'cloudwatch.amazonaws.com' },
        Action: ['kms:Decrypt', 'kms:GenerateDataKey*'],
        Resource: '*',
        Condition: alarmsOfThisAccount,
      },
    ])
    expect(only(template, 'AWS::SNS::Topic')[1]).toEqual({
      TopicName: 'alarms',
      KmsMasterKeyId: { 'Fn::GetAtt': [keyId, 'Arn'] },
    })
  })

  it('lets them publish, and nobody without TLS', () => {
    const template = synth((stack) => new AlarmTopic(stack, 'Alarms'))

    const [topicId] = only(template, 'AWS::SNS::Topic')
    expect(only(template, 'AWS::SNS::TopicPolicy')[1].PolicyDocument.Statement).toEqual([
      expect.objectContaining({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
      {
        Sid: 'AlarmsPublish',
        Effect: 'Allow',
        Principal: { Service: 'cloudwatch.amazonaws.com' },
        Action: 'sns:Publish',
        Resource: { Ref: topicId },
        Condition: alarmsOfThisAccount,
      },
    ])
  })

  it('goes with the stack if asked to', () => {
    const template = synth(
      (stack) => new AlarmTopic(stack, 'Alarms', { removalPolicy: RemovalPolicy.DESTROY }),
    )

    expect(Object.values(template.findResources('AWS::SNS::Topic'))[0]).toMatchObject({
      DeletionPolicy: 'Delete',
    })
  })
})

describe('catalogMetric', () => {
  it('is the metric of the catalogue, with its statistic unless another is asked for', () => {
    const dimensions = { StreamName: 'clicks' }

    expect(catalogMetric(streamMetrics.iteratorAge, dimensions)).toMatchObject({
      namespace: 'AWS/Kinesis',
      metricName: 'GetRecords.IteratorAgeMilliseconds',
      statistic: 'Maximum',
      dimensions,
      unit: undefined,
    })
    expect(
      catalogMetric(streamMetrics.iteratorAge, dimensions, { statistic: 'p99', label: 'Age' }),
    ).toMatchObject({ statistic: 'p99', label: 'Age' })
  })

  it.each([
    [{}, functionMetrics.errors],
    [{ StreamName: 'clicks' }, functionMetrics.errors],
    [{ DeliveryStreamName: 'clicks', Shard: '1' }, deliveryMetrics.deliverySuccess],
  ])('refuses the dimensions %j', (dimensions, definition) => {
    expect(() => catalogMetric(definition, dimensions)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', option: 'dimensions' }),
    )
  })

  it('is what the constructs give for themselves', () => {
    synth((stack) => {
      const metric = new EncryptedStream(stack, 'Stream').metric(streamMetrics.incomingBytes, {
        period: Duration.minutes(1),
      })

      expect(metric.toMetricConfig().metricStat).toMatchObject({
        metricName: 'IncomingBytes',
        dimensions: [{ name: 'StreamName', value: expect.any(String) }],
      })
    })
  })
})
