import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import {
  type Anomaly,
  count,
  json,
  type MergedWindow,
  reducer,
  robustZScore,
  stats,
  tumblingWindows,
  type UnusualValue,
  windowAnomalies,
} from '@org/kinesis-processor'
import { dynamoDbSink, dynamoDbWindowTable } from '@org/kinesis-processor/dynamodb'
import { z } from 'zod'

const order = z.object({ customer: z.string(), amount: z.number(), at: z.iso.datetime() })
type Order = z.infer<typeof order>

const aggregates = {
  amount: stats((of: Order) => of.amount), // { count, sum, average, minimum, maximum }
  large: count((of: Order) => of.amount >= 100),
  latest: reducer({
    initial: () => ({ at: '', amount: 0 }),
    add: (latest, { at, amount }: Order) => (at > latest.at ? { at, amount } : latest),
    merge: (a, b) => (a.at > b.at ? a : b),
  }),
}

const client = new DynamoDBClient({})
const table = dynamoDbWindowTable<typeof aggregates>({ client, tableName: 'windows' })

export const windows = tumblingWindows({
  decode: json(order),
  key: ({ customer }) => customer,
  time: ({ at }) => Date.parse(at),
  aggregates,
  emit: table.emit,
})

export const anomalies = windowAnomalies({
  aggregates,
  read: table.read,
  progress: table.progress,
  detectors: {
    amount: robustZScore({
      value: (window: MergedWindow<typeof aggregates>) => window.aggregates.amount.sum,
    }),
  },
  raise: dynamoDbSink<Anomaly<UnusualValue>>({
    client,
    tableName: 'anomalies',
    key: { partition: 'anomalyId' },
    uniqueKeys: true, // one that is raised again is the same item
    item: (anomaly) => ({ ...anomaly }),
  }),
})
