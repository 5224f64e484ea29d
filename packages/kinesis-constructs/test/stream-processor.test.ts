import { Duration, RemovalPolicy, type Stack } from 'aws-cdk-lib'
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions'
import { Stream } from 'aws-cdk-lib/aws-kinesis'
import { StartingPosition } from 'aws-cdk-lib/aws-lambda'
import { RetentionDays } from 'aws-cdk-lib/aws-logs'
import { Queue } from 'aws-cdk-lib/aws-sqs'
import { describe, expect, it } from 'vitest'
import {
  DataLake,
  EncryptedStream,
  ProcessedDataTable,
  StreamProcessor,
  type StreamProcessorProps,
} from '../src/index.js'
import { aStack, handlerDirectory, handlerEntry, only, rightsOf, synth } from './support/synth.js'

function addProcessor(stack: Stack, props: Partial<StreamProcessorProps> = {}): StreamProcessor {
  const { stream } = new EncryptedStream(stack, 'Stream')
  return new StreamProcessor(stack, 'Processor', {
    stream,
    handler: { directory: handlerDirectory },
    ...props,
  })
}

const synthProcessor = (props?: Partial<StreamProcessorProps>) => synth((stack) => addProcessor(stack, props))

const MAPPING = 'AWS::Lambda::EventSourceMapping'
const FUNCTION = 'AWS::Lambda::Function'

describe('the function of a StreamProcessor', () => {
  it('runs on Node 24 and ARM, traced, with 512 MB and 60 s', () => {
    const [, properties] = only(synthProcessor(), FUNCTION)

    expect(properties).toMatchObject({
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      Handler: 'index.handler',
      MemorySize: 512,
      Timeout: 60,
      TracingConfig: { Mode: 'Active' },
    })
    expect(properties).not.toHaveProperty('ReservedConcurrentExecutions')
    expect(properties).not.toHaveProperty('FunctionName')
  })

  it('logs into a group of its own that ends', () => {
    const template = synthProcessor({ functionName: 'store', logRetention: RetentionDays.ONE_WEEK })
    const [logsId, logs] = only(template, 'AWS::Logs::LogGroup')

    expect(logs).toEqual({ LogGroupName: '/aws/lambda/store', RetentionInDays: 7 })
    expect(only(template, FUNCTION)[1].LoggingConfig).toEqual({ LogGroup: { Ref: logsId } })
    expect(only(synthProcessor(), 'AWS::Logs::LogGroup')[1]).toEqual({ RetentionInDays: 30 })
  })

  it('is told where to store, where to reject and under which name to count', () => {
    const template = synth((stack) => {
      const table = new ProcessedDataTable(stack, 'Table')
      addProcessor(stack, { table, environment: { MODE: 'strict' }, functionName: 'store' })
    })

    expect(only(template, FUNCTION)[1].Environment.Variables).toEqual({
      PROCESSED_TABLE_NAME: { Ref: only(template, 'AWS::DynamoDB::Table')[0] },
      REJECTED_QUEUE_URL: { Ref: only(template, 'AWS::SQS::Queue', /RejectedQueue/)[0] },
      POWERTOOLS_SERVICE_NAME: 'store',
      POWERTOOLS_METRICS_NAMESPACE: 'KinesisProcessing',
      MODE: 'strict',
    })
  })

  it('takes other sizes, reserved concurrency and another service name', () => {
    const template = synthProcessor({
      functionName: 'store',
      serviceName: 'clicks',
      memorySize: 1_024,
      timeout: Duration.seconds(30),
      reservedConcurrentExecutions: 10,
    })

    expect(only(template, FUNCTION)[1]).toMatchObject({
      FunctionName: 'store',
      MemorySize: 1_024,
      Timeout: 30,
      ReservedConcurrentExecutions: 10,
      Environment: { Variables: { POWERTOOLS_SERVICE_NAME: 'clicks' } },
    })
  })

  it('is bundled from a TypeScript file by esbuild, without Docker', () => {
    const stack = aStack()
    addProcessor(stack, { handler: { entry: handlerEntry } })

    const [, properties] = only(Template.fromStack(stack), FUNCTION)
    expect(properties.Handler).toBe('index.handler')
    expect(properties.Environment.Variables).not.toHaveProperty('AWS_NODEJS_CONNECTION_REUSE_ENABLED')
  })

  it('takes the export of a folder that is named', () => {
    const template = synthProcessor({ handler: { directory: handlerDirectory, handler: 'index.other' } })

    expect(only(template, FUNCTION)[1].Handler).toBe('index.other')
  })
})

