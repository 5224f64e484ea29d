import {
  deliveryMetrics,
  functionMetrics,
  type MetricDefinition,
  mappingMetrics,
  processingMetrics,
  queueMetrics,
  streamMetrics,
} from '@org/kinesis-core'
import { Duration } from 'aws-cdk-lib'
import { type IMetric, MathExpression } from 'aws-cdk-lib/aws-cloudwatch'
import { catalogMetric } from './catalog-metric.js'
import type { DataLakeDelivery } from './data-lake-delivery.js'
import type { StreamAnalytics } from './stream-analytics.js'
import type { StreamMonitoringProps } from './stream-monitoring.js'
import type { StreamProcessor } from './stream-processor.js'

/** What an alarm watches, and from where on it fires. */
export interface AlarmSpec {
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

/** The alarms that the given parts of a pipeline need. */
export function pipelineAlarms(props: StreamMonitoringProps): AlarmSpec[] {
  const { processor, analytics, delivery } = props
  return [
    ...streamAlarms(props),
    ...(processor === undefined ? [] : processorAlarms(processor, props)),
    ...(analytics === undefined ? [] : consumerAlarms('Analytics', 'analytics', analytics, props)),
    ...(delivery === undefined ? [] : deliveryAlarms(delivery, props)),
  ]
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
      metric: ofMapping(mappingMetrics.deliveredToDestinationEvents),
      threshold: 0,
    },
    {
      id: `${id}DroppedRecords`,
      name: `${name}-dropped-records`,
      description:
        'Lambda has given up records and could not deliver them to the failure destination: they are lost',
      metric: ofMapping(mappingMetrics.droppedEvents),
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
      id: 'RejectedAge',
      name: 'processor-rejected-age',
      description: 'Rejected records wait and nobody takes them, in seconds: they are deleted after 14 days',
      metric: catalogMetric(
        queueMetrics.oldestMessageAge,
        { QueueName: processor.rejectedQueue.queueName },
        { period: FIVE_MINUTES },
      ),
      threshold: Duration.days(7).toSeconds(),
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
  const { transformFunction } = delivery
  const transformErrors = (functionName: string): AlarmSpec => ({
    id: 'TransformErrors',
    name: 'delivery-transform-errors',
    // Firehose delivers these as errors, with success: no other metric of the delivery tells of them.
    description: 'The transform fails: after its retries its records go under the error prefix of the lake',
    metric: catalogMetric(functionMetrics.errors, { FunctionName: functionName }, { period: FIVE_MINUTES }),
    threshold: 0,
  })
  return [
    ...(transformFunction === undefined ? [] : [transformErrors(transformFunction.functionName)]),
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
