import { dynamoDbQuotas } from '@org/kinesis-core'
import { isPermanent } from '../errors.js'
import { heldBack, type SinkRecord, type SinkResult } from '../sink.js'
import type { ResolvedDynamoDbSinkOptions } from './dynamodb-options.js'
import { type Item, itemBytes, marshallItem, unstorable } from './marshall.js'

export interface PlannedWrite {
  /** Place in the records that the sink was given. */
  index: number
  partitionKey: string
  /** The item's own key, as text: a request must not hold two items with the same. */
  itemKey: string
  item: Item
  bytes: number
}

/**
 * The writes of these records. What the table can never hold gets its result at once, so that it poisons no request; an item that could
 * not be made for another reason holds back what follows it in its partition key.
 */
export function planAll<T>(
  records: readonly SinkRecord<T>[],
  options: ResolvedDynamoDbSinkOptions<T>,
  results: SinkResult[],
): PlannedWrite[] {
  const planned: PlannedWrite[] = []
  const held = new Map<string, SinkResult>()
  for (const [index, record] of records.entries()) {
    const { partitionKey } = record.position
    const behind = held.get(partitionKey)
    if (behind !== undefined) {
      results[index] = behind
      continue
    }
    try {
      planned.push(plan(record, index, options))
    } catch (error) {
      results[index] = { stored: false, error }
      if (!isPermanent(error)) held.set(partitionKey, heldBack(error))
    }
  }
  return planned
}

function plan<T>(
  { value, position }: SinkRecord<T>,
  index: number,
  { item: toItem, key }: ResolvedDynamoDbSinkOptions<T>,
): PlannedWrite {
  const item = marshallItem(toItem(value, position))
  requireKey(item, key.partition, dynamoDbQuotas.maxPartitionKeyBytes)
  if (key.sort !== undefined) requireKey(item, key.sort, dynamoDbQuotas.maxSortKeyBytes)
  const bytes = itemBytes(item)
  if (bytes > dynamoDbQuotas.maxItemBytes) {
    throw unstorable(
      `The item has ${bytes} bytes; a table holds items of at most ${dynamoDbQuotas.maxItemBytes}.`,
    )
  }
  return { index, partitionKey: position.partitionKey, itemKey: itemKey(item, key), item, bytes }
}

export function itemKey(item: Item, key: { partition: string; sort?: string | undefined }): string {
  const partition = item[key.partition]?.S ?? ''
  const sort = key.sort === undefined ? '' : (item[key.sort]?.S ?? '')
  // The length keeps ('a', 'bc') apart from ('ab', 'c').
  return `${partition.length}:${partition}${sort}`
}

function requireKey(item: Item, attribute: string, maxBytes: number): void {
  const text = item[attribute]?.S
  if (text === undefined || text === '')
    throw unstorable(`The key attribute ${attribute} must be a text that is not empty.`)
  const bytes = Buffer.byteLength(text)
  if (bytes > maxBytes)
    throw unstorable(`The key attribute ${attribute} has ${bytes} bytes; at most ${maxBytes} are allowed.`)
}
