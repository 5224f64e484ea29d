import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { unmarshall } from '@aws-sdk/util-dynamodb'
import { startLocal } from '@org/kinesis-local'
import { mergeWindowPartials } from '@org/kinesis-processor'
import { describe, expect, it } from 'vitest'
import { aggregates, type OrderPartial } from '../examples/windows.js'

const example = fileURLToPath(new URL('../examples/windows.ts', import.meta.url))
const readme = fileURLToPath(new URL('../README.md', import.meta.url))

const WINDOWS_TABLE = {
  TableName: 'windows',
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [
    { AttributeName: 'key', AttributeType: 'S' },
    { AttributeName: 'partialId', AttributeType: 'S' },
  ],
  KeySchema: [
    { AttributeName: 'key', KeyType: 'HASH' },
    { AttributeName: 'partialId', KeyType: 'RANGE' },
  ],
}

describe('the example of windows in the README', () => {
  it('is the one that is tested', async () => {
    expect(await readFile(readme, 'utf8')).toContain(`\`\`\`ts\n${await readFile(example, 'utf8')}\`\`\``)
  })

  it('keeps several measures of orders per customer and minute', async () => {
    const local = await startLocal({
      streams: [{ name: 'orders', shards: 2 }],
      tables: [WINDOWS_TABLE],
    })
    try {
      const fn = local.createFunction({ name: 'windows', file: example, exportName: 'windows' })
      const mapping = local.createEventSourceMapping({
        streamName: 'orders',
        function: fn,
        tumblingWindowMs: 60_000,
      })
      const orders = [
        { customer: 'ann', amount: 12.5, at: '2026-01-01T12:00:05Z' },
        { customer: 'ann', amount: 120, at: '2026-01-01T12:00:59Z' },
        { customer: 'ann', amount: 5, at: '2026-01-01T12:01:00Z' },
        { customer: 'bob', amount: 8, at: '2026-01-01T12:00:10Z' },
      ]
      local.kinesis.call('PutRecords', {
        StreamName: 'orders',
        // Of one customer in both shards, so that partials are to be merged.
        Records: orders.map((order, n) => ({
          PartitionKey: `order-${n}`,
          Data: Buffer.from(JSON.stringify(order)),
        })),
      })

      await mapping.drain()

      const { Items } = (await local.dynamodb.call('Scan', { TableName: 'windows' })) as {
        Items: Record<string, AttributeValue>[]
      }
      const merged = mergeWindowPartials(
        Items.map((item) => unmarshall(item) as OrderPartial),
        aggregates,
      )
      const noon = Date.parse('2026-01-01T12:00:00Z')
      expect(
        merged
          .map(({ key, windowStartMs, aggregates: of }) => [key, windowStartMs - noon, of])
          .sort(([a, b], [c, d]) => `${a}${b}`.localeCompare(`${c}${d}`)),
      ).toEqual([
        [
          'ann',
          0,
          {
            amount: { count: 2, sum: 132.5, average: 66.25, minimum: 12.5, maximum: 120 },
            large: 1,
            latest: { at: '2026-01-01T12:00:59Z', amount: 120 },
          },
        ],
        [
          'ann',
          60_000,
          {
            amount: { count: 1, sum: 5, average: 5, minimum: 5, maximum: 5 },
            large: 0,
            latest: { at: '2026-01-01T12:01:00Z', amount: 5 },
          },
        ],
        [
          'bob',
          0,
          {
            amount: { count: 1, sum: 8, average: 8, minimum: 8, maximum: 8 },
            large: 0,
            latest: { at: '2026-01-01T12:00:10Z', amount: 8 },
          },
        ],
      ])
    } finally {
      await local.close()
    }
  })
})
