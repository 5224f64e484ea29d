import db from 'dynalite/db/index.js'
import validations from 'dynalite/validations/index.js'
import { Dynalite } from '../dynamodb/run-dynalite.js'
import { type LocalService, ServiceError } from '../service.js'

type AttributeValue = Record<string, unknown>
type Item = Record<string, AttributeValue>
type Input = Record<string, unknown>

interface Table {
  description: { TableName: string; KeySchema: { AttributeName: string }[] }
  items: Map<string, Item>
}

/** DynamoDB's limit of an item (developer guide, "Quotas in Amazon DynamoDB"). */
const MAX_ITEM_BYTES = 400 * 1024
const MAX_BATCH_WRITES = 25
const MAX_BATCH_GETS = 100
const MAX_PAGE_ITEMS = 1_000
const VALUE_TYPES = new Set(['S', 'N', 'B', 'BOOL', 'NULL', 'SS', 'NS', 'BS', 'L', 'M'])

type Operation = (service: MemoryDynamoDb, input: Input) => unknown

/**
 * The operations on items that sinks and their tests use, on maps: several times as fast as dynalite, of which it takes the checks of
 * values, keys and conditions, and without a turn of the event loop, so that a simulation stays in step. Other operations are refused.
 */
export class MemoryDynamoDb implements LocalService {
  readonly targetPrefix = 'DynamoDB_20120810'
  readonly #tables = new Map<string, Table>()
  /** Checks the tables that are asked for, and describes them. */
  readonly #dynalite: Dynalite

  static readonly #operations: Readonly<Record<string, Operation>> = {
    CreateTable: (service, input) => service.#createTable(input),
    DescribeTable: async (service, input) => service.#dynalite.run('DescribeTable', input),
    ListTables: async (service, input) => service.#dynalite.run('ListTables', input),
    PutItem: (service, input) => service.#putItem(input),
    DeleteItem: (service, input) => service.#deleteItem(input),
    GetItem: (service, input) => service.#getItem(input),
    BatchWriteItem: (service, input) => service.#batchWriteItem(input),
    BatchGetItem: (service, input) => service.#batchGetItem(input),
    Scan: (service, input) => service.#scan(input),
  }

  constructor(region: string, accountId: string) {
    this.#dynalite = new Dynalite(region, accountId)
  }

  async call(operation: string, input: Input): Promise<unknown> {
    const run = Object.hasOwn(MemoryDynamoDb.#operations, operation)
      ? MemoryDynamoDb.#operations[operation]
      : undefined
    if (run === undefined) {
      const known = Object.keys(MemoryDynamoDb.#operations).join(', ')
      throw new ServiceError(
        'UnknownOperationException',
        `A simulated table has no ${operation}, only ${known}. Use startLocal() for the others.`,
      )
    }
    return run(this, input)
  }

  /** All items of a table, in the order in which they were first written. */
  items(tableName: string): readonly Readonly<Item>[] {
    return [...this.#table({ TableName: tableName }).items.values()]
  }

  async #createTable(input: Input): Promise<unknown> {
    const answer = (await this.#dynalite.run('CreateTable', structuredClone(input))) as {
      TableDescription: Table['description']
    }
    const description = answer.TableDescription
    this.#tables.set(description.TableName, { description, items: new Map() })
    return answer
  }

  #putItem(input: Input): unknown {
    const table = this.#table(input)
    const item = this.#checkedItem(input.Item, table)
    const key = this.#keyOf(item, table)
    const existing = table.items.get(key)
    checkCondition(input, existing)
    table.items.set(key, item)
    return input.ReturnValues === 'ALL_OLD' && existing !== undefined ? { Attributes: existing } : {}
  }

  #deleteItem(input: Input): unknown {
    const table = this.#table(input)
    const key = this.#checkedKey(input.Key, table)
    const existing = table.items.get(key)
    checkCondition(input, existing)
    table.items.delete(key)
    return input.ReturnValues === 'ALL_OLD' && existing !== undefined ? { Attributes: existing } : {}
  }

  #getItem(input: Input): unknown {
    refuse(input, ['ProjectionExpression', 'AttributesToGet'])
    const table = this.#table(input)
    const item = table.items.get(this.#checkedKey(input.Key, table))
    return item === undefined ? {} : { Item: item }
  }

  #batchWriteItem(input: Input): unknown {
    const writes: (() => void)[] = []
    for (const [TableName, requests] of entriesOf(input.RequestItems, MAX_BATCH_WRITES)) {
      const table = this.#table({ TableName })
      const keys = new Set<string>()
      for (const { PutRequest, DeleteRequest } of requests as Record<string, Input>[]) {
        const item = PutRequest === undefined ? undefined : this.#checkedItem(PutRequest.Item, table)
        const key =
          item === undefined ? this.#checkedKey(DeleteRequest?.Key, table) : this.#keyOf(item, table)
        if (keys.has(key)) throw invalid('Provided list of item keys contains duplicates')
        keys.add(key)
        writes.push(() => (item === undefined ? table.items.delete(key) : table.items.set(key, item)))
      }
    }
    if (writes.length > MAX_BATCH_WRITES)
      throw invalid('Too many items requested for the BatchWriteItem call')
    // One bad request fails them all, so none is written before all are checked.
    for (const write of writes) write()
    return { UnprocessedItems: {} }
  }

  #batchGetItem(input: Input): unknown {
    const Responses: Record<string, Item[]> = {}
    for (const [TableName, asked] of Object.entries((input.RequestItems ?? {}) as Record<string, Input>)) {
      refuse(asked, ['ProjectionExpression', 'AttributesToGet'])
      const table = this.#table({ TableName })
      const keys = (asked.Keys ?? []) as unknown[]
      if (keys.length > MAX_BATCH_GETS) throw invalid('Too many items requested for the BatchGetItem call')
      const items = keys.map((key) => table.items.get(this.#checkedKey(key, table)))
      Responses[TableName] = items.filter((item) => item !== undefined)
    }
    return { Responses, UnprocessedKeys: {} }
  }

  #scan(input: Input): unknown {
    refuse(input, [
      'FilterExpression',
      'ScanFilter',
      'ProjectionExpression',
      'AttributesToGet',
      'IndexName',
      'Segment',
    ])
    const table = this.#table(input)
    const all = [...table.items.keys()]
    const after = input.ExclusiveStartKey
    const from = after === undefined ? 0 : all.indexOf(this.#checkedKey(after, table)) + 1
    const limit = Math.min(Number(input.Limit ?? MAX_PAGE_ITEMS), MAX_PAGE_ITEMS)
    const Items = all.slice(from, from + limit).map((key) => table.items.get(key)!)
    const last = Items.at(-1)
    const more = from + Items.length < all.length && last !== undefined
    const names = table.description.KeySchema.map(({ AttributeName }) => AttributeName)
    return {
      Count: Items.length,
      ScannedCount: Items.length,
      ...(input.Select === 'COUNT' ? {} : { Items }),
      ...(more ? { LastEvaluatedKey: Object.fromEntries(names.map((name) => [name, last[name]])) } : {}),
    }
  }

  #table({ TableName }: { TableName?: unknown }): Table {
    const table = this.#tables.get(String(TableName))
    if (table === undefined)
      throw new ServiceError('ResourceNotFoundException', 'Requested resource not found')
    return table
  }

  #checkedItem(value: unknown, table: Table): Item {
    const item = checkedAttributes(value)
    if (db.itemSize(item) > MAX_ITEM_BYTES) throw invalid('Item size has exceeded the maximum allowed size')
    check(() => db.validateItem(item, table.description))
    return item
  }

  #checkedKey(value: unknown, table: Table): string {
    const key = checkedAttributes(value)
    check(() => db.validateKey(key, table.description))
    return this.#keyOf(key, table)
  }

  #keyOf(item: Item, { description }: Table): string {
    return JSON.stringify(
      description.KeySchema.map(({ AttributeName }) => {
        const [[type, value]] = Object.entries(item[AttributeName]!) as [[string, unknown]]
        // 1 and 1.0 are the same key.
        return type === 'N' ? db.toLexiStr(value, type) : value
      }),
    )
  }
}

