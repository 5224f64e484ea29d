import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TopologyManifest } from '@org/kinesis-core'
import { App, Stack } from 'aws-cdk-lib'
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions'
import { CfnStream } from 'aws-cdk-lib/aws-kinesis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ENVIRONMENTS, type EnvironmentName } from '../../src/cdk/parameters.js'
import { context, makeHandlers, type Properties, type Synthesized, synthStack } from './support/stacks.js'

const handlers = makeHandlers()
const outdir = mkdtempSync(join(tmpdir(), 'stack-out-'))
const synthesized = {} as Record<EnvironmentName, Synthesized>

const folders = (name: string) => ({ handlersDirectory: handlers.folder, outdir: join(outdir, name) })

beforeAll(() => {
  // Each of these fails on a finding of CDK's validation.
  for (const environmentName of ENVIRONMENTS) {
    synthesized[environmentName] = synthStack(folders(environmentName), { environmentName })
  }
})

afterAll(() => {
  handlers.remove()
  rmSync(outdir, { recursive: true, force: true })
})

const placeholder = (name: string) => `\${${name}}`

/** Text in which CloudFormation joins or refers to something is compared with placeholders in these places. */
function text(value: unknown): string {
  if (typeof value === 'string') return value
  const { Ref, 'Fn::Join': join } = value as { Ref?: string; 'Fn::Join'?: [string, unknown[]] }
  if (join !== undefined) return join[1].map(text).join(join[0])
  return placeholder(Ref ?? '?')
}

function named(template: Template, type: string, property: string, name: string): Properties {
  const found = Object.values(template.findResources(type)).find(
    ({ Properties }) => Properties[property] !== undefined && text(Properties[property]) === name,
  )
  if (found === undefined) throw new Error(`There is no ${type} with ${property} ${name}`)
  return found.Properties
}

describe('the context of cdk.json', () => {
  it('makes findings of validation fail, so that what is synthesized here has none', () => {
    const stack = new Stack(new App({ context, outdir: join(outdir, 'finding') }), 'Finding')
    new CfnStream(stack, 'Stream', { retentionPeriodHours: 9_000, shardCount: 1 })

    expect(() => Template.fromStack(stack)).toThrow(/9000/)
  })
})

describe('every resource of the plain CloudFormation template that this stack replaces', () => {
  const account = placeholder('AWS::AccountId')
  it.each([
    ['DataStream', 'AWS::Kinesis::Stream', 'Name', 'kinesis-streaming-dev-data-stream'],
    ['AnalyticsApplication', 'AWS::Lambda::Function', 'FunctionName', 'kinesis-streaming-dev-analytics'],
    [
      'DeliveryStream',
      'AWS::KinesisFirehose::DeliveryStream',
      'DeliveryStreamName',
      'kinesis-streaming-dev-delivery-stream',
    ],
    [
      'StreamProcessorFunction',
      'AWS::Lambda::Function',
      'FunctionName',
      'kinesis-streaming-dev-stream-processor',
    ],
    [
      'DataTransformFunction',
      'AWS::Lambda::Function',
      'FunctionName',
      'kinesis-streaming-dev-data-transform',
    ],
    ['ProcessedDataTable', 'AWS::DynamoDB::Table', 'TableName', 'kinesis-streaming-dev-processed-data'],
    ['DataLakeBucket', 'AWS::S3::Bucket', 'BucketName', `kinesis-streaming-dev-data-lake-${account}`],
    [
      'StreamMetricsAlarm',
      'AWS::CloudWatch::Alarm',
      'AlarmName',
      'kinesis-streaming-dev-stream-incoming-records',
    ],
    [
      'FailureQueue, which it does not define',
      'AWS::S3::Bucket',
      'BucketName',
      `kinesis-streaming-dev-failures-${account}`,
    ],
    [
      'DeadLetterQueue, which it does not define',
      'AWS::SQS::Queue',
      'QueueName',
      'kinesis-streaming-dev-rejected-dead-letters',
    ],
    [
      'SNSAlarmTopic, which it does not define',
      'AWS::SNS::Topic',
      'TopicName',
      'kinesis-streaming-dev-alarms',
    ],
    [
      'FirehoseLogGroup, which it does not define',
      'AWS::Logs::LogGroup',
      'LogGroupName',
      '/aws/kinesisfirehose/kinesis-streaming-dev-delivery-stream',
    ],
    [
      'its log stream, which it does not define',
      'AWS::Logs::LogStream',
      'LogStreamName',
      'kinesis-streaming-dev-delivery-stream',
    ],
    [
      'the windows, which its SQL has no place for',
      'AWS::DynamoDB::Table',
      'TableName',
      'kinesis-streaming-dev-windows',
    ],
  ])('%s is there, by its name', (_role, type, property, name) => {
    expect(() => named(synthesized.dev.template, type, property, name)).not.toThrow()
  })

  it.each([
    ['KinesisKMSKey', /^DataStreamKey/],
    ['S3KMSKey, which it does not define', /^DataLakeKey/],
    ['a key for the topic, without which no alarm arrives', /^AlarmsKey/],
  ])('%s is a key that is rotated', (_role, id) => {
    const keys = Object.entries(synthesized.dev.template.findResources('AWS::KMS::Key'))

    expect(keys.filter(([key]) => id.test(key)).map(([, key]) => key.Properties.EnableKeyRotation)).toEqual([
      true,
    ])
  })

  it.each([
    ['LambdaExecutionRole', /^StreamProcessorHandlerRole/, 'lambda.amazonaws.com'],
    ['LambdaExecutionRole, again for the transform', /^DeliveryTransformRole/, 'lambda.amazonaws.com'],
    ['AnalyticsRole, which it does not define', /^AnalyticsHandlerRole/, 'lambda.amazonaws.com'],
    ['FirehoseRole, which it does not define', /^DeliveryRole/, 'firehose.amazonaws.com'],
  ])('%s is a role of its own', (_role, pattern, service) => {
    const roles = Object.entries(synthesized.dev.template.findResources('AWS::IAM::Role'))
    const trusted = roles
      .filter(([id]) => pattern.test(id))
      .map(([, role]) => role.Properties.AssumeRolePolicyDocument.Statement[0].Principal)

    expect(trusted).toEqual([{ Service: service }])
  })

  it('StreamEventSourceMapping has its values, but misses nothing and loses nothing', () => {
    synthesized.dev.template.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      BatchSize: 100,
      MaximumBatchingWindowInSeconds: 5,
      ParallelizationFactor: 2,
      MaximumRetryAttempts: 3,
      MaximumRecordAgeInSeconds: 3_600,
      BisectBatchOnFunctionError: true,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      StartingPosition: 'TRIM_HORIZON',
    })
  })

  it('gives both mappings one bucket for what fails, under their own prefixes', () => {
    const mappings = Object.values(synthesized.dev.template.findResources('AWS::Lambda::EventSourceMapping'))

    const destinations = mappings.map((mapping) => mapping.Properties.DestinationConfig.OnFailure.Destination)
    expect(destinations).toHaveLength(2)
    expect(destinations[0]).toEqual(destinations[1])
  })
})

