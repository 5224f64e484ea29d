import { Duration, RemovalPolicy, Size, type Stack } from 'aws-cdk-lib'
import { Annotations, Match } from 'aws-cdk-lib/assertions'
import { AccountRootPrincipal, Role } from 'aws-cdk-lib/aws-iam'
import { Compression, DeliveryStream, S3Bucket } from 'aws-cdk-lib/aws-kinesisfirehose'
import { Key } from 'aws-cdk-lib/aws-kms'
import { StartingPosition } from 'aws-cdk-lib/aws-lambda'
import { RetentionDays } from 'aws-cdk-lib/aws-logs'
import type { IBucket } from 'aws-cdk-lib/aws-s3'
import { describe, expect, it } from 'vitest'
import {
  DataLake,
  DataLakeDelivery,
  type DataLakeDeliveryProps,
  EncryptedStream,
  StreamAnalytics,
  type StreamAnalyticsProps,
} from '../src/index.js'
import { aStack, handlerDirectory, only, rightsOf, synth } from './support/synth.js'

const handler = { directory: handlerDirectory }
const DELIVERY = 'AWS::KinesisFirehose::DeliveryStream'

function synthDelivery(props: Partial<DataLakeDeliveryProps> = {}) {
  return synth((stack) => {
    const { stream } = new EncryptedStream(stack, 'Stream')
    const { bucket } = new DataLake(stack, 'Lake')
    new DataLakeDelivery(stack, 'Delivery', { stream, bucket, ...props })
  })
}

