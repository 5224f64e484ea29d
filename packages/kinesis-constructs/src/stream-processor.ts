import type { MetricDefinition } from '@org/kinesis-core'
import { Duration, RemovalPolicy } from 'aws-cdk-lib'
import type { Metric } from 'aws-cdk-lib/aws-cloudwatch'
import type { IGrantable, IPrincipal } from 'aws-cdk-lib/aws-iam'
import type { IStream } from 'aws-cdk-lib/aws-kinesis'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import * as lambda from 'aws-cdk-lib/aws-lambda'
import type { Bucket, IBucket } from 'aws-cdk-lib/aws-s3'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import { type CatalogMetricOptions, catalogMetric } from './catalog-metric.js'
import { grantQueueSend, QueueWithRedrive } from './dead-letter-queues.js'
import { defined } from './defined.js'
import { type FailureDestination, FailureStore } from './failure-destination.js'
import { type HandlerCode, HandlerFunction, type HandlerFunctionOptions } from './handler-function.js'
import type { ProcessedDataTable } from './processed-data-table.js'
import { startingPosition } from './starting-position.js'
import { grantStreamRead } from './stream-grants.js'

export interface StreamProcessorProps extends HandlerFunctionOptions {
  readonly stream: IStream
  /** A handler that answers with `batchItemFailures`, as `kinesisHandler` of `@org/kinesis-processor` does. */
  readonly handler: HandlerCode
  /**
   * Where the handler stores: it gets the name as PROCESSED_TABLE_NAME, and may write.
   * @default - none; grant what the handler needs on the processor itself
   */
  readonly table?: ProcessedDataTable
  /**
   * The dimension `service` of the handler's metrics.
   * @default - `functionName`, or `stream-processor`
   */
  readonly serviceName?: string
  /**
   * Records of one invocation, 1 to 10,000.
   * @default 100
   */
  readonly batchSize?: number
  /**
   * The longest wait for a full batch, 0 to 300 s.
   * @default Duration.seconds(5)
   */
  readonly batchingWindow?: Duration
  /**
   * Invocations at a time for one shard, 1 to 10. Order within a partition key is kept.
   * @default 2
   */
  readonly parallelizationFactor?: number
  /**
   * After the first try. -1 tries until the record expires, and holds up its shard for as long.
   * @default 3
   */
  readonly retryAttempts?: number
  /**
   * Older records go to the failure destination without being tried.
   * @default Duration.hours(1)
   */
  readonly maxRecordAge?: Duration
  /**
   * A batch that fails as a whole is halved, so that one bad record ends up alone.
   * @default true
   */
  readonly bisectBatchOnError?: boolean
  /**
   * The handler answers where to go on. Only for a handler that never does: set to false.
   * @default true
   */
  readonly reportBatchItemFailures?: boolean
  /** @default StartingPosition.TRIM_HORIZON; LATEST misses what is written while the stack is created or the mapping replaced */
  readonly startingPosition?: lambda.StartingPosition
  /** @default { to: 's3' }, a bucket of its own */
  readonly onFailure?: FailureDestination
  /** @default - made by CloudFormation */
  readonly failureBucketName?: string
  /** @default - made by CloudFormation */
  readonly failureQueueName?: string
  /** The queue after it, for messages that nobody can handle, is called `<name>-dead-letters`. @default - made by CloudFormation */
  readonly rejectedQueueName?: string
  /**
   * Encrypts the rejected and the failed records.
   * @default - the stream's key: what was encrypted stays so
   */
  readonly encryptionKey?: IKey
  /**
   * Of the bucket, the queues and the logs.
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy
}

/**
 * A function that reads the stream, the mapping that drives it, and the two places that keep what it cannot store: a queue for
 * records that can never be stored (the handler sends them there), a destination for those that Lambda has given up.
 */
export class StreamProcessor extends Construct implements IGrantable {
  readonly function: lambda.Function
  readonly grantPrincipal: IPrincipal
  readonly mapping: lambda.EventSourceMapping
  readonly rejectedQueue: IQueue
  readonly rejectedDeadLetterQueue: IQueue
  readonly failureBucket?: IBucket | Bucket
  readonly failureQueue?: IQueue
  readonly serviceName: string

  constructor(scope: Construct, id: string, props: StreamProcessorProps) {
    super(scope, id)
    const { stream, removalPolicy = RemovalPolicy.RETAIN } = props
    const encryptionKey = props.encryptionKey ?? stream.encryptionKey
    this.serviceName = props.serviceName ?? props.functionName ?? 'stream-processor'

    const rejected = new QueueWithRedrive(this, 'Rejected', {
      removalPolicy,
      ...defined({ queueName: props.rejectedQueueName, encryptionKey }),
    })
    this.rejectedQueue = rejected.queue
    this.rejectedDeadLetterQueue = rejected.deadLetterQueue

    const { functionName, memorySize, timeout, reservedConcurrentExecutions, logRetention } = props
    this.function = new HandlerFunction(this, 'Handler', {
      code: props.handler,
      serviceName: this.serviceName,
      removalPolicy,
      environment: {
        REJECTED_QUEUE_URL: this.rejectedQueue.queueUrl,
        ...(props.table === undefined ? {} : { PROCESSED_TABLE_NAME: props.table.table.tableName }),
        ...props.environment,
      },
      ...defined({ functionName, memorySize, timeout, reservedConcurrentExecutions, logRetention }),
    }).function
    this.grantPrincipal = this.function.grantPrincipal
    grantStreamRead(stream, this)
    grantQueueSend(this.rejectedQueue, this)
    props.table?.grantWrite(this)

    const failures = new FailureStore(this, 'Failures', {
      destination: props.onFailure ?? { to: 's3' },
      removalPolicy,
      ...defined({ bucketName: props.failureBucketName, queueName: props.failureQueueName, encryptionKey }),
    })
    if (failures.bucket !== undefined) this.failureBucket = failures.bucket
    if (failures.queue !== undefined) this.failureQueue = failures.queue

    this.mapping = new lambda.EventSourceMapping(this, 'Mapping', {
      target: this.function,
      eventSourceArn: stream.streamArn,
      startingPosition: startingPosition(this, props.startingPosition),
      batchSize: props.batchSize ?? 100,
      maxBatchingWindow: props.batchingWindow ?? Duration.seconds(5),
      parallelizationFactor: props.parallelizationFactor ?? 2,
      retryAttempts: props.retryAttempts ?? 3,
      maxRecordAge: props.maxRecordAge ?? Duration.hours(1),
      bisectBatchOnError: props.bisectBatchOnError ?? true,
      reportBatchItemFailures: props.reportBatchItemFailures ?? true,
      onFailure: failures,
      supportS3OnFailureDestination: true,
      // Without it nobody sees what is dead-lettered, and what is lost.
      metricsConfig: { metrics: [lambda.MetricType.EVENT_COUNT] },
    })
  }

  /** A function metric of core's catalogue. */
  metric(definition: MetricDefinition, options?: CatalogMetricOptions): Metric {
    return catalogMetric(definition, { FunctionName: this.function.functionName }, options)
  }
}
