import {
  deliveryMetrics,
  functionMetrics,
  type MetricDefinition,
  processingMetrics,
  streamMetrics,
} from '@org/kinesis-core'
import { Duration, type RemovalPolicy } from 'aws-cdk-lib'
import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  MathExpression,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import type { IStream } from 'aws-cdk-lib/aws-kinesis'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import { Construct } from 'constructs'
import { AlarmTopic } from './alarm-topic.js'
import { catalogMetric } from './catalog-metric.js'
import type { DataLakeDelivery } from './data-lake-delivery.js'
import { defined } from './defined.js'
import { eventSourceMetrics, queueMetrics } from './failure-metrics.js'
import type { StreamAnalytics } from './stream-analytics.js'
import type { StreamProcessor } from './stream-processor.js'

export interface StreamMonitoringProps {
  readonly stream: IStream
  /** Adds alarms on its errors, age, dead letters and rejected records. @default - none */
  readonly processor?: StreamProcessor
  /** Adds alarms on its errors, age and dead letters. @default - none */
  readonly analytics?: StreamAnalytics
  /** Adds alarms on its freshness and success. @default - none */
  readonly delivery?: DataLakeDelivery
  /**
   * The first part of every alarm's name.
   * @default - names are made by CloudFormation
   */
  readonly alarmNamePrefix?: string
  /**
   * An encrypted topic must let alarms in, as `AlarmTopic` does.
   * @default - an `AlarmTopic` of its own
   */
  readonly topic?: ITopic
  /** @default - made by CloudFormation */
  readonly topicName?: string
  /**
   * More records than this in 5 minutes, twice in a row: as in the tutorial.
   * @default 1000
   */
  readonly incomingRecordsThreshold?: number
  /**
   * A consumer so far behind, for 3 minutes. Well below the processor's `maxRecordAge`, at which records are given up.
   * @default Duration.minutes(15)
   */
  readonly iteratorAgeThreshold?: Duration
  /**
   * Throttled, failed or rejected records, each in percent of all.
   * @default 1
   */
  readonly badRecordsPercent?: number
  /**
   * Data that waits so long for its delivery. Well above the buffering interval.
   * @default Duration.minutes(15)
   */
  readonly deliveryFreshnessThreshold?: Duration
  /**
   * Of the topic and its key.
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy
}

interface AlarmSpec {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly metric: IMetric
  readonly threshold: number
  readonly evaluationPeriods?: number
  /** @default 'above' */
  readonly when?: 'above' | 'below'
}

const MINUTE = Duration.minutes(1)
const FIVE_MINUTES = Duration.minutes(5)

/** Alarms on the whole pipeline, from core's metric catalogue, to one encrypted topic. Every alarm has its dimensions. */
export class StreamMonitoring extends Construct {
  readonly topic: ITopic
  readonly alarms: readonly Alarm[]

  constructor(scope: Construct, id: string, props: StreamMonitoringProps) {
    super(scope, id)
    const { topicName, removalPolicy } = props
    this.topic = props.topic ?? new AlarmTopic(this, 'Alarms', defined({ topicName, removalPolicy })).topic
    const action = new SnsAction(this.topic)
    this.alarms = [
      ...streamAlarms(props),
      ...(props.processor === undefined ? [] : processorAlarms(props.processor, props)),
      ...(props.analytics === undefined
        ? []
        : consumerAlarms('Analytics', 'analytics', props.analytics, props)),
      ...(props.delivery === undefined ? [] : deliveryAlarms(props.delivery, props)),
    ].map((spec) => {
      const prefix = props.alarmNamePrefix
      const alarm = new Alarm(this, spec.id, {
        alarmDescription: spec.description,
        metric: spec.metric,
        threshold: spec.threshold,
        evaluationPeriods: spec.evaluationPeriods ?? 1,
        comparisonOperator:
          spec.when === 'below'
            ? ComparisonOperator.LESS_THAN_THRESHOLD
            : ComparisonOperator.GREATER_THAN_THRESHOLD,
        // Most of these metrics are published only when something happens: nothing is no fault.
        treatMissingData: TreatMissingData.NOT_BREACHING,
        ...(prefix === undefined ? {} : { alarmName: `${prefix}-${spec.name}` }),
      })
      alarm.addAlarmAction(action)
      return alarm
    })
  }
}