function checkedAttributes(value: unknown): Item {
  if (!isObject(value)) throw invalid('The provided attributes are no map')
  for (const attribute of Object.values(value)) {
    checkShape(attribute)
    const message = validations.validateAttributeValue(attribute as AttributeValue)
    if (message) throw invalid(message)
  }
  return value as Item
}

/** dynalite checks what is in a value once it has the shape of one; its own check of shapes is what makes it slow. */
function checkShape(value: unknown): void {
  if (!isObject(value)) throw new ServiceError('SerializationException', 'Unexpected value type in payload')
  for (const [type, content] of Object.entries(value)) {
    if (!VALUE_TYPES.has(type)) {
      throw invalid('Supplied AttributeValue is empty, must contain exactly one of the supported datatypes')
    }
    if (!hasShape(type, content)) throw new ServiceError('SerializationException', 'Unexpected field type')
    if (type === 'L') for (const child of content as unknown[]) checkShape(child)
    if (type === 'M') for (const child of Object.values(content as object)) checkShape(child)
  }
}

function hasShape(type: string, content: unknown): boolean {
  if (type === 'S' || type === 'N' || type === 'B') return typeof content === 'string'
  if (type === 'BOOL' || type === 'NULL') return typeof content === 'boolean'
  if (type === 'M') return isObject(content)
  if (!Array.isArray(content)) return false
  return type === 'L' || content.every((member) => typeof member === 'string')
}

function checkCondition(input: Input, existing: Item | undefined): void {
  refuse(input, ['Expected', 'ConditionalOperator'])
  if (input.ConditionExpression === undefined) return
  const data = { ...input }
  const message = validations.validateExpressions(data)
  if (message) throw invalid(message)
  check(() => db.checkConditional(data, existing))
}

function check(run: () => Error | null | undefined): void {
  const error = run() as { body?: { __type?: string; message?: string } } | null | undefined
  if (error === null || error === undefined) return
  throw new ServiceError(
    error.body?.__type?.split('#').at(-1) ?? 'InternalServerError',
    error.body?.message ?? '',
  )
}

/** What would be ignored silently, and make a test pass that fails elsewhere. */
function refuse(input: Input, names: readonly string[]): void {
  const asked = names.find((name) => input[name] !== undefined)
  if (asked !== undefined) throw invalid(`A simulated table does not take ${asked}. Use startLocal() for it.`)
}

function entriesOf(value: unknown, most: number): [string, unknown[]][] {
  const entries = Object.entries(isObject(value) ? value : {})
  const isUsable = entries.every(([, list]) => Array.isArray(list) && list.length > 0 && list.length <= most)
  if (entries.length > 0 && isUsable) return entries as [string, unknown[]][]
  throw invalid(`1 validation error detected: 'requestItems' must hold 1 to ${most} requests`)
}

function invalid(message: string): ServiceError {
  return new ServiceError('ValidationException', message)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
