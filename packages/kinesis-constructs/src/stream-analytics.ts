import { InvalidOptionError, lambdaQuotas, type MetricDefinition } from '@org/kinesis-core'
import { Duration, RemovalPolicy } from 'aws-cdk-lib'
import type { Metric } from 'aws-cdk-lib/aws-cloudwatch'
import { BillingMode, Table } from 'aws-cdk-lib/aws-dynamodb'
import type { Grant, IGrantable, IPrincipal } from 'aws-cdk-lib/aws-iam'
import type { IStream } from 'aws-cdk-lib/aws-kinesis'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import * as lambda from 'aws-cdk-lib/aws-lambda'
import type { Bucket, IBucket } from 'aws-cdk-lib/aws-s3'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import { type CatalogMetricOptions, catalogMetric } from './catalog-metric.js'
import { defined } from './defined.js'
import { type FailureDestination, FailureStore } from './failure-destination.js'
import { type HandlerCode, HandlerFunction, type HandlerFunctionOptions } from './handler-function.js'
import { tableSafety, text } from './processed-data-table.js'
import { startingPosition } from './starting-position.js'
import { grantStreamRead } from './stream-grants.js'
import { grantTable, READ_ACTIONS, SINK_ACTIONS } from './table-grants.js'

export interface StreamAnalyticsProps extends HandlerFunctionOptions {
  readonly stream: IStream
  /** A handler that keeps its window in `state`, as `tumblingWindows` of `@org/kinesis-processor` does. */
  readonly handler: HandlerCode
  /** @default - made by CloudFormation */
  readonly tableName?: string
  /**
   * The dimension `service` of the handler's metrics.
   * @default - `functionName`, or `analytics`
   */
  readonly serviceName?: string
  /**
   * Up to 15 minutes, whole seconds.
   * @default Duration.seconds(60)
   */
  readonly window?: Duration
  /**
   * Records of one invocation, 1 to 10,000.
   * @default 1000
   */
  readonly batchSize?: number
  /**
   * The longest wait for a full batch, 0 to 300 s.
   * @default Duration.seconds(5)
   */
  readonly batchingWindow?: Duration
  /**
   * After the first try.
   * @default 3
   */
  readonly retryAttempts?: number
  /** @default Duration.hours(1) */
  readonly maxRecordAge?: Duration
  /** @default StartingPosition.TRIM_HORIZON; LATEST misses what is written while the stack is created or the mapping replaced */
  readonly startingPosition?: lambda.StartingPosition
  /** @default { to: 's3' }, a bucket of its own */
  readonly onFailure?: FailureDestination
  /** @default - made by CloudFormation */
  readonly failureBucketName?: string
  /** @default - made by CloudFormation */
  readonly failureQueueName?: string
  /**
   * Encrypts the records that failed.
   * @default - the stream's key
   */
  readonly encryptionKey?: IKey
  /**
   * Encrypts the table.
   * @default - the account's key for DynamoDB (aws/dynamodb)
   */
  readonly tableEncryptionKey?: IKey
  /** @default RemovalPolicy.RETAIN */
  readonly removalPolicy?: RemovalPolicy
}

/**
 * Tumbling windows over the stream: what SQL applications did, which are discontinued. A function and a mapping of their own,
 * because Lambda takes no parallelization for windows, and does not say what becomes of a window's state after a partial failure.
 */
export class StreamAnalytics extends Construct implements IGrantable {
  readonly function: lambda.Function
  readonly grantPrincipal: IPrincipal
  readonly mapping: lambda.EventSourceMapping
  readonly table: Table
  readonly failureBucket?: IBucket | Bucket
  readonly failureQueue?: IQueue

  constructor(scope: Construct, id: string, props: StreamAnalyticsProps) {
    super(scope, id)
    const { stream, tableName, removalPolicy = RemovalPolicy.RETAIN } = props
    this.table = new Table(this, 'Windows', {
      partitionKey: text('window_key'),
      sortKey: text('partial_id'),
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      ...tableSafety(props.tableEncryptionKey, removalPolicy),
      ...defined({ tableName }),
    })
    const { functionName, memorySize, timeout, reservedConcurrentExecutions, logRetention } = props
    this.function = new HandlerFunction(this, 'Handler', {
      code: props.handler,
      serviceName: props.serviceName ?? functionName ?? 'analytics',
      removalPolicy,
      environment: { WINDOWS_TABLE_NAME: this.table.tableName, ...props.environment },
      ...defined({ functionName, memorySize, timeout, reservedConcurrentExecutions, logRetention }),
    }).function
    this.grantPrincipal = this.function.grantPrincipal
    grantStreamRead(stream, this)
    grantTable(this.table, this, SINK_ACTIONS)

    const failures = new FailureStore(this, 'Failures', {
      destination: props.onFailure ?? { to: 's3' },
      removalPolicy,
      ...defined({
        bucketName: props.failureBucketName,
        queueName: props.failureQueueName,
        encryptionKey: props.encryptionKey ?? stream.encryptionKey,
      }),
    })
    if (failures.bucket !== undefined) this.failureBucket = failures.bucket
    if (failures.queue !== undefined) this.failureQueue = failures.queue

    this.mapping = new lambda.EventSourceMapping(this, 'Mapping', {
      target: this.function,
      eventSourceArn: stream.streamArn,
      startingPosition: startingPosition(this, props.startingPosition),
      tumblingWindow: windowLength(props.window),
      batchSize: props.batchSize ?? 1_000,
      maxBatchingWindow: props.batchingWindow ?? Duration.seconds(5),
      parallelizationFactor: 1,
      retryAttempts: props.retryAttempts ?? 3,
      maxRecordAge: props.maxRecordAge ?? Duration.hours(1),
      onFailure: failures,
      supportS3OnFailureDestination: true,
      metricsConfig: { metrics: [lambda.MetricType.EVENT_COUNT] },
    })
  }

  /** To read the windows. */
  grantRead(grantee: IGrantable): Grant {
    return grantTable(this.table, grantee, READ_ACTIONS)
  }

  /** A function metric of core's catalogue. */
  metric(definition: MetricDefinition, options?: CatalogMetricOptions): Metric {
    return catalogMetric(definition, { FunctionName: this.function.functionName }, options)
  }
}

function windowLength(window = Duration.seconds(60)): Duration {
  const seconds = window.toSeconds({ integral: false })
  const most = lambdaQuotas.maxTumblingWindowMs / 1000
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= most) return window
  throw new InvalidOptionError('window', `${seconds} s`, `Use 1 to ${most} whole seconds.`)
}
