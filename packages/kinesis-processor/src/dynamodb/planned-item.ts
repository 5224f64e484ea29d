import { dynamoDbQuotas } from '@org/kinesis-core'
import { unstorable } from '../errors.js'
import type { SizedWrite } from '../requests/request-plan.js'
import type { SinkRecord } from '../sink.js'
import type { ResolvedDynamoDbSinkOptions } from './dynamodb-options.js'
import { type Item, itemBytes, marshallItem } from './marshall.js'

export interface PlannedItem extends SizedWrite {
  /** The item's own key, as text: a request must not hold two items with the same. */
  itemKey: string
  item: Item
}

/** @throws PermanentError for what the table can never hold */
export function planItem<T>(
  { value, position }: SinkRecord<T>,
  index: number,
  { item: toItem, key }: ResolvedDynamoDbSinkOptions<T>,
): PlannedItem {
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
