import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb'
import { SNSClient } from '@aws-sdk/client-sns'
import { SQSClient } from '@aws-sdk/client-sqs'
import { unmarshall } from '@aws-sdk/util-dynamodb'
import { type FaultPlan, startLocal } from '@org/kinesis-local'

interface SeenRequest {
  operation: string
  items: number
}

/** DynamoDB, SQS, SNS and Kinesis on the wire, with a table, queues, a topic and a stream, and what was asked of them. */
export async function startServices(faults?: FaultPlan) {
  const requests: SeenRequest[] = []
  const local = await startLocal({
    tables: [
      {
        TableName: 'orders',
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [
          { AttributeName: 'id', AttributeType: 'S' },
          { AttributeName: 'at', AttributeType: 'S' },
          { AttributeName: 'kind', AttributeType: 'S' },
        ],
        KeySchema: [
          { AttributeName: 'id', KeyType: 'HASH' },
          { AttributeName: 'at', KeyType: 'RANGE' },
        ],
        GlobalSecondaryIndexes: [
          {
            IndexName: 'by-kind',
            KeySchema: [{ AttributeName: 'kind', KeyType: 'HASH' }],
            Projection: { ProjectionType: 'ALL' },
          },
        ],
      },
    ],
    queues: ['rejected', 'orders'],
    topics: ['orders'],
    streams: [{ name: 'copies', shards: 2 }],
    ...(faults === undefined ? {} : { faults }),
    onRequest: ({ operation, requestBody }) =>
      requests.push({ operation, items: itemsOf(requestBody.toString()) }),
  })
  const connection = {
    endpoint: local.url,
    region: local.region,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  }
  // The sink's own retries are under test here, not the SDK's.
  const dynamodb = new DynamoDBClient({ ...connection, maxAttempts: 1 })
  const sqs = new SQSClient({ ...connection, maxAttempts: 1 })
  const sns = new SNSClient({ ...connection, maxAttempts: 1 })
  return {
    local,
    connection,
    dynamodb,
    sqs,
    sns,
    requests,
    operations: () => requests.map(({ operation, items }) => `${operation} ${items}`),
    async stored(): Promise<Record<string, unknown>[]> {
      const { Items = [] } = await dynamodb.send(
        new ScanCommand({ TableName: 'orders', ConsistentRead: true }),
      )
      return Items.map((item) => unmarshall(item))
    },
    async [Symbol.asyncDispose]() {
      dynamodb.destroy()
      sqs.destroy()
      sns.destroy()
      await local.close()
    },
  }
}

/** SNS is asked with a form, all others with JSON. */
function itemsOf(requestBody: string): number {
  if (!requestBody.startsWith('{')) return requestBody.match(/member\.\d+\.Id=/g)?.length ?? 1
  const body = JSON.parse(requestBody) as { RequestItems?: Record<string, unknown[]>; Entries?: unknown[] }
  return body.RequestItems?.orders?.length ?? body.Entries?.length ?? 1
}
