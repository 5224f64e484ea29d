import { Duration, RemovalPolicy } from 'aws-cdk-lib'
import { AccountRootPrincipal, Role } from 'aws-cdk-lib/aws-iam'
import { CfnStream, ShardLevelMetrics, Stream } from 'aws-cdk-lib/aws-kinesis'
import { Key } from 'aws-cdk-lib/aws-kms'
import { describe, expect, it } from 'vitest'
import { EncryptedStream, grantStreamRead } from '../src/index.js'
import { aStack, only, rightsOf, synth } from './support/synth.js'

const STREAM = 'AWS::Kinesis::Stream'

describe('validation of what is synthesized', () => {
  it('fails on a finding, so that every other test here shows that there is none', () => {
    expect(() =>
      synth((stack) => new CfnStream(stack, 'Stream', { retentionPeriodHours: 9_000, shardCount: 1 })),
    ).toThrow(/9000/)
  })
})

describe('EncryptedStream', () => {
  it('has two shards, keeps records for 24 hours and encrypts them with a key that is rotated', () => {
    const template = synth((stack) => new EncryptedStream(stack, 'Stream'))

    const [keyId, key] = only(template, 'AWS::KMS::Key')
    expect(key).toMatchObject({ EnableKeyRotation: true })
    expect(key.KeyPolicy.Statement).toHaveLength(1)
    expect(only(template, STREAM)[1]).toEqual({
      ShardCount: 2,
      RetentionPeriodHours: 24,
      StreamModeDetails: { StreamMode: 'PROVISIONED' },
      StreamEncryption: { EncryptionType: 'KMS', KeyId: { 'Fn::GetAtt': [keyId, 'Arn'] } },
    })
  })

  it('takes a name, shards, retention, shard metrics, a key and tags', () => {
    const template = synth((stack) => {
      const encryptionKey = new Key(stack, 'Mine')
      new EncryptedStream(stack, 'Stream', {
        streamName: 'clicks',
        shardCount: 8,
        retention: Duration.days(365),
        shardLevelMetrics: [ShardLevelMetrics.INCOMING_BYTES],
        encryptionKey,
        tags: { Purpose: 'clicks' },
      })
    })

    expect(only(template, 'AWS::KMS::Key')[0]).toMatch(/^Mine/)
    expect(only(template, STREAM)[1]).toMatchObject({
      Name: 'clicks',
      ShardCount: 8,
      RetentionPeriodHours: 8_760,
      DesiredShardLevelMetrics: ['IncomingBytes'],
      Tags: [{ Key: 'Purpose', Value: 'clicks' }],
    })
  })

  it('stays with its key when it leaves the stack, unless told otherwise', () => {
    const policies = (removalPolicy?: RemovalPolicy) => {
      const template = synth(
        (stack) => new EncryptedStream(stack, 'S', removalPolicy ? { removalPolicy } : {}),
      )
      return Object.values(template.toJSON().Resources as Record<string, { DeletionPolicy: string }>).map(
        (resource) => resource.DeletionPolicy,
      )
    }

    expect(policies()).toEqual(['Retain', 'Retain'])
    expect(policies(RemovalPolicy.DESTROY)).toEqual(['Delete', 'Delete'])
  })

  it.each([
    ['shardCount', { shardCount: 0 }],
    ['shardCount', { shardCount: 1.5 }],
    ['retention', { retention: Duration.hours(23) }],
    ['retention', { retention: Duration.hours(8_761) }],
    ['retention', { retention: Duration.minutes(24 * 60 + 30) }],
  ])('refuses a %s that cannot be', (option, props) => {
    expect(() => new EncryptedStream(aStack(), 'Stream', props)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', option }),
    )
  })

  it('lets a reader poll, and decrypt these records through Kinesis only', () => {
    const template = synth((stack) => {
      const reader = new Role(stack, 'Reader', { assumedBy: new AccountRootPrincipal() })
      new EncryptedStream(stack, 'Stream').grantRead(reader)
    })

    const [streamId] = only(template, STREAM)
    const streamArn = { 'Fn::GetAtt': [streamId, 'Arn'] }
    const rights = rightsOf(template, /^Reader/)
    expect(Object.keys(rights).sort()).toEqual([
      'kinesis:DescribeStream',
      'kinesis:DescribeStreamSummary',
      'kinesis:GetRecords',
      'kinesis:GetShardIterator',
      'kinesis:ListShards',
      'kms:Decrypt',
    ])
    expect(rights['kinesis:GetRecords']![0]!.Resource).toEqual(streamArn)
    expect(rights['kms:Decrypt']![0]).toMatchObject({
      Resource: { 'Fn::GetAtt': [only(template, 'AWS::KMS::Key')[0], 'Arn'] },
      Condition: {
        StringEquals: {
          'kms:ViaService': { 'Fn::Join': ['', ['kinesis.', { Ref: 'AWS::Region' }, '.amazonaws.com']] },
          'kms:EncryptionContext:aws:kinesis:arn': streamArn,
        },
      },
    })
  })

  it('lets a writer put and see the shards, but neither read nor decrypt', () => {
    const template = synth((stack) => {
      const writer = new Role(stack, 'Writer', { assumedBy: new AccountRootPrincipal() })
      new EncryptedStream(stack, 'Stream').grantWrite(writer)
    })

    expect(Object.keys(rightsOf(template, /^Writer/)).sort()).toEqual([
      'kinesis:DescribeStreamSummary',
      'kinesis:ListShards',
      'kinesis:PutRecord',
      'kinesis:PutRecords',
      'kms:GenerateDataKey',
    ])
  })

  it('grants no key for a stream that has none of its own', () => {
    const template = synth((stack) => {
      const reader = new Role(stack, 'Reader', { assumedBy: new AccountRootPrincipal() })
      grantStreamRead(
        Stream.fromStreamArn(stack, 'Other', 'arn:aws:kinesis:eu-west-1:123456789012:stream/other'),
        reader,
      )
    })

    expect(Object.keys(rightsOf(template, /^Reader/))).not.toContain('kms:Decrypt')
  })
})
