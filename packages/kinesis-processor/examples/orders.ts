import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { SQSClient } from '@aws-sdk/client-sqs'
import { json, kinesisHandler, PermanentError } from '@org/kinesis-processor'
import { dynamoDbSink } from '@org/kinesis-processor/dynamodb'
import { sqsRejectedSink } from '@org/kinesis-processor/sqs'
import { z } from 'zod'

const order = z.object({ id: z.string().min(1), customer: z.string().min(1), amount: z.number() })
type Order = z.infer<typeof order>

export const handler = kinesisHandler({
  decode: json(order),
  steps: [
    (value: Order) => {
      if (value.amount < 0) throw new PermanentError('An order has no negative amount.')
      return { ...value, customer: value.customer.trim() }
    },
  ],
  sink: dynamoDbSink<Order>({
    client: new DynamoDBClient({}),
    tableName: process.env.TABLE_NAME ?? 'orders',
    key: { partition: 'id' },
    uniqueKeys: true, // no two events share an id
    item: (value, { arrivalMs }) => ({ ...value, arrived: new Date(arrivalMs).toISOString() }),
  }),
  rejected: sqsRejectedSink({ client: new SQSClient({}), queueUrl: process.env.REJECTED_QUEUE_URL ?? '' }),
})
