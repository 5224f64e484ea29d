import { Metrics } from '@aws-lambda-powertools/metrics'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { SQSClient } from '@aws-sdk/client-sqs'
import { userEventSchema } from '@org/demo-generator/user-event'
import { json, kinesisHandler } from '@org/kinesis-processor'
import { dynamoDbSink } from '@org/kinesis-processor/dynamodb'
import { sqsRejectedSink } from '@org/kinesis-processor/sqs'
import { required } from './environment.js'
import { boundedEventType, enrich, normalise, type ProcessedEvent, toItem } from './processed-event.js'

/** Validates, normalises, enriches and stores the events of the stream. */
export const handler = kinesisHandler({
  decode: json(userEventSchema),
  steps: [normalise, enrich],
  sink: dynamoDbSink<ProcessedEvent>({
    client: new DynamoDBClient({}),
    tableName: required('PROCESSED_TABLE_NAME'),
    key: { partition: 'user_id', sort: 'timestamp' },
    // The range key ends in the event's id.
    uniqueKeys: true,
    item: toItem,
  }),
  rejected: sqsRejectedSink({ client: new SQSClient({}), queueUrl: required('REJECTED_QUEUE_URL') }),
  metrics: new Metrics(),
  eventType: boundedEventType,
})