function streamAlarms(props: StreamMonitoringProps): AlarmSpec[] {
  const of = (definition: MetricDefinition, period: Duration) =>
    catalogMetric(definition, { StreamName: props.stream.streamName }, { period })
  const share = (bad: MetricDefinition, label: string) =>
    percentage(of(bad, FIVE_MINUTES), of(streamMetrics.putRecordsTotalRecords, FIVE_MINUTES), label)
  return [
    {
      id: 'IncomingRecords',
      name: 'stream-incoming-records',
      description: 'Monitor incoming records to Kinesis stream',
      metric: of(streamMetrics.incomingRecords, FIVE_MINUTES),
      threshold: props.incomingRecordsThreshold ?? 1_000,
      evaluationPeriods: 2,
    },
    {
      id: 'IteratorAge',
      name: 'stream-iterator-age',
      description:
        'The slowest consumer that polls the stream is far behind; at the end of the retention records are lost',
      metric: of(streamMetrics.iteratorAge, MINUTE),
      threshold: ageThresholdMs(props),
      evaluationPeriods: 3,
    },
    {
      id: 'ThrottledRecords',
      name: 'stream-throttled-records',
      description:
        'Producers write more than the shards take, or one key is hot; percent of the records of PutRecords',
      metric: share(streamMetrics.putRecordsThrottledRecords, 'Throttled records (%)'),
      threshold: props.badRecordsPercent ?? 1,
    },
    {
      id: 'FailedRecords',
      name: 'stream-failed-records',
      description: 'Kinesis itself fails to take records; percent of the records of PutRecords',
      metric: share(streamMetrics.putRecordsFailedRecords, 'Failed records (%)'),
      threshold: props.badRecordsPercent ?? 1,
    },
  ]
}

/** What every function that reads the stream is watched for. */
function consumerAlarms(
  id: string,
  name: string,
  consumer: StreamProcessor | StreamAnalytics,
  props: StreamMonitoringProps,
): AlarmSpec[] {
  const ofMapping = (definition: MetricDefinition) =>
    catalogMetric(
      definition,
      { EventSourceMappingUUID: consumer.mapping.eventSourceMappingId },
      { period: FIVE_MINUTES },
    )
  return [
    {
      id: `${id}Errors`,
      name: `${name}-errors`,
      description: 'Invocations fail: the batch is tried again, and given up after its retries',
      metric: consumer.metric(functionMetrics.errors, { period: FIVE_MINUTES }),
      threshold: 0,
    },
    {
      id: `${id}IteratorAge`,
      name: `${name}-iterator-age`,
      description: 'This consumer is far behind; beyond the maximum record age its records are given up',
      metric: consumer.metric(functionMetrics.iteratorAge, { period: MINUTE }),
      threshold: ageThresholdMs(props),
      evaluationPeriods: 3,
    },
    {
      id: `${id}DeadLetters`,
      name: `${name}-dead-letters`,
      description: 'Lambda has given up records; they wait in the failure destination',
      metric: ofMapping(eventSourceMetrics.deadLettered),
      threshold: 0,
    },
    {
      id: `${id}DroppedRecords`,
      name: `${name}-dropped-records`,
      description:
        'Lambda has given up records and could not deliver them to the failure destination: they are lost',
      metric: ofMapping(eventSourceMetrics.dropped),
      threshold: 0,
    },
  ]
}

function processorAlarms(processor: StreamProcessor, props: StreamMonitoringProps): AlarmSpec[] {
  const service = { service: processor.serviceName }
  const of = (definition: MetricDefinition) => catalogMetric(definition, service, { period: FIVE_MINUTES })
  return [
    ...consumerAlarms('Processor', 'processor', processor, props),
    {
      id: 'RejectedRecords',
      name: 'processor-rejected-records',
      description:
        'Records arrive that can never be stored; percent of the records received. They wait in the rejected queue',
      metric: percentage(
        of(processingMetrics.recordsRejected),
        of(processingMetrics.recordsReceived),
        'Rejected records (%)',
      ),
      threshold: props.badRecordsPercent ?? 1,
    },
    {
      id: 'RejectedDeadLetters',
      name: 'processor-rejected-dead-letters',
      description: 'Rejected records that nobody could handle: they are deleted after 14 days',
      metric: catalogMetric(
        queueMetrics.messagesVisible,
        { QueueName: processor.rejectedDeadLetterQueue.queueName },
        { period: FIVE_MINUTES },
      ),
      threshold: 0,
    },
  ]
}

function deliveryAlarms(delivery: DataLakeDelivery, props: StreamMonitoringProps): AlarmSpec[] {
  return [
    {
      id: 'DeliveryFreshness',
      name: 'delivery-freshness',
      description: 'Data waits too long for its delivery to the lake, in seconds',
      metric: delivery.metric(deliveryMetrics.dataFreshness, { period: FIVE_MINUTES }),
      threshold: (props.deliveryFreshnessThreshold ?? Duration.minutes(15)).toSeconds(),
    },
    {
      id: 'DeliverySuccess',
      name: 'delivery-success',
      description: 'Some deliveries to the lake fail',
      metric: delivery.metric(deliveryMetrics.deliverySuccess, { period: FIVE_MINUTES }),
      threshold: 1,
      when: 'below',
    },
  ]
}

function ageThresholdMs(props: StreamMonitoringProps): number {
  return (props.iteratorAgeThreshold ?? Duration.minutes(15)).toMilliseconds()
}

/** Nothing where there were no records at all: then there is no share. */
function percentage(part: IMetric, total: IMetric, label: string): MathExpression {
  return new MathExpression({
    expression: '100 * part / total',
    usingMetrics: { part, total },
    period: FIVE_MINUTES,
    label,
  })
}
