/** A handler as users write them: the AWS SDK with no configuration of its own, and a line of embedded metrics. */
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb'

const dynamo = new DynamoDBClient({})

export const handler = async (event) => {
  for (const { kinesis } of event.Records) {
    await dynamo.send(
      new PutItemCommand({
        TableName: process.env.TABLE_NAME,
        Item: {
          id: { S: Buffer.from(kinesis.data, 'base64').toString() },
          sequence: { S: kinesis.sequenceNumber },
        },
      }),
    )
  }
  console.log(
    JSON.stringify({
      _aws: {
        Timestamp: Date.now(),
        CloudWatchMetrics: [
          { Namespace: 'Orders', Dimensions: [['service']], Metrics: [{ Name: 'Stored', Unit: 'Count' }] },
        ],
      },
      service: 'orders',
      Stored: event.Records.length,
    }),
  )
}