describe('the parameters', () => {
  it('default to two shards and 24 hours', () => {
    synthesized.dev.template.hasResourceProperties('AWS::Kinesis::Stream', {
      ShardCount: 2,
      RetentionPeriodHours: 24,
    })
  })

  it('reach the stream, the names and the tags', () => {
    const { template, stack } = synthStack(folders('other'), {
      projectName: 'clicks',
      environmentName: 'staging',
      initialShardCount: 5,
      retentionPeriodHours: 168,
    })

    expect(stack.stackName).toBe('clicks-staging')
    const stream = named(template, 'AWS::Kinesis::Stream', 'Name', 'clicks-staging-data-stream')
    expect(stream).toMatchObject({ ShardCount: 5, RetentionPeriodHours: 168 })
    expect(stream.Tags).toEqual([
      { Key: 'Environment', Value: 'staging' },
      { Key: 'Project', Value: 'clicks' },
      { Key: 'Purpose', Value: 'Real-time data streaming' },
    ])
  })

  it('warn when the shards want more invocations than are reserved', () => {
    const warning = Match.stringLikeRegexp('6 shards want 12 invocations at a time, 10 are reserved')

    Annotations.fromStack(synthStack(folders('six'), { initialShardCount: 6 }).stack).hasWarning('*', warning)
    expect(Annotations.fromStack(synthesized.dev.stack).findWarning('*', Match.anyValue())).toEqual([])
  })
})

describe('dev, staging and prod', () => {
  it.each([
    ['dev', 10],
    ['staging', 10],
    ['prod', 100],
  ] as const)('%s reserves %d invocations for the processor', (environmentName, reserved) => {
    const processor = named(
      synthesized[environmentName].template,
      'AWS::Lambda::Function',
      'FunctionName',
      `kinesis-streaming-${environmentName}-stream-processor`,
    )

    expect(processor.ReservedConcurrentExecutions).toBe(reserved)
  })

  const KEEPS_DATA = [
    'Kinesis::Stream',
    'KMS::Key',
    'DynamoDB::Table',
    'S3::Bucket',
    'SQS::Queue',
    'Logs::LogGroup',
  ]
  it.each([
    ['dev', 'Delete'],
    ['staging', 'Delete'],
    ['prod', 'Retain'],
  ] as const)('%s: whatever keeps data has the policy %s', (environmentName, policy) => {
    for (const type of KEEPS_DATA) {
      const resources = Object.entries(synthesized[environmentName].template.findResources(`AWS::${type}`))
      expect(resources.length, type).toBeGreaterThan(0)
      for (const [id, resource] of resources) expect(resource.DeletionPolicy, id).toBe(policy)
    }
  })

  it('prod cannot be deleted by accident, and empties no bucket', () => {
    const { stack, template } = synthesized.prod

    expect(stack.terminationProtection).toBe(true)
    expect(synthesized.dev.stack.terminationProtection).toBe(false)
    expect(template.findResources('Custom::S3AutoDeleteObjects')).toEqual({})
  })
})

