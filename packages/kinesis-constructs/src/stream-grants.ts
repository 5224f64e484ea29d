import * as iam from 'aws-cdk-lib/aws-iam'
import type { IStream } from 'aws-cdk-lib/aws-kinesis'
import { serviceKeyStatement } from './service-key-grant.js'

/**
 * What a poller calls. CDK's `grantRead` adds SubscribeToShard and DescribeStreamConsumer, which are for fan-out consumers, and
 * ListStreams, which has no effect on a single stream's ARN.
 */
const READ = [
  'kinesis:DescribeStream',
  'kinesis:DescribeStreamSummary',
  'kinesis:GetRecords',
  'kinesis:GetShardIterator',
  'kinesis:ListShards',
]

/** What writers call: `@org/kinesis-producer` asks for the shards, others for the summary first, or put records one by one. */
const WRITE = [
  'kinesis:DescribeStreamSummary',
  'kinesis:ListShards',
  'kinesis:PutRecord',
  'kinesis:PutRecords',
]

export function grantStreamRead(stream: IStream, grantee: iam.IGrantable): iam.Grant {
  return grantStream(stream, grantee, READ, 'kms:Decrypt')
}

export function grantStreamWrite(stream: IStream, grantee: iam.IGrantable): iam.Grant {
  return grantStream(stream, grantee, WRITE, 'kms:GenerateDataKey')
}

/** The statements for a role whose policy is written by hand; Firehose's own list of calls is shorter than Lambda's. */
export function streamStatements(
  stream: IStream,
  actions: string[],
  keyAction: string,
): iam.PolicyStatement[] {
  const use = new iam.PolicyStatement({ actions, resources: [stream.streamArn] })
  if (stream.encryptionKey === undefined) return [use]
  const context = { 'aws:kinesis:arn': stream.streamArn }
  return [use, serviceKeyStatement(stream.encryptionKey, 'kinesis', [keyAction], context)]
}

function grantStream(
  stream: IStream,
  grantee: iam.IGrantable,
  actions: string[],
  keyAction: string,
): iam.Grant {
  for (const statement of streamStatements(stream, actions, keyAction).slice(1)) {
    grantee.grantPrincipal.addToPrincipalPolicy(statement)
  }
  return iam.Grant.addToPrincipal({ grantee, actions, resourceArns: [stream.streamArn] })
}