describe('the mapping of a StreamProcessor', () => {
  it('has its default values, reports partial failures, and begins with the oldest record', () => {
    const template = synthProcessor()

    expect(only(template, MAPPING)[1]).toEqual({
      EventSourceArn: { 'Fn::GetAtt': [only(template, 'AWS::Kinesis::Stream')[0], 'Arn'] },
      FunctionName: { Ref: only(template, FUNCTION)[0] },
      StartingPosition: 'TRIM_HORIZON',
      BatchSize: 100,
      MaximumBatchingWindowInSeconds: 5,
      ParallelizationFactor: 2,
      MaximumRetryAttempts: 3,
      MaximumRecordAgeInSeconds: 3_600,
      BisectBatchOnFunctionError: true,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      MetricsConfig: { Metrics: ['EventCount'] },
      DestinationConfig: {
        OnFailure: { Destination: { 'Fn::GetAtt': [only(template, 'AWS::S3::Bucket')[0], 'Arn'] } },
      },
    })
  })

  it('takes other values', () => {
    const template = synthProcessor({
      batchSize: 500,
      batchingWindow: Duration.seconds(1),
      parallelizationFactor: 10,
      retryAttempts: 5,
      maxRecordAge: Duration.hours(6),
      bisectBatchOnError: false,
      reportBatchItemFailures: false,
    })

    const [, mapping] = only(template, MAPPING)
    expect(mapping).toMatchObject({
      BatchSize: 500,
      MaximumBatchingWindowInSeconds: 1,
      ParallelizationFactor: 10,
      MaximumRetryAttempts: 5,
      MaximumRecordAgeInSeconds: 21_600,
      BisectBatchOnFunctionError: false,
    })
    expect(mapping).not.toHaveProperty('FunctionResponseTypes')
  })

  it('warns of LATEST, which misses records', () => {
    const stack = aStack()
    addProcessor(stack, { startingPosition: StartingPosition.LATEST })

    expect(only(Template.fromStack(stack), MAPPING)[1].StartingPosition).toBe('LATEST')
    Annotations.fromStack(stack).hasWarning(
      '/Test/Processor',
      Match.stringLikeRegexp('LATEST misses the records'),
    )
  })

  it.each([
    ['batchSize', { batchSize: 10_001 }],
    ['batchingWindow', { batchingWindow: Duration.minutes(6) }],
    ['parallelizationFactor', { parallelizationFactor: 11 }],
    ['retryAttempts', { retryAttempts: 10_001 }],
    ['maxRecordAge', { maxRecordAge: Duration.seconds(59) }],
  ])('refuses a %s beyond what Lambda takes', (option, props) => {
    expect(() => synthProcessor(props)).toThrow(new RegExp(option, 'i'))
  })
})