describe('alarms', () => {
  it('have dimensions and an action, each of them', () => {
    const alarms = Object.values(synthesized.prod.template.findResources('AWS::CloudWatch::Alarm'))
    expect(alarms).toHaveLength(18)
    for (const { Properties } of alarms) {
      const metrics: Properties[] = Properties.Metrics?.flatMap((one: Properties) =>
        one.MetricStat ? [one.MetricStat.Metric] : [],
      ) ?? [Properties]
      for (const metric of metrics) expect(metric.Dimensions, Properties.AlarmName).not.toHaveLength(0)
      expect(Properties.AlarmActions).toHaveLength(1)
    }
  })

  it('may use the key of the topic that they publish to', () => {
    const { template } = synthesized.prod
    const actions = Object.values(template.findResources('AWS::CloudWatch::Alarm')).flatMap(
      (alarm) => alarm.Properties.AlarmActions as { Ref: string }[],
    )
    const [topicId, ...others] = new Set(actions.map((action) => action.Ref))
    expect(others).toEqual([])

    const keyId =
      template.findResources('AWS::SNS::Topic')[topicId!]!.Properties.KmsMasterKeyId['Fn::GetAtt'][0]
    const { Statement } = template.findResources('AWS::KMS::Key')[keyId]!.Properties.KeyPolicy
    expect(Statement).toContainEqual(
      expect.objectContaining({
        Effect: 'Allow',
        Principal: { Service: 'cloudwatch.amazonaws.com' },
        Action: ['kms:Decrypt', 'kms:GenerateDataKey*'],
      }),
    )
  })
})

describe('rights', () => {
  it('come by no managed policy and no action with a wildcard, but for what CDK brings to empty buckets', () => {
    const { template } = synthesized.prod
    const statements = [
      ...Object.values(template.findResources('AWS::IAM::Policy')).map(
        (one) => one.Properties.PolicyDocument,
      ),
      ...Object.values(template.findResources('AWS::IAM::Role')).flatMap((role) =>
        (role.Properties.Policies ?? []).map((one: Properties) => one.PolicyDocument),
      ),
    ].flatMap((document) => document.Statement)

    expect(statements.length).toBeGreaterThan(20)
    for (const role of Object.values(template.findResources('AWS::IAM::Role'))) {
      expect(role.Properties).not.toHaveProperty('ManagedPolicyArns')
    }
    for (const { Action } of statements) expect(JSON.stringify(Action)).not.toContain('*')
    const onEverything = statements.filter(({ Resource }) => Resource === '*').map(({ Action }) => Action)
    expect(new Set(onEverything.flat())).toEqual(
      new Set(['xray:PutTelemetryRecords', 'xray:PutTraceSegments']),
    )
  })
})

describe('outputs', () => {
  it.each([
    ['DataStreamName', 'kinesis-streaming-dev-DataStreamName'],
    ['DataStreamArn', 'kinesis-streaming-dev-DataStreamArn'],
    ['AnalyticsApplicationName', 'kinesis-streaming-dev-AnalyticsApp'],
  ])('%s is exported as %s', (name, exportName) => {
    synthesized.dev.template.hasOutput(name, { Export: { Name: exportName } })
  })

  it('give the name and ARN of the stream, and the function of the windows', () => {
    const { template } = synthesized.dev
    const [streamId] = Object.keys(template.findResources('AWS::Kinesis::Stream'))
    const [windowsId] = Object.keys(template.findResources('AWS::Lambda::Function')).filter((id) =>
      /^Analytics/.test(id),
    )

    template.hasOutput('DataStreamName', { Value: { Ref: streamId } })
    template.hasOutput('DataStreamArn', { Value: { 'Fn::GetAtt': [streamId, 'Arn'] } })
    template.hasOutput('AnalyticsApplicationName', { Value: { Ref: windowsId } })
  })
})