describe('DataLakeDelivery', () => {
  it('takes the stream to the bucket by hour, at 5 MB or 300 s, in GZIP, through the transform, and logs', () => {
    const template = synthDelivery({
      deliveryStreamName: 'delivery',
      transform: handler,
      transformOptions: { functionName: 'shape' },
    })

    const RoleARN = { 'Fn::GetAtt': [only(template, 'AWS::IAM::Role', /^DeliveryRole/)[0], 'Arn'] }
    const [functionId] = only(template, 'AWS::Lambda::Function')
    const [logGroupId, logGroup] = only(template, 'AWS::Logs::LogGroup', /^DeliveryLogs/)
    const [logStreamId, logStream] = only(template, 'AWS::Logs::LogStream')
    expect(only(template, DELIVERY)[1]).toEqual({
      DeliveryStreamName: 'delivery',
      DeliveryStreamType: 'KinesisStreamAsSource',
      KinesisStreamSourceConfiguration: {
        KinesisStreamARN: { 'Fn::GetAtt': [only(template, 'AWS::Kinesis::Stream')[0], 'Arn'] },
        RoleARN,
      },
      ExtendedS3DestinationConfiguration: {
        BucketARN: { 'Fn::GetAtt': [only(template, 'AWS::S3::Bucket')[0], 'Arn'] },
        RoleARN,
        Prefix: 'year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/hour=!{timestamp:HH}/',
        ErrorOutputPrefix: 'errors/!{firehose:error-output-type}/',
        BufferingHints: { SizeInMBs: 5, IntervalInSeconds: 300 },
        CompressionFormat: 'GZIP',
        CloudWatchLoggingOptions: {
          Enabled: true,
          LogGroupName: { Ref: logGroupId },
          LogStreamName: { Ref: logStreamId },
        },
        ProcessingConfiguration: {
          Enabled: true,
          Processors: [
            {
              Type: 'Lambda',
              Parameters: [
                { ParameterName: 'RoleArn', ParameterValue: RoleARN },
                { ParameterName: 'LambdaArn', ParameterValue: { 'Fn::GetAtt': [functionId, 'Arn'] } },
                { ParameterName: 'BufferIntervalInSeconds', ParameterValue: '60' },
                { ParameterName: 'BufferSizeInMBs', ParameterValue: '1' },
                { ParameterName: 'NumberOfRetries', ParameterValue: '3' },
              ],
            },
          ],
        },
      },
    })
    expect(logGroup).toEqual({ LogGroupName: '/aws/kinesisfirehose/delivery', RetentionInDays: 30 })
    expect(logStream).toMatchObject({ LogStreamName: 'delivery' })
  })

  it('runs the transform with 128 MB and 60 s', () => {
    const template = synthDelivery({ transform: handler, transformOptions: { functionName: 'shape' } })

    expect(only(template, 'AWS::Lambda::Function')[1]).toMatchObject({
      FunctionName: 'shape',
      Runtime: 'nodejs24.x',
      MemorySize: 128,
      Timeout: 60,
      Environment: { Variables: { POWERTOOLS_SERVICE_NAME: 'shape' } },
    })
    expect(Object.keys(rightsOf(template, /^DeliveryTransformRole/)).sort()).toEqual([
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      'xray:PutTelemetryRecords',
      'xray:PutTraceSegments',
    ])
  })

  it('takes other prefixes, buffers and compressions, and needs no transform', () => {
    const template = synthDelivery({
      prefix: 'clicks/!{timestamp:yyyy}/',
      errorPrefix: 'failed/!{firehose:error-output-type}/',
      bufferingSize: Size.mebibytes(64),
      bufferingInterval: Duration.seconds(60),
      compression: Compression.UNCOMPRESSED,
      logRetention: RetentionDays.ONE_DAY,
      removalPolicy: RemovalPolicy.DESTROY,
    })

    expect(only(template, DELIVERY)[1].ExtendedS3DestinationConfiguration).toMatchObject({
      Prefix: 'clicks/!{timestamp:yyyy}/',
      ErrorOutputPrefix: 'failed/!{firehose:error-output-type}/',
      BufferingHints: { SizeInMBs: 64, IntervalInSeconds: 60 },
      CompressionFormat: 'UNCOMPRESSED',
    })
    expect(template.findResources('AWS::Lambda::Function')).toEqual({})
    expect(Object.values(template.findResources('AWS::Logs::LogGroup'))[0]).toMatchObject({
      DeletionPolicy: 'Delete',
      Properties: { RetentionInDays: 1 },
    })
  })

  it('leaves no table of addresses behind, but lets that of another delivery stream be', () => {
    const alone = synthDelivery()
    const beside = synth((stack) => {
      const { stream } = new EncryptedStream(stack, 'Stream')
      const { bucket } = new DataLake(stack, 'Lake')
      new DeliveryStream(stack, 'Other', { destination: new S3Bucket(bucket as IBucket) })
      new DataLakeDelivery(stack, 'Delivery', { stream, bucket })
    })

    expect(alone.toJSON()).not.toHaveProperty('Mappings')
    expect(beside.toJSON()).toHaveProperty('Mappings')
  })

  it('refuses an error prefix that cannot tell what failed', () => {
    expect(() => synthDelivery({ errorPrefix: 'errors/!{timestamp:yyyy}/' })).toThrow(/error-output-type/)
  })

  it('has these rights, on this stream, this bucket, this group and this function, and no others', () => {
    const template = synthDelivery({ transform: handler })

    const rights = rightsOf(template, /^DeliveryRole/)
    expect(Object.keys(rights).sort()).toEqual([
      'kinesis:DescribeStream',
      'kinesis:GetRecords',
      'kinesis:GetShardIterator',
      'kinesis:ListShards',
      'kms:Decrypt',
      'kms:GenerateDataKey',
      'lambda:GetFunctionConfiguration',
      'lambda:InvokeFunction',
      'logs:PutLogEvents',
      's3:AbortMultipartUpload',
      's3:GetBucketLocation',
      's3:GetObject',
      's3:ListBucket',
      's3:ListBucketMultipartUploads',
      's3:PutObject',
    ])
    const functionArn = { 'Fn::GetAtt': [only(template, 'AWS::Lambda::Function')[0], 'Arn'] }
    expect(rights['lambda:InvokeFunction']![0]!.Resource).toEqual([
      functionArn,
      { 'Fn::Join': ['', [functionArn, ':$LATEST']] },
    ])
    expect(rights['kms:Decrypt']!.map((one) => JSON.stringify(one.Condition))).toEqual([
      expect.stringContaining('"kinesis."'),
      expect.stringContaining('"s3."'),
    ])
    expect(rights['logs:PutLogEvents']![0]!.Resource).toEqual({
      'Fn::GetAtt': [only(template, 'AWS::Logs::LogGroup', /^DeliveryLogs/)[0], 'Arn'],
    })
  })
})

