import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { SQSClient } from '@aws-sdk/client-sqs'
import { userEventSchema } from '@org/demo-generator/user-event'
import { type Clock, type Random, systemClock } from '@org/kinesis-core'
import { json, type KinesisHandler, kinesisHandler, type MetricsPort } from '@org/kinesis-processor'
import { dynamoDbSink } from '@org/kinesis-processor/dynamodb'
import { sqsRejectedSink } from '@org/kinesis-processor/sqs'
import { boundedEventType, enrichBy, normalise, type ProcessedEvent, toItem } from './processed-event.js'

export interface UserEventProcessorOptions {
  dynamodb: DynamoDBClient
  tableName: string
  sqs: SQSClient
  queueUrl: string
  /** Without them nothing is counted. */
  metrics?: MetricsPort
  /** @default the system's clock and Math.random */
  time?: { clock?: Clock; random?: Random }
}

/** Validates, normalises, enriches and stores the events of the stream; what can never be stored goes to the queue. */
export function userEventProcessor(options: UserEventProcessorOptions): KinesisHandler {
  const { dynamodb, tableName, sqs, queueUrl, metrics, time = {} } = options
  return kinesisHandler({
    decode: json(userEventSchema),
    steps: [normalise, enrichBy(time.clock ?? systemClock)],
    sink: dynamoDbSink<ProcessedEvent>({
      client: dynamodb,
      tableName,
      key: { partition: 'user_id', sort: 'timestamp' },
      // The range key ends in the event's id.
      uniqueKeys: true,
      item: toItem,
      ...time,
    }),
    rejected: sqsRejectedSink({
      client: sqs,
      queueUrl,
      ...(time.clock === undefined ? {} : { clock: time.clock }),
    }),
    ...(metrics === undefined ? {} : { metrics, eventType: boundedEventType }),
    ...time,
  })
}
