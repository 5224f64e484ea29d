import { RemovalPolicy } from 'aws-cdk-lib'
import { AccountRootPrincipal, Role } from 'aws-cdk-lib/aws-iam'
import { Key } from 'aws-cdk-lib/aws-kms'
import { describe, expect, it } from 'vitest'
import { DataLake, ProcessedDataTable } from '../src/index.js'
import { only, rightsOf, synth } from './support/synth.js'

const TABLE = 'AWS::DynamoDB::Table'
const BUCKET = 'AWS::S3::Bucket'

describe('ProcessedDataTable', () => {
  it('has its keys, an index, expiry, recovery and a stream, and is encrypted', () => {
    const template = synth((stack) => new ProcessedDataTable(stack, 'Table', { tableName: 'processed' }))

    expect(only(template, TABLE)[1]).toEqual({
      TableName: 'processed',
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [
        { AttributeName: 'user_id', KeyType: 'HASH' },
        { AttributeName: 'timestamp', KeyType: 'RANGE' },
      ],
      AttributeDefinitions: ['user_id', 'timestamp', 'event_type'].map((AttributeName) => ({
        AttributeName,
        AttributeType: 'S',
      })),
      GlobalSecondaryIndexes: [
        {
          IndexName: 'event-type-index',
          KeySchema: [
            { AttributeName: 'event_type', KeyType: 'HASH' },
            { AttributeName: 'timestamp', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'ALL' },
        },
      ],
      TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' },
      SSESpecification: { SSEEnabled: true },
      DeletionProtectionEnabled: true,
    })
  })

  it('can be deleted where it is not to be retained', () => {
    const template = synth(
      (stack) => new ProcessedDataTable(stack, 'Table', { removalPolicy: RemovalPolicy.DESTROY }),
    )

    const [id] = only(template, TABLE)
    expect(template.findResources(TABLE)[id]).toMatchObject({
      DeletionPolicy: 'Delete',
      Properties: { DeletionProtectionEnabled: false },
    })
  })

  it('takes a customer key, in a stack of no region too, and grants its use through DynamoDB only', () => {
    const template = synth((stack) => {
      const writer = new Role(stack, 'Writer', { assumedBy: new AccountRootPrincipal() })
      new ProcessedDataTable(stack, 'Table', { encryptionKey: new Key(stack, 'Key') }).grantWrite(writer)
    })

    const keyArn = { 'Fn::GetAtt': [only(template, 'AWS::KMS::Key')[0], 'Arn'] }
    expect(only(template, TABLE)[1].SSESpecification).toEqual({
      SSEEnabled: true,
      SSEType: 'KMS',
      KMSMasterKeyId: keyArn,
    })
    expect(rightsOf(template, /^Writer/)['kms:Decrypt']![0]).toMatchObject({
      Resource: keyArn,
      Condition: {
        StringEquals: {
          'kms:ViaService': { 'Fn::Join': ['', ['dynamodb.', { Ref: 'AWS::Region' }, '.amazonaws.com']] },
        },
      },
    })
  })

  it('lets a writer put, and a reader get and query, the index too', () => {
    const template = synth((stack) => {
      const table = new ProcessedDataTable(stack, 'Table')
      table.grantWrite(new Role(stack, 'Writer', { assumedBy: new AccountRootPrincipal() }))
      table.grantRead(new Role(stack, 'Reader', { assumedBy: new AccountRootPrincipal() }))
    })

    expect(Object.keys(rightsOf(template, /^Writer/)).sort()).toEqual([
      'dynamodb:BatchWriteItem',
      'dynamodb:PutItem',
    ])
    const reader = rightsOf(template, /^Reader/)
    expect(Object.keys(reader).sort()).toEqual([
      'dynamodb:BatchGetItem',
      'dynamodb:GetItem',
      'dynamodb:Query',
    ])
    const arn = { 'Fn::GetAtt': [only(template, TABLE)[0], 'Arn'] }
    expect(reader['dynamodb:Query']![0]!.Resource).toEqual([
      arn,
      { 'Fn::Join': ['', [arn, '/index/event-type-index']] },
    ])
  })
})

describe('DataLake', () => {
  it('is versioned, private, encrypted with a key that is rotated, cheaper with age, and cleans up', () => {
    const template = synth((stack) => new DataLake(stack, 'Lake', { bucketName: 'lake' }))

    const [keyId, key] = only(template, 'AWS::KMS::Key')
    expect(key).toMatchObject({ EnableKeyRotation: true })
    expect(only(template, BUCKET)[1]).toEqual({
      BucketName: 'lake',
      VersioningConfiguration: { Status: 'Enabled' },
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          {
            BucketKeyEnabled: true,
            ServerSideEncryptionByDefault: {
              SSEAlgorithm: 'aws:kms',
              KMSMasterKeyID: { 'Fn::GetAtt': [keyId, 'Arn'] },
            },
          },
        ],
      },
      LifecycleConfiguration: {
        Rules: [
          {
            Id: 'AbandonedUploads',
            Status: 'Enabled',
            AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
          },
          {
            Id: 'DataArchiving',
            Status: 'Enabled',
            Transitions: [
              { StorageClass: 'STANDARD_IA', TransitionInDays: 30 },
              { StorageClass: 'GLACIER', TransitionInDays: 90 },
              { StorageClass: 'DEEP_ARCHIVE', TransitionInDays: 365 },
            ],
          },
        ],
      },
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
    })
  })

  it('lets nobody in without TLS 1.2', () => {
    const template = synth((stack) => new DataLake(stack, 'Lake'))

    const conditions = only(template, 'AWS::S3::BucketPolicy')[1]
      .PolicyDocument.Statement.filter((one: { Effect: string }) => one.Effect === 'Deny')
      .map((one: { Condition: unknown }) => one.Condition)
    expect(conditions).toEqual([
      { Bool: { 'aws:SecureTransport': 'false' } },
      { NumericLessThan: { 's3:TlsVersion': 1.2 } },
    ])
  })

  it('is kept when it leaves the stack, and emptied only where it is to be destroyed', () => {
    const kept = synth((stack) => new DataLake(stack, 'Lake'))
    const destroyed = synth((stack) => new DataLake(stack, 'Lake', { removalPolicy: RemovalPolicy.DESTROY }))

    expect(Object.values(kept.findResources(BUCKET))[0]).toMatchObject({ DeletionPolicy: 'Retain' })
    expect(kept.findResources('Custom::S3AutoDeleteObjects')).toEqual({})
    expect(Object.values(destroyed.findResources(BUCKET))[0]).toMatchObject({ DeletionPolicy: 'Delete' })
    expect(Object.keys(destroyed.findResources('Custom::S3AutoDeleteObjects'))).toHaveLength(1)
  })

  it('takes a key, and lets a reader list, get and decrypt through S3', () => {
    const template = synth((stack) => {
      const lake = new DataLake(stack, 'Lake', { encryptionKey: new Key(stack, 'Mine') })
      lake.grantRead(new Role(stack, 'Reader', { assumedBy: new AccountRootPrincipal() }))
    })

    expect(only(template, 'AWS::KMS::Key')[0]).toMatch(/^Mine/)
    const rights = rightsOf(template, /^Reader/)
    expect(Object.keys(rights).sort()).toEqual([
      'kms:Decrypt',
      's3:GetBucketLocation',
      's3:GetObject',
      's3:ListBucket',
    ])
    expect(JSON.stringify(rights['kms:Decrypt']![0]!.Condition)).toContain('kms:ViaService')
  })
})