describe('StreamAnalytics', () => {
  const addAnalytics = (stack: Stack, props: Partial<StreamAnalyticsProps> = {}) =>
    new StreamAnalytics(stack, 'Analytics', {
      stream: new EncryptedStream(stack, 'Stream').stream,
      handler,
      ...props,
    })
  const synthAnalytics = (props?: Partial<StreamAnalyticsProps>) =>
    synth((stack) => addAnalytics(stack, props))

  it('has windows of a minute, one invocation at a time for a shard, and no partial responses', () => {
    const template = synthAnalytics()

    expect(only(template, 'AWS::Lambda::EventSourceMapping')[1]).toEqual({
      EventSourceArn: { 'Fn::GetAtt': [only(template, 'AWS::Kinesis::Stream')[0], 'Arn'] },
      FunctionName: { Ref: only(template, 'AWS::Lambda::Function')[0] },
      StartingPosition: 'TRIM_HORIZON',
      TumblingWindowInSeconds: 60,
      ParallelizationFactor: 1,
      BatchSize: 1_000,
      MaximumBatchingWindowInSeconds: 5,
      MaximumRetryAttempts: 3,
      MaximumRecordAgeInSeconds: 3_600,
      MetricsConfig: { Metrics: ['EventCount'] },
      DestinationConfig: {
        OnFailure: { Destination: { 'Fn::GetAtt': [only(template, 'AWS::S3::Bucket')[0], 'Arn'] } },
      },
    })
  })

  it('keeps partial windows in a table of its own, which can be recovered', () => {
    const template = synthAnalytics({ tableName: 'windows' })

    expect(only(template, 'AWS::DynamoDB::Table')[1]).toEqual({
      TableName: 'windows',
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [
        { AttributeName: 'window_key', KeyType: 'HASH' },
        { AttributeName: 'partial_id', KeyType: 'RANGE' },
      ],
      AttributeDefinitions: ['window_key', 'partial_id'].map((AttributeName) => ({
        AttributeName,
        AttributeType: 'S',
      })),
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      SSESpecification: { SSEEnabled: true },
      DeletionProtectionEnabled: true,
    })
    expect(only(template, 'AWS::Lambda::Function')[1].Environment.Variables).toEqual({
      WINDOWS_TABLE_NAME: { Ref: only(template, 'AWS::DynamoDB::Table')[0] },
      POWERTOOLS_SERVICE_NAME: 'analytics',
      POWERTOOLS_METRICS_NAMESPACE: 'KinesisProcessing',
    })
  })

  it('takes other values', () => {
    const template = synth((stack) =>
      addAnalytics(stack, {
        functionName: 'analytics',
        serviceName: 'counts',
        window: Duration.minutes(15),
        batchSize: 10,
        batchingWindow: Duration.seconds(0),
        retryAttempts: 0,
        maxRecordAge: Duration.minutes(5),
        startingPosition: StartingPosition.LATEST,
        onFailure: { to: 'sqs' },
        failureQueueName: 'lost-windows',
        tableEncryptionKey: new Key(stack, 'TableKey'),
        encryptionKey: new Key(stack, 'FailureKey'),
        environment: { MODE: 'strict' },
      }),
    )

    expect(only(template, 'AWS::Lambda::EventSourceMapping')[1]).toMatchObject({
      TumblingWindowInSeconds: 900,
      BatchSize: 10,
      MaximumBatchingWindowInSeconds: 0,
      MaximumRetryAttempts: 0,
      MaximumRecordAgeInSeconds: 300,
      StartingPosition: 'LATEST',
    })
    expect(only(template, 'AWS::SQS::Queue', /PositionsQueue/)[1]).toMatchObject({
      QueueName: 'lost-windows',
      KmsMasterKeyId: { 'Fn::GetAtt': [expect.stringMatching(/^FailureKey/), 'Arn'] },
    })
    expect(only(template, 'AWS::DynamoDB::Table')[1].SSESpecification).toMatchObject({ SSEType: 'KMS' })
    expect(only(template, 'AWS::Lambda::Function')[1].Environment.Variables).toMatchObject({
      POWERTOOLS_SERVICE_NAME: 'counts',
      MODE: 'strict',
    })
  })

  it('warns of LATEST, which misses records', () => {
    const stack = aStack()
    addAnalytics(stack, { startingPosition: StartingPosition.LATEST })

    const warning = Match.stringLikeRegexp('LATEST misses the records')
    Annotations.fromStack(stack).hasWarning('/Test/Analytics', warning)
  })

  it('names its bucket when asked to', () => {
    const template = synthAnalytics({ failureBucketName: 'failures' })

    expect(only(template, 'AWS::S3::Bucket')[1].BucketName).toBe('failures')
  })

  it.each([Duration.seconds(0), Duration.seconds(901), Duration.millis(1_500)])(
    'refuses a window that Lambda does not have',
    (window) => {
      expect(() => addAnalytics(aStack(), { window })).toThrow(
        expect.objectContaining({ code: 'INVALID_OPTION', option: 'window' }),
      )
    },
  )

  it('has these rights, and no others, and lets readers query the windows', () => {
    const template = synth((stack) => {
      const reader = new Role(stack, 'Reader', { assumedBy: new AccountRootPrincipal() })
      addAnalytics(stack).grantRead(reader)
    })

    expect(Object.keys(rightsOf(template, /^AnalyticsHandlerRole/)).sort()).toEqual([
      'dynamodb:BatchWriteItem',
      'dynamodb:PutItem',
      'kinesis:DescribeStream',
      'kinesis:DescribeStreamSummary',
      'kinesis:GetRecords',
      'kinesis:GetShardIterator',
      'kinesis:ListShards',
      'kms:Decrypt',
      'kms:GenerateDataKey',
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      's3:ListBucket',
      's3:PutObject',
      'xray:PutTelemetryRecords',
      'xray:PutTraceSegments',
    ])
    expect(Object.keys(rightsOf(template, /^Reader/)).sort()).toEqual([
      'dynamodb:BatchGetItem',
      'dynamodb:GetItem',
      'dynamodb:Query',
    ])
  })
})
