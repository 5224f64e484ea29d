import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DynamoDbService } from '../dynamodb/dynamodb-service.js'
import { type LocalService, ServiceError } from '../service.js'
import { MemoryDynamoDb } from './memory-dynamodb.js'

const TABLE = {
  TableName: 'items',
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [
    { AttributeName: 'id', AttributeType: 'S' },
    { AttributeName: 'at', AttributeType: 'N' },
  ],
  KeySchema: [
    { AttributeName: 'id', KeyType: 'HASH' },
    { AttributeName: 'at', KeyType: 'RANGE' },
  ],
}

async function answerOf(service: LocalService, operation: string, input: object): Promise<unknown> {
  try {
    return await service.call(operation, structuredClone(input) as Record<string, unknown>)
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error
    return { code: error.code }
  }
}

const id = fc.constantFrom({ S: 'a' }, { S: 'b' }, { S: '' }, { N: '1' })
const at = fc.constantFrom({ N: '1' }, { N: '1.0' }, { N: '2' }, { N: 'x' }, { S: '1' }, { N: '1e200' })
const value = fc.constantFrom<object>(
  { S: 'text' },
  { N: '0.1' },
  { N: '' },
  { BOOL: true },
  { NULL: true },
  { NULL: false },
  { B: 'AAAA' },
  { SS: ['a', 'b'] },
  { SS: ['a', 'a'] },
  { SS: [] },
  { L: [{ S: 'x' }, { M: { deep: { N: '1' } } }] },
  { M: {} },
  {},
  { S: 'a', N: '1' },
  { S: 'x'.repeat(410_000) },
)
const key = fc.record({ id, at }, { requiredKeys: ['id'] })
const item = fc.record({ id, at, value }, { requiredKeys: ['id', 'at'] })
const condition = fc.constantFrom<object>(
  {},
  { ConditionExpression: 'attribute_not_exists(id)' },
  { ConditionExpression: 'attribute_exists(#v)', ExpressionAttributeNames: { '#v': 'value' } },
  {
    ConditionExpression: 'attribute_not_exists(id) OR #at < :at',
    ExpressionAttributeNames: { '#at': 'at' },
    ExpressionAttributeValues: { ':at': { N: '2' } },
  },
  { ConditionExpression: 'attribute_not_exists(' },
)
const put = fc
  .tuple(item, condition, fc.constantFrom({}, { ReturnValues: 'ALL_OLD' }))
  .map(([Item, asked, returned]) => ['PutItem', { TableName: 'items', Item, ...asked, ...returned }] as const)
const get = key.map((Key) => ['GetItem', { TableName: 'items', Key }] as const)
const remove = fc
  .tuple(key, condition)
  .map(([Key, asked]) => ['DeleteItem', { TableName: 'items', Key, ...asked }] as const)
const write = fc.oneof(
  item.map((Item) => ({ PutRequest: { Item } })),
  key.map((Key) => ({ DeleteRequest: { Key } })),
)
const batch = fc
  .array(write, { maxLength: 27 })
  .map((items) => ['BatchWriteItem', { RequestItems: { items } }] as const)
const elsewhere = fc.constant([
  'PutItem',
  { TableName: 'nowhere', Item: { id: { S: 'a' }, at: { N: '1' } } },
] as const)

describe('DynamoDB in memory', () => {
  it('answers as dynalite does: items, errors and what is in the table', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(put, get, remove, batch, elsewhere), { maxLength: 12 }),
        async (operations) => {
          const ours = new MemoryDynamoDb('us-east-1', '000000000000')
          const dynalite = new DynamoDbService('us-east-1', '000000000000')
          for (const service of [ours, dynalite]) await service.call('CreateTable', structuredClone(TABLE))
          for (const [operation, input] of operations) {
            expect([operation, input, await answerOf(ours, operation, input)]).toEqual([
              operation,
              input,
              await answerOf(dynalite, operation, input),
            ])
          }
          const [mine, theirs] = await Promise.all(
            [ours, dynalite].map(async (service) => {
              const { Items } = (await service.call('Scan', { TableName: 'items' })) as { Items: unknown[] }
              return Items.map((one) => JSON.stringify(one)).sort()
            }),
          )
          expect(mine).toEqual(theirs)
          await dynalite.close()
        },
      ),
      { numRuns: 150 },
    )
  })

  it('pages a scan', async () => {
    const service = new MemoryDynamoDb('us-east-1', '000000000000')
    await service.call('CreateTable', structuredClone(TABLE))
    for (let n = 0; n < 25; n += 1)
      await service.call('PutItem', { TableName: 'items', Item: { id: { S: 'a' }, at: { N: `${n}` } } })
    const seen: unknown[] = []
    let ExclusiveStartKey: unknown
    do {
      const page = (await service.call('Scan', {
        TableName: 'items',
        Limit: 10,
        ...(ExclusiveStartKey === undefined ? {} : { ExclusiveStartKey }),
      })) as { Items: { at: unknown }[]; LastEvaluatedKey?: unknown }
      seen.push(...page.Items.map((one) => one.at))
      ExclusiveStartKey = page.LastEvaluatedKey
    } while (ExclusiveStartKey !== undefined)

    expect(seen).toEqual(Array.from({ length: 25 }, (_, n) => ({ N: `${n}` })))
  })

  it('refuses what it cannot do, instead of ignoring it', async () => {
    const service = new MemoryDynamoDb('us-east-1', '000000000000')
    await service.call('CreateTable', structuredClone(TABLE))

    await expect(service.call('Query', { TableName: 'items' })).rejects.toThrow(/no Query, only/)
    await expect(service.call('Scan', { TableName: 'items', FilterExpression: 'id = :id' })).rejects.toThrow(
      /FilterExpression/,
    )
  })
})
