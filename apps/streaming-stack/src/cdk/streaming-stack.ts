import { existsSync } from 'node:fs'
import { join } from 'node:path'
import {
  AlarmTopic,
  DataLake,
  DataLakeDelivery,
  EncryptedStream,
  type HandlerCode,
  ProcessedDataTable,
  StreamAnalytics,
  StreamMonitoring,
  StreamProcessor,
} from '@org/kinesis-constructs'
import { StreamingError } from '@org/kinesis-core'
import { Annotations, CfnOutput, Duration, RemovalPolicy, Stack, type StackProps, Tags } from 'aws-cdk-lib'
import type { Construct } from 'constructs'
import type { StackParameters } from './parameters.js'
import { describeTopology, type PipelineNames, publishTopology } from './topology.js'

export interface StreamingStackProps extends StackProps {
  readonly parameters: StackParameters
  /** Holds the built handlers, `<name>/index.mjs` each. */
  readonly handlersDirectory: string
}

/** Invocations of the processor at a time, of one shard; the windows have one. */
const PARALLELIZATION = 2

/** The whole pipeline, from the stream to the alarms. */
export class StreamingStack extends Stack {
  constructor(scope: Construct, id: string, props: StreamingStackProps) {
    const { parameters, handlersDirectory, ...stackProps } = props
    const { projectName, environmentName } = parameters
    const isProduction = environmentName === 'prod'
    super(scope, id, {
      stackName: `${projectName}-${environmentName}`,
      description: 'Kinesis Data Streaming Infrastructure',
      terminationProtection: isProduction,
      ...stackProps,
    })
    Tags.of(this).add('Environment', environmentName)
    Tags.of(this).add('Project', projectName)

    const names = namesOf(parameters, this.account)
    const handler = (name: string) => builtHandler(handlersDirectory, name)
    const removalPolicy = isProduction ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY
    const reservedConcurrentExecutions = isProduction ? 100 : 10

    const { stream } = new EncryptedStream(this, 'DataStream', {
      streamName: names.stream,
      shardCount: parameters.initialShardCount,
      retention: Duration.hours(parameters.retentionPeriodHours),
      tags: { Purpose: 'Real-time data streaming' },
      removalPolicy,
    })
    const table = new ProcessedDataTable(this, 'ProcessedData', {
      tableName: names.processedTable,
      removalPolicy,
    })
    const processor = new StreamProcessor(this, 'StreamProcessor', {
      stream,
      table,
      handler: handler('stream-processor'),
      functionName: names.processor,
      reservedConcurrentExecutions,
      parallelizationFactor: PARALLELIZATION,
      rejectedQueueName: names.rejectedQueue,
      failureBucketName: names.failureBucket,
      removalPolicy,
    })
    warnOfThrottling(this, parameters.initialShardCount, reservedConcurrentExecutions)
    const analytics = new StreamAnalytics(this, 'Analytics', {
      stream,
      handler: handler('windows'),
      functionName: names.analytics,
      tableName: names.windowsTable,
      // Lambda keeps the records of each mapping under its own prefix: one bucket serves both.
      onFailure: { to: 's3', bucket: processor.failureBucket! },
      removalPolicy,
    })
    const lake = new DataLake(this, 'DataLake', { bucketName: names.lakeBucket, removalPolicy })
    const delivery = new DataLakeDelivery(this, 'Delivery', {
      stream,
      bucket: lake.bucket,
      deliveryStreamName: names.deliveryStream,
      transform: handler('data-transform'),
      transformOptions: { functionName: names.transform },
      removalPolicy,
    })
    const { topic } = new AlarmTopic(this, 'Alarms', { topicName: names.alarmTopic, removalPolicy })
    new StreamMonitoring(this, 'Monitoring', {
      stream,
      processor,
      analytics,
      delivery,
      topic,
      alarmNamePrefix: `${projectName}-${environmentName}`,
    })

    new CfnOutput(this, 'DataStreamName', {
      description: 'Kinesis Data Stream Name',
      value: stream.streamName,
      exportName: `${this.stackName}-DataStreamName`,
    })
    new CfnOutput(this, 'DataStreamArn', {
      description: 'Kinesis Data Stream ARN',
      value: stream.streamArn,
      exportName: `${this.stackName}-DataStreamArn`,
    })
    new CfnOutput(this, 'AnalyticsApplicationName', {
      description: 'The function of the tumbling windows',
      value: analytics.function.functionName,
      exportName: `${this.stackName}-AnalyticsApp`,
    })
    publishTopology(this, describeTopology(this, names))
  }
}

function namesOf({ projectName, environmentName }: StackParameters, account: string): PipelineNames {
  const name = (last: string) => `${projectName}-${environmentName}-${last}`
  return {
    stream: name('data-stream'),
    processor: name('stream-processor'),
    transform: name('data-transform'),
    analytics: name('analytics'),
    processedTable: name('processed-data'),
    windowsTable: name('windows'),
    rejectedQueue: name('rejected'),
    // Bucket names are shared by all accounts of the world.
    failureBucket: name(`failures-${account}`),
    deliveryStream: name('delivery-stream'),
    lakeBucket: name(`data-lake-${account}`),
    alarmTopic: name('alarms'),
  }
}

function builtHandler(folder: string, name: string): HandlerCode {
  const directory = join(folder, name)
  if (existsSync(join(directory, 'index.mjs'))) return { directory }
  throw new StreamingError(
    `The handler ${name} is not built. Run: pnpm turbo build --filter=@org/streaming-stack`,
    { code: 'HANDLER_NOT_BUILT', retryable: false },
  )
}

function warnOfThrottling(scope: Construct, shards: number, reserved: number): void {
  const needed = shards * PARALLELIZATION
  if (needed <= reserved) return
  Annotations.of(scope).addWarningV2(
    '@org/streaming-stack:reservedConcurrency',
    `${shards} shards want ${needed} invocations at a time, ${reserved} are reserved: Lambda will throttle the processor when all are busy.`,
  )
}
