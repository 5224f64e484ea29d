import { Metrics } from '@aws-lambda-powertools/metrics'
import { CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch'
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { marshall } from '@aws-sdk/util-dynamodb'
import { json, kinesisHandler } from '@org/kinesis-processor'
import { dynamoDbSink } from '@org/kinesis-processor/dynamodb'
import { type Side, schema, TABLE, type UserEvent } from './side.ts'

function clientOptions(endpoint: string) {
  return { endpoint, region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } }
}

/** The tutorial's handler as it is, in this language: one item and one metric for each record, one call after the other. */
export function tutorialSide(endpoint: string): Side {
  const dynamodb = new DynamoDBClient(clientOptions(endpoint))
  const cloudwatch = new CloudWatchClient(clientOptions(endpoint))
  return async ({ Records }) => {
    for (const record of Records) {
      try {
        const data = JSON.parse(Buffer.from(record.kinesis.data, 'base64').toString()) as UserEvent
        const processed = { ...data, processed_at: new Date().toISOString(), processing_version: '1.0' }
        if (!('user_id' in data)) throw new Error('Missing user_id')
        if (!('event_type' in data)) throw new Error('Missing event_type')
        processed.user_id = String(data.user_id).trim()
        processed.event_type = data.event_type.toUpperCase()
        await dynamodb.send(new PutItemCommand({ TableName: TABLE, Item: marshall(processed) }))
        await cloudwatch.send(
          new PutMetricDataCommand({
            Namespace: 'KinesisProcessing',
            MetricData: [
              {
                MetricName: 'RecordsProcessed',
                Value: 1,
                Unit: 'Count',
                Dimensions: [{ Name: 'EventType', Value: processed.event_type }],
              },
            ],
          }),
        )
      } catch (error) {
        console.error(`Error processing record: ${error}`)
      }
    }
    return { batchItemFailures: [] }
  }
}

/** The same with ours, as the stack has it: validated, in requests of 25 items, with metrics in the log. */
export function oursStoreSide(endpoint: string): Side {
  const handler = kinesisHandler({
    decode: json(schema),
    steps: [
      (event: UserEvent) => ({
        ...event,
        user_id: event.user_id.trim(),
        event_type: event.event_type.toUpperCase(),
        processed_at: new Date().toISOString(),
        processing_version: '1.0',
      }),
    ],
    sink: dynamoDbSink<UserEvent>({
      client: new DynamoDBClient(clientOptions(endpoint)),
      tableName: TABLE,
      key: { partition: 'user_id', sort: 'timestamp' },
      uniqueKeys: true,
      item: (event) => ({ ...event }),
    }),
    rejected: { write: async () => Promise.reject(new Error('Nothing is to be rejected here.')) },
    metrics: new Metrics({ namespace: 'KinesisProcessing', serviceName: 'bench' }),
    eventType: ({ event_type }) => event_type,
  })
  return (event) => handler(event, anInvocation)
}

const anInvocation = {
  functionName: 'bench',
  awsRequestId: 'bench',
  getRemainingTimeInMillis: () => 600_000,
}