describe('what a StreamProcessor cannot store', () => {
  it('keeps given-up records in a bucket that is versioned, encrypted with the key of the stream, and never public', () => {
    const template = synthProcessor({ failureBucketName: 'failures' })

    expect(only(template, 'AWS::S3::Bucket')[1]).toMatchObject({
      BucketName: 'failures',
      VersioningConfiguration: { Status: 'Enabled' },
      PublicAccessBlockConfiguration: { BlockPublicAcls: true, RestrictPublicBuckets: true },
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          {
            BucketKeyEnabled: true,
            ServerSideEncryptionByDefault: {
              SSEAlgorithm: 'aws:kms',
              KMSMasterKeyID: { 'Fn::GetAtt': [only(template, 'AWS::KMS::Key')[0], 'Arn'] },
            },
          },
        ],
      },
    })
  })

  it('keeps them in a bucket that is given', () => {
    const template = synth((stack) => {
      const { bucket } = new DataLake(stack, 'Lake')
      addProcessor(stack, { onFailure: { to: 's3', bucket } })
    })

    const [bucketId] = only(template, 'AWS::S3::Bucket')
    expect(bucketId).toMatch(/^Lake/)
    expect(only(template, MAPPING)[1].DestinationConfig.OnFailure.Destination).toEqual({
      'Fn::GetAtt': [bucketId, 'Arn'],
    })
  })

  it('keeps their positions in a queue with a second one behind it, on demand', () => {
    const template = synthProcessor({ onFailure: { to: 'sqs' }, failureQueueName: 'failures' })

    const [queueId, queue] = only(template, 'AWS::SQS::Queue', /FailuresPositionsQueue/)
    const [deadId, dead] = only(template, 'AWS::SQS::Queue', /FailuresPositionsDeadLetter/)
    expect(queue).toMatchObject({
      QueueName: 'failures',
      RedrivePolicy: { deadLetterTargetArn: { 'Fn::GetAtt': [deadId, 'Arn'] } },
    })
    expect(dead).toMatchObject({ QueueName: 'failures-dead-letters' })
    expect(only(template, MAPPING)[1].DestinationConfig.OnFailure.Destination).toEqual({
      'Fn::GetAtt': [queueId, 'Arn'],
    })
    expect(template.findResources('AWS::S3::Bucket')).toEqual({})
  })

  it('sends positions to a queue that is given', () => {
    const template = synth((stack) =>
      addProcessor(stack, { onFailure: { to: 'sqs', queue: new Queue(stack, 'Mine') } }),
    )

    const [queueId] = only(template, 'AWS::SQS::Queue', /^Mine/)
    expect(only(template, MAPPING)[1].DestinationConfig.OnFailure.Destination).toEqual({
      'Fn::GetAtt': [queueId, 'Arn'],
    })
    const send = rightsOf(template, /^ProcessorHandlerRole/)['sqs:SendMessage']!
    expect(send.map((statement) => statement.Resource)).toContainEqual({ 'Fn::GetAtt': [queueId, 'Arn'] })
  })

  it('sends rejected records to an encrypted queue, and after five readings in vain to another, for 14 days each', () => {
    const template = synthProcessor({ rejectedQueueName: 'rejected' })

    const KmsMasterKeyId = { 'Fn::GetAtt': [only(template, 'AWS::KMS::Key')[0], 'Arn'] }
    const [deadId, dead] = only(template, 'AWS::SQS::Queue', /RejectedDeadLetter/)
    expect(dead).toEqual({
      QueueName: 'rejected-dead-letters',
      KmsMasterKeyId,
      MessageRetentionPeriod: 14 * 86_400,
    })
    expect(only(template, 'AWS::SQS::Queue', /RejectedQueue/)[1]).toEqual({
      QueueName: 'rejected',
      KmsMasterKeyId,
      MessageRetentionPeriod: 14 * 86_400,
      RedrivePolicy: { deadLetterTargetArn: { 'Fn::GetAtt': [deadId, 'Arn'] }, maxReceiveCount: 5 },
    })
  })

  it('lets nobody in without TLS', () => {
    const template = synthProcessor()

    for (const type of ['AWS::SQS::QueuePolicy', 'AWS::S3::BucketPolicy']) {
      const policies = Object.values(template.findResources(type))
      expect(policies.length, type).toBeGreaterThan(0)
      for (const { Properties } of policies) {
        expect(Properties.PolicyDocument.Statement).toContainEqual(
          expect.objectContaining({
            Effect: 'Deny',
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          }),
        )
      }
    }
  })

  it('is encrypted even where the stream has no key of its own', () => {
    const template = synth((stack) => {
      const stream = Stream.fromStreamArn(
        stack,
        'Other',
        'arn:aws:kinesis:eu-west-1:123456789012:stream/other',
      )
      new StreamProcessor(stack, 'Processor', { stream, handler: { directory: handlerDirectory } })
    })

    expect(only(template, 'AWS::SQS::Queue', /RejectedQueue/)[1]).toMatchObject({
      SqsManagedSseEnabled: true,
    })
    expect(
      only(template, 'AWS::S3::Bucket')[1].BucketEncryption.ServerSideEncryptionConfiguration[0],
    ).toMatchObject({ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } })
  })

  it('can be destroyed with the stack, if asked for, however full it is', () => {
    const template = synthProcessor({ removalPolicy: RemovalPolicy.DESTROY })

    for (const type of ['AWS::S3::Bucket', 'AWS::SQS::Queue', 'AWS::Logs::LogGroup']) {
      for (const resource of Object.values(template.findResources(type))) {
        expect(resource).toMatchObject({ DeletionPolicy: 'Delete' })
      }
    }
    expect(Object.keys(template.findResources('Custom::S3AutoDeleteObjects'))).toHaveLength(1)
  })
})

describe('the rights of a StreamProcessor', () => {
  it('are these, and no others', () => {
    const template = synth((stack) => addProcessor(stack, { table: new ProcessedDataTable(stack, 'Table') }))

    expect(Object.keys(rightsOf(template, /^ProcessorHandlerRole/)).sort()).toEqual([
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
      'sqs:SendMessage',
      'xray:PutTelemetryRecords',
      'xray:PutTraceSegments',
    ])
  })

  it('hold a wildcard for X-Ray, which has no resources, and for the keys of objects that Lambda names', () => {
    const rights = rightsOf(synthProcessor(), /^ProcessorHandlerRole/)

    const wide = Object.entries(rights)
      .filter(([, statements]) => JSON.stringify(statements.map((one) => one.Resource)).includes('*'))
      .map(([action]) => action)
    expect(wide.sort()).toEqual(['s3:PutObject', 'xray:PutTelemetryRecords', 'xray:PutTraceSegments'])
    expect(JSON.stringify(rights['s3:PutObject']![0]!.Resource)).toContain('/aws/lambda/*')
  })

  it('let the key be used through a service only', () => {
    const rights = rightsOf(synthProcessor(), /^ProcessorHandlerRole/)

    for (const statement of [...rights['kms:Decrypt']!, ...rights['kms:GenerateDataKey']!]) {
      expect(statement.Condition).toMatchObject({ StringEquals: { 'kms:ViaService': expect.anything() } })
    }
  })

  it('come by no managed policy', () => {
    expect(only(synthProcessor(), 'AWS::IAM::Role')[1]).not.toHaveProperty('ManagedPolicyArns')
  })
})
