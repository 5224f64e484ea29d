import { Metrics } from '@aws-lambda-powertools/metrics'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { SQSClient } from '@aws-sdk/client-sqs'
import { required } from './environment.js'
import { userEventProcessor } from './user-event-processor.js'

/** The stream's processor as Lambda runs it: its clients and names come from the environment. */
export const handler = userEventProcessor({
  dynamodb: new DynamoDBClient({}),
  tableName: required('PROCESSED_TABLE_NAME'),
  sqs: new SQSClient({}),
  queueUrl: required('REJECTED_QUEUE_URL'),
  metrics: new Metrics(),
})
