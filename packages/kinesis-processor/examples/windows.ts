import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { count, json, reducer, stats, tumblingWindows, type WindowPartial } from '@org/kinesis-processor'
import { dynamoDbSink } from '@org/kinesis-processor/dynamodb'
import { z } from 'zod'

const order = z.object({
  customer: z.string(),
  amount: z.number(),
  at: z.iso.datetime(),
})
type Order = z.infer<typeof order>

export const aggregates = {
  amount: stats((of: Order) => of.amount), // { count, sum, average, minimum, maximum }
  large: count((of: Order) => of.amount >= 100),
  latest: reducer({
    initial: () => ({ at: '', amount: 0 }),
    add: (latest, { at, amount }: Order) => (at > latest.at ? { at, amount } : latest),
    merge: (a, b) => (a.at > b.at ? a : b),
  }),
}
export type OrderPartial = WindowPartial<typeof aggregates>

export const windows = tumblingWindows({
  decode: json(order),
  key: ({ customer }) => customer,
  time: ({ at }) => Date.parse(at),
  aggregates,
  emit: dynamoDbSink<OrderPartial>({
    client: new DynamoDBClient({}),
    tableName: process.env.WINDOWS_TABLE_NAME ?? 'windows',
    key: { partition: 'key', sort: 'partialId' },
    uniqueKeys: true, // a partial that is computed again is the same item
    item: (partial) => ({ ...partial }),
  }),
})
