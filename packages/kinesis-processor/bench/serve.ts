import { startLocal } from '@org/kinesis-local'
import { TABLE } from './sides/side.ts'

export interface ServicesReport {
  requests: number
  /** In the table at the end; it is empty again then. */
  items: number
}

// Forked by the bench.
let requests = 0
const local = await startLocal({ onRequest: () => void requests++ })
await createTable()
process.on('message', async () => {
  const counted = requests
  const items = await countItems()
  await local.dynamodb.call('DeleteTable', { TableName: TABLE })
  await createTable()
  requests = 0
  process.send!({ requests: counted, items } satisfies ServicesReport)
})
process.once('disconnect', () => process.exit())
process.send!({ url: local.url })

async function createTable(): Promise<void> {
  await local.dynamodb.call('CreateTable', {
    TableName: TABLE,
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema: [
      { AttributeName: 'user_id', KeyType: 'HASH' },
      { AttributeName: 'timestamp', KeyType: 'RANGE' },
    ],
    AttributeDefinitions: [
      { AttributeName: 'user_id', AttributeType: 'S' },
      { AttributeName: 'timestamp', AttributeType: 'S' },
    ],
  })
}

async function countItems(): Promise<number> {
  let items = 0
  let ExclusiveStartKey: object | undefined
  do {
    const page = (await local.dynamodb.call('Scan', {
      TableName: TABLE,
      Select: 'COUNT',
      ...(ExclusiveStartKey === undefined ? {} : { ExclusiveStartKey }),
    })) as { Count: number; LastEvaluatedKey?: object }
    items += page.Count
    ExclusiveStartKey = page.LastEvaluatedKey
  } while (ExclusiveStartKey !== undefined)
  return items
}