describe('the topology manifest', () => {
  const read = ({ outdir, stack }: Synthesized): TopologyManifest =>
    JSON.parse(readFileSync(join(outdir, `${stack.stackName}.topology.json`), 'utf8'))
  const NAME_OF: Record<string, [type: string, property: string]> = {
    stream: ['AWS::Kinesis::Stream', 'Name'],
    function: ['AWS::Lambda::Function', 'FunctionName'],
    table: ['AWS::DynamoDB::Table', 'TableName'],
    queue: ['AWS::SQS::Queue', 'QueueName'],
    bucket: ['AWS::S3::Bucket', 'BucketName'],
    'delivery-stream': ['AWS::KinesisFirehose::DeliveryStream', 'DeliveryStreamName'],
    topic: ['AWS::SNS::Topic', 'TopicName'],
  }

  it('names resources that the template has, all of them, each once', () => {
    const { nodes } = read(synthesized.dev)
    const { template } = synthesized.dev

    for (const { kind, name } of nodes) {
      const [type, property] = NAME_OF[kind]!
      expect(() => named(template, type, property, name)).not.toThrow()
    }
    const inTemplate = Object.values(NAME_OF).flatMap(([type, property]) =>
      Object.values(template.findResources(type))
        .map((resource) => resource.Properties[property])
        // CDK's function that empties buckets has no name, and is no part of the pipeline.
        .filter((name) => name !== undefined)
        .map(text),
    )
    expect(inTemplate.sort()).toEqual(nodes.map((node) => node.name).sort())
    expect(new Set(nodes.map((node) => node.id)).size).toBe(nodes.length)
  })

  it('joins them by edges, as a local run does', () => {
    const { edges, nodes } = read(synthesized.dev)
    const ids = new Set(nodes.map((node) => node.id))

    for (const edge of edges) expect(ids.has(edge.from) && ids.has(edge.to)).toBe(true)
    expect(edges.filter((edge) => edge.kind === 'reads')).toEqual([
      { from: 'stream', to: 'stream-processor', kind: 'reads' },
      { from: 'stream', to: 'windows', kind: 'reads' },
      { from: 'stream', to: 'delivery', kind: 'reads' },
    ])
  })

  it('is complete where account and region are known', () => {
    const env = { account: '123456789012', region: 'ap-northeast-1' }
    const manifest = read(synthStack(folders('known'), {}, { env }))

    expect(manifest).toMatchObject({ version: 1, kind: 'aws', region: 'ap-northeast-1' })
    expect(JSON.stringify(manifest)).not.toContain('${')
    expect(manifest.nodes.map((node) => node.arn)).toEqual([
      'arn:aws:kinesis:ap-northeast-1:123456789012:stream/kinesis-streaming-dev-data-stream',
      'arn:aws:lambda:ap-northeast-1:123456789012:function:kinesis-streaming-dev-stream-processor',
      'arn:aws:lambda:ap-northeast-1:123456789012:function:kinesis-streaming-dev-data-transform',
      'arn:aws:lambda:ap-northeast-1:123456789012:function:kinesis-streaming-dev-analytics',
      'arn:aws:dynamodb:ap-northeast-1:123456789012:table/kinesis-streaming-dev-processed-data',
      'arn:aws:dynamodb:ap-northeast-1:123456789012:table/kinesis-streaming-dev-windows',
      'arn:aws:sqs:ap-northeast-1:123456789012:kinesis-streaming-dev-rejected',
      'arn:aws:sqs:ap-northeast-1:123456789012:kinesis-streaming-dev-rejected-dead-letters',
      'arn:aws:s3:::kinesis-streaming-dev-failures-123456789012',
      'arn:aws:firehose:ap-northeast-1:123456789012:deliverystream/kinesis-streaming-dev-delivery-stream',
      'arn:aws:s3:::kinesis-streaming-dev-data-lake-123456789012',
      'arn:aws:sns:ap-northeast-1:123456789012:kinesis-streaming-dev-alarms',
    ])
  })

  it('is an output too, with the same content, which CloudFormation completes', () => {
    const { Topology } = synthesized.dev.template.findOutputs('Topology')

    expect(JSON.parse(text(Topology!.Value))).toEqual(read(synthesized.dev))
  })

  it('stays small enough for an output, with the longest names', () => {
    const parameters = { projectName: 'p'.repeat(32), environmentName: 'staging' } as const
    const env = { account: '123456789012', region: 'ap-southeast-1' }
    const { template } = synthStack(folders('long'), parameters, { env })

    expect(text(template.findOutputs('Topology').Topology!.Value).length).toBeLessThan(4_096)
  })
})

describe('a handler that is not built', () => {
  it('is said, with what to run', () => {
    const missing = { handlersDirectory: join(outdir, 'nowhere'), outdir: join(outdir, 'missing') }

    expect(() => synthStack(missing)).toThrow(
      'The handler stream-processor is not built. Run: pnpm turbo build --filter=@org/streaming-stack',
    )
  })
})
