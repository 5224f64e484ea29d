import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { startLocal } from '@org/kinesis-local'
import { describe, expect, it } from 'vitest'

const example = fileURLToPath(new URL('../examples/orders.ts', import.meta.url))
const readme = fileURLToPath(new URL('../README.md', import.meta.url))

describe('the example in the README', () => {
  it('is the one that is tested', async () => {
    expect(await readFile(readme, 'utf8')).toContain(`\`\`\`ts\n${await readFile(example, 'utf8')}\`\`\``)
  })

  it('of PostgreSQL is a file that the type checker reads', async () => {
    const postgres = fileURLToPath(new URL('../examples/orders-in-postgres.ts', import.meta.url))
    expect(await readFile(readme, 'utf8')).toContain(`\`\`\`ts\n${await readFile(postgres, 'utf8')}\`\`\``)
  })

  it('stores the good orders of a stream, and rejects the bad ones with their reasons', async () => {
    const local = await startLocal({
      streams: [{ name: 'orders' }],
      queues: ['rejected'],
      tables: [
        {
          TableName: 'orders',
          BillingMode: 'PAY_PER_REQUEST',
          AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
          KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
        },
      ],
    })
    try {
      const fn = local.createFunction({
        name: 'orders',
        file: example,
        environment: { REJECTED_QUEUE_URL: local.queueUrl('rejected') },
      })
      const mapping = local.createEventSourceMapping({
        streamName: 'orders',
        function: fn,
        reportBatchItemFailures: true,
      })
      const orders = [
        { id: 'o-1', customer: ' ann ', amount: 12.5 },
        { id: 'o-2', customer: 'bob', amount: -1 },
        { id: 'o-3', customer: 'cid' },
      ]
      local.kinesis.call('PutRecords', {
        StreamName: 'orders',
        Records: orders.map((order) => ({
          PartitionKey: order.id,
          Data: Buffer.from(JSON.stringify(order)),
        })),
      })

      await mapping.drain()

      const { Items } = (await local.dynamodb.call('Scan', { TableName: 'orders' })) as { Items: unknown[] }
      expect(Items).toMatchObject([{ id: { S: 'o-1' }, customer: { S: 'ann' }, amount: { N: '12.5' } }])
      const rejected = local
        .queueMessages('rejected')
        .map(({ body }) => JSON.parse(body) as { partitionKey: string; reasonCode: string })
      expect(rejected.map(({ partitionKey, reasonCode }) => [partitionKey, reasonCode]).sort()).toEqual([
        ['o-2', 'rejected-by-step'],
        ['o-3', 'invalid'],
      ])
    } finally {
      await local.close()
    }
  })
})
