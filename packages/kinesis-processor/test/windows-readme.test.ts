import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { unmarshall } from '@aws-sdk/util-dynamodb'
import { type Local, startLocal } from '@org/kinesis-local'
import { describe, expect, it } from 'vitest'

const example = fileURLToPath(new URL('../examples/windows.ts', import.meta.url))
const readme = fileURLToPath(new URL('../README.md', import.meta.url))

const MINUTE_MS = 60_000

function tableOf(TableName: string, ...keys: string[]) {
  return {
    TableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: keys.map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
    KeySchema: keys.map((AttributeName, n) => ({ AttributeName, KeyType: n === 0 ? 'HASH' : 'RANGE' })),
  }
}

async function itemsOf({ dynamodb }: Local, TableName: string) {
  const { Items } = (await dynamodb.call('Scan', { TableName })) as {
    Items: Record<string, AttributeValue>[]
  }
  return Items.map((item) => unmarshall(item))
}

describe('the example of windows in the README', () => {
  it('is the one that is tested', async () => {
    expect(await readFile(readme, 'utf8')).toContain(`\`\`\`ts\n${await readFile(example, 'utf8')}\`\`\``)
  })

  it('keeps several measures of orders per customer and minute, and raises the minute that is unusual', async () => {
    const local = await startLocal({
      streams: [{ name: 'orders', shards: 2 }],
      tables: [tableOf('windows', 'window', 'id'), tableOf('anomalies', 'anomalyId')],
    })
    try {
      const mapping = local.createEventSourceMapping({
        streamName: 'orders',
        function: local.createFunction({ name: 'windows', file: example, exportName: 'windows' }),
        tumblingWindowMs: MINUTE_MS,
      })
      /** A minute that has settled; fifteen before it are as usual. */
      const lastMs = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - 10 * MINUTE_MS
      const orders = Array.from({ length: 16 }, (_, minute) => [
        { at: lastMs + (minute - 15) * MINUTE_MS + 1_000, amount: 10 },
        { at: lastMs + (minute - 15) * MINUTE_MS + 59_000, amount: minute === 15 ? 500 : 10 + (minute % 3) },
      ]).flat()
      local.kinesis.call('PutRecords', {
        StreamName: 'orders',
        // Of one customer in both shards, so that partials are to be merged.
        Records: orders.map(({ at, amount }, n) => ({
          PartitionKey: `order-${n}`,
          Data: Buffer.from(JSON.stringify({ customer: 'ann', amount, at: new Date(at).toISOString() })),
        })),
      })
      await mapping.drain()

      const partials = await itemsOf(local, 'windows')
      expect(partials.reduce((sum, { count }) => sum + count, 0)).toBe(32)
      expect(partials.reduce((sum, { aggregates }) => sum + aggregates.large, 0)).toBe(1)
      expect(partials).toContainEqual(
        expect.objectContaining({
          key: 'ann',
          windowStartMs: lastMs,
          aggregates: expect.objectContaining({
            latest: { at: new Date(lastMs + 59_000).toISOString(), amount: 500 },
          }),
        }),
      )

      // As a run left it ten minutes ago.
      await local.dynamodb.call('PutItem', {
        TableName: 'windows',
        Item: { window: { S: 'progress' }, id: { S: 'anomalies' }, judgedUntilMs: { N: String(lastMs) } },
      })
      const scheduled = local.createFunction({ name: 'anomalies', file: example, exportName: 'anomalies' })
      expect(await scheduled.invoke({})).toMatchObject({
        ok: true,
        payload: { windows: 1, anomalies: 1 },
      })
      expect(await itemsOf(local, 'anomalies')).toEqual([
        {
          anomalyId: `amount#${new Date(lastMs).toISOString()}#ann`,
          detector: 'amount',
          key: 'ann',
          windowStartMs: lastMs,
          windowEndMs: lastMs + MINUTE_MS,
          finding: expect.objectContaining({ value: 510, median: 21 }),
        },
      ])
      expect(await scheduled.invoke({})).toMatchObject({ ok: true, payload: { anomalies: 0 } })
    } finally {
      await local.close()
    }
  })
})
