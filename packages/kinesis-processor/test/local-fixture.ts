import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb'
import { SQSClient } from '@aws-sdk/client-sqs'
import { unmarshall } from '@aws-sdk/util-dynamodb'
import { type FaultPlan, startLocal } from '@org/kinesis-local'

interface SeenRequest {
  operation: string
  items: number
}

/** DynamoDB and SQS on the wire, with one table and one queue, and what was asked of them. */
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
    queues: ['rejected'],
    ...(faults === undefined ? {} : { faults }),
    onRequest: ({ operation, requestBody }) => {
      const body = JSON.parse(requestBody.toString()) as {
        RequestItems?: Record<string, unknown[]>
        Entries?: unknown[]
      }
      const items = body.RequestItems?.orders?.length ?? body.Entries?.length ?? 1
      requests.push({ operation, items })
    },
  })
  const connection = {
    endpoint: local.url,
    region: local.region,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  }
  // The sink's own retries are under test here, not the SDK's.
  const dynamodb = new DynamoDBClient({ ...connection, maxAttempts: 1 })
  const sqs = new SQSClient({ ...connection, maxAttempts: 1 })
  return {
    local,
    dynamodb,
    sqs,
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
      await local.close()
    },
  }
}
