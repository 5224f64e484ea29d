import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import {
  type Clock,
  InvalidOptionError,
  type Random,
  refuseUnknownOptions,
  systemClock,
  systemRandom,
} from '@org/kinesis-core'
import { requireFunction, requireText, requireTime, whole } from '../option-checks.js'
import type { RecordPosition } from '../stream-record.js'

/** What PutItem asks of the item that is there. */
export interface PutCondition {
  /** A condition expression, such as `attribute_not_exists(#id) OR #sequence < :sequence`. */
  expression: string
  names?: Record<string, string>
  values?: Readonly<Record<string, unknown>>
}

export interface DynamoDbSinkOptions<T> {
  client: DynamoDBClient
  tableName: string
  /** Names of the table's key attributes; both are text. */
  key: { partition: string; sort?: string }
  /** The item of a record: the same record must give the same key each time, which is what makes a retry harmless. */
  item: (value: T, position: RecordPosition) => Readonly<Record<string, unknown>>
  /**
   * True: no two events share a key, so a write can only repeat itself, and 25 of them go in one BatchWriteItem.
   * False: each item is put by itself, under `condition` where there is one.
   */
  uniqueKeys: boolean
  /** With `uniqueKeys: false`. Where it does not hold, the record counts as stored: by an earlier try, or a newer event. @default none */
  condition?: (value: T, position: RecordPosition) => PutCondition
  /** Requests at once. @default 4, or 16 with `uniqueKeys: false` */
  maxConcurrency?: number
  /** Tries for what the table leaves unprocessed when it is short of capacity. @default 5 */
  maxUnprocessedAttempts?: number
  /** A request without an answer for so long has failed, in milliseconds. @default 10_000 */
  requestTimeoutMs?: number
  /** @default the system's clock */
  clock?: Clock
  /** @default Math.random */
  random?: Random
}

export type ResolvedDynamoDbSinkOptions<T> = Required<Omit<DynamoDbSinkOptions<T>, 'condition'>> & {
  condition: DynamoDbSinkOptions<T>['condition']
}

const KNOWN = [
  'client',
  'tableName',
  'key',
  'item',
  'uniqueKeys',
  'condition',
  'maxConcurrency',
  'maxUnprocessedAttempts',
  'requestTimeoutMs',
  'clock',
  'random',
] as const satisfies (keyof DynamoDbSinkOptions<unknown>)[]

export function resolveDynamoDbSinkOptions<T>(
  options: DynamoDbSinkOptions<T>,
): ResolvedDynamoDbSinkOptions<T> {
  refuseUnknownOptions(options, KNOWN)
  const {
    client,
    tableName,
    key,
    item,
    uniqueKeys,
    condition,
    clock = systemClock,
    random = systemRandom,
  } = options
  requireFunction('client', client?.send, 'Pass a DynamoDBClient.')
  requireText('tableName', tableName, 'Name the table.')
  requireText('key', key?.partition, "Name the table's key attributes: { partition, sort? }.")
  if (key.sort !== undefined) requireText('key.sort', key.sort, 'Name the sort key, or leave it out.')
  requireFunction('item', item, 'Pass a function from a value to the item to store.')
  if (typeof uniqueKeys !== 'boolean')
    throw new InvalidOptionError(
      'uniqueKeys',
      uniqueKeys,
      'Say whether every event has a key of its own: true or false.',
    )
  if (condition !== undefined) {
    requireFunction('condition', condition, 'Pass a function from a value to { expression, names, values }.')
    if (uniqueKeys)
      throw new InvalidOptionError(
        'condition',
        condition,
        'BatchWriteItem takes no conditions: set uniqueKeys to false.',
      )
  }
  requireTime({ clock, random })
  return {
    client,
    tableName,
    key: { ...key },
    item,
    uniqueKeys,
    condition,
    maxConcurrency: whole('maxConcurrency', options.maxConcurrency ?? (uniqueKeys ? 4 : 16), 1),
    maxUnprocessedAttempts: whole('maxUnprocessedAttempts', options.maxUnprocessedAttempts ?? 5, 1),
    requestTimeoutMs: whole('requestTimeoutMs', options.requestTimeoutMs ?? 10_000, 1),
    clock,
    random,
  }
}
