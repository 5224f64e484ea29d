import type { Duration, RemovalPolicy } from 'aws-cdk-lib'
import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import type { IStream } from 'aws-cdk-lib/aws-kinesis'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import { Construct } from 'constructs'
import { AlarmTopic } from './alarm-topic.js'
import type { DataLakeDelivery } from './data-lake-delivery.js'
import { defined } from './defined.js'
import { pipelineAlarms } from './pipeline-alarms.js'
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
   * More records than this in 5 minutes, twice in a row.
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

/** Alarms on the whole pipeline, from core's metric catalogue, to one encrypted topic. Every alarm has its dimensions. */
export class StreamMonitoring extends Construct {
  readonly topic: ITopic
  readonly alarms: readonly Alarm[]

  constructor(scope: Construct, id: string, props: StreamMonitoringProps) {
    super(scope, id)
    const { topicName, removalPolicy } = props
    this.topic = props.topic ?? new AlarmTopic(this, 'Alarms', defined({ topicName, removalPolicy })).topic
    const action = new SnsAction(this.topic)
    this.alarms = pipelineAlarms(props).map((spec) => {
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
