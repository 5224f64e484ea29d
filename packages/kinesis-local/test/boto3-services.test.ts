import { execFile, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Local, startLocal } from '../src/start-local.js'

const hasBoto3 = spawnSync('python3', ['-c', 'import boto3']).status === 0

/** Topics, alarms and delivery streams as a Python program makes them; what it saw is on its last line. */
const SCRIPT = `
import boto3, json
sns, sqs = boto3.client('sns'), boto3.client('sqs')
cloudwatch, firehose = boto3.client('cloudwatch'), boto3.client('firehose')

topic = sns.create_topic(Name='alarms', Attributes={'DisplayName': 'A & B'})['TopicArn']
url = sqs.create_queue(QueueName='pager')['QueueUrl']
queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=['QueueArn'])['Attributes']['QueueArn']
sns.subscribe(TopicArn=topic, Protocol='sqs', Endpoint=queue, Attributes={'RawMessageDelivery': 'true'})
sns.publish(TopicArn=topic, Message='<hello> & more', MessageAttributes={'a': {'DataType': 'String', 'StringValue': 'b'}})
message = sqs.receive_message(QueueUrl=url, MessageAttributeNames=['All'])['Messages'][0]
try:
    sns.publish(TopicArn=topic + '-none', Message='m')
except sns.exceptions.NotFoundException as error:
    missing = error.response['Error']['Code']

cloudwatch.put_metric_alarm(AlarmName='behind', Namespace='AWS/Kinesis', MetricName='GetRecords.IteratorAgeMilliseconds',
    Dimensions=[{'Name': 'StreamName', 'Value': 'orders'}], Statistic='Maximum', Period=60, EvaluationPeriods=3,
    Threshold=900000.5, ComparisonOperator='GreaterThanThreshold', AlarmActions=[topic])
alarm = cloudwatch.describe_alarms(AlarmNames=['behind'])['MetricAlarms'][0]

firehose.create_delivery_stream(DeliveryStreamName='lake', ExtendedS3DestinationConfiguration={
    'RoleARN': 'arn:aws:iam::000000000000:role/firehose', 'BucketARN': 'arn:aws:s3:::lake'})
put = firehose.put_record_batch(DeliveryStreamName='lake', Records=[{'Data': b'a'}, {'Data': b'b'}])

print(json.dumps({
    'displayName': sns.get_topic_attributes(TopicArn=topic)['Attributes']['DisplayName'],
    'body': message['Body'], 'attribute': message['MessageAttributes']['a']['StringValue'], 'missing': missing,
    'threshold': alarm['Threshold'], 'state': alarm['StateValue'], 'year': alarm['StateUpdatedTimestamp'].year,
    'failed': put['FailedPutCount'], 'streams': firehose.list_delivery_streams()['DeliveryStreamNames'],
}))
`

let local: Local

beforeAll(async () => {
  local = await startLocal()
})
afterAll(() => local.close())

describe.runIf(hasBoto3)('boto3', () => {
  it('makes topics, alarms and delivery streams', { timeout: 60_000 }, async () => {
    const env = { ...process.env, ...local.environment }

    const { stdout } = await promisify(execFile)('python3', ['-c', SCRIPT], { env })

    expect(JSON.parse(stdout)).toEqual({
      displayName: 'A & B',
      body: '<hello> & more',
      attribute: 'b',
      missing: 'NotFound',
      threshold: 900_000.5,
      state: 'INSUFFICIENT_DATA',
      year: new Date().getUTCFullYear(),
      failed: 0,
      streams: ['lake'],
    })
    await local.firehose.flush('lake')
    const series = local.metrics.series('AWS/Firehose', 'DeliveryToS3.Records', {
      DeliveryStreamName: 'lake',
    })!
    expect(local.metrics.query(series, 0, Number.MAX_SAFE_INTEGER, 86_400)[0]?.values.sum).toBe(2)
  })
})
