import { type DynamoDBClient, GetItemCommand, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb'
import {
  type Clock,
  InvalidOptionError,
  partitionKeyHash,
  type Random,
  refuseUnknownOptions,
  systemClock,
  systemRandom,
} from '@org/kinesis-core'
import type { AnomalyProgress } from '../anomalies/window-anomalies-options.js'
import { requireFunction, requireText, requireTime, whole } from '../option-checks.js'
import { withTimeout } from '../requests/request-timeout.js'
import type { Sink } from '../sink.js'
import type { WindowPartial } from '../windows/window-partial.js'
import { dynamoDbSink } from './dynamodb-sink.js'
import { type Item, marshallItem } from './marshall.js'
import { unmarshallItem } from './unmarshall.js'

export interface DynamoDbWindowTableOptions {
  client: DynamoDBClient
  tableName: string
  /** Names of the table's key attributes, both text, other than the fields of a partial. @default { partition: 'window', sort: 'id' } */
  key?: { partition: string; sort: string }
  /** That of `tumblingWindows`, in milliseconds. @default 60_000 */
  windowMs?: number
  /**
   * Partitions that the partials of one window are spread over, 1 to 256; DynamoDB takes about 1,000 writes a second for each. More may be given
   * later, fewer would leave partials unread. @default 8
   */
  buckets?: number
  /** A request without an answer for so long has failed, in milliseconds. @default 10_000 */
  requestTimeoutMs?: number
  /** @default the system's clock */
  clock?: Clock
  /** @default Math.random */
  random?: Random
}

/** One table for window partials that can be read by time, and for how far `windowAnomalies` came. */
export interface DynamoDbWindowTable<A> {
  /** For `tumblingWindows`: an item a partial, with its fields as attributes. */
  readonly emit: Sink<WindowPartial<A>>
  /** For `windowAnomalies`: a strongly consistent query for each window and bucket. */
  readonly read: (range: { fromMs: number; toMs: number }) => AsyncIterable<WindowPartial<A>>
  readonly progress: AnomalyProgress
}

type Resolved = Required<DynamoDbWindowTableOptions>

/** @throws InvalidOptionError for options that cannot work */
export function dynamoDbWindowTable<A>(options: DynamoDbWindowTableOptions): DynamoDbWindowTable<A> {
  const resolved = resolveOptions(options)
  const { client, tableName, key, buckets, windowMs, requestTimeoutMs, clock, random } = resolved
  const partitionOf = (windowStartMs: number, bucket: number) =>
    `${new Date(windowStartMs).toISOString()}#${bucket}`
  return {
    emit: dynamoDbSink<WindowPartial<A>>({
      client,
      tableName,
      key,
      uniqueKeys: true,
      item: (partial) => ({
        ...partial,
        [key.partition]: partitionOf(partial.windowStartMs, bucketOf(partial.key, buckets)),
        [key.sort]: `${partial.key}#${partial.partialId}`,
      }),
      requestTimeoutMs,
      clock,
      random,
    }),

    async *read({ fromMs, toMs }) {
      for (let startMs = Math.ceil(fromMs / windowMs) * windowMs; startMs < toMs; startMs += windowMs) {
        const queries = Array.from({ length: buckets }, (_, bucket) =>
          queryAll(partitionOf(startMs, bucket), resolved),
        )
        for (const item of (await Promise.all(queries)).flat()) {
          const { [key.partition]: _partition, [key.sort]: _sort, ...partial } = unmarshallItem(item)
          yield partial as unknown as WindowPartial<A>
        }
      }
    },

    progress: progressIn(resolved),
  }
}

async function queryAll(partition: string, options: Resolved): Promise<Item[]> {
  const { client, tableName, key } = options
  const items: Item[] = []
  let ExclusiveStartKey: Item | undefined
  do {
    const command = new QueryCommand({
      TableName: tableName,
      KeyConditionExpression: '#partition = :partition',
      ExpressionAttributeNames: { '#partition': key.partition },
      ExpressionAttributeValues: { ':partition': { S: partition } },
      ConsistentRead: true,
      ExclusiveStartKey,
    })
    const page = await send(options, (abortSignal) => client.send(command, { abortSignal }))
    items.push(...(page.Items ?? []))
    ExclusiveStartKey = page.LastEvaluatedKey
  } while (ExclusiveStartKey !== undefined)
  return items
}

/** An item of its own among the partials, which no window's partition holds. */
function progressIn(options: Resolved): AnomalyProgress {
  const { client, tableName, key } = options
  const itemKey = { [key.partition]: { S: 'progress' }, [key.sort]: { S: 'anomalies' } }
  return {
    async load() {
      const command = new GetItemCommand({ TableName: tableName, Key: itemKey, ConsistentRead: true })
      const { Item } = await send(options, (abortSignal) => client.send(command, { abortSignal }))
      return Item?.judgedUntilMs?.N === undefined ? undefined : Number(Item.judgedUntilMs.N)
    },
    async save(untilMs, previousMs) {
      const command = new PutItemCommand({
        TableName: tableName,
        Item: { ...itemKey, ...marshallItem({ judgedUntilMs: untilMs }) },
        ExpressionAttributeNames: { '#judged': 'judgedUntilMs' },
        ...(previousMs === undefined
          ? { ConditionExpression: 'attribute_not_exists(#judged)' }
          : {
              ConditionExpression: '#judged = :previous',
              ExpressionAttributeValues: marshallItem({ ':previous': previousMs }),
            }),
      })
      await send(options, (abortSignal) => client.send(command, { abortSignal }))
    },
  }
}

function send<R>(
  { clock, requestTimeoutMs, tableName }: Resolved,
  request: (signal: AbortSignal) => Promise<R>,
): Promise<R> {
  return withTimeout({ clock, timeoutMs: requestTimeoutMs, what: tableName }, request)
}

function bucketOf(key: string, buckets: number): number {
  return Number(partitionKeyHash(key) % BigInt(buckets))
}

const PARTIAL_FIELDS: Record<keyof WindowPartial, true> = {
  key: true,
  windowStartMs: true,
  windowEndMs: true,
  count: true,
  aggregates: true,
  shardId: true,
  partialId: true,
  firstSequenceNumber: true,
}

function resolveOptions(options: DynamoDbWindowTableOptions): Resolved {
  refuseUnknownOptions(options, [
    'client',
    'tableName',
    'key',
    'windowMs',
    'buckets',
    'requestTimeoutMs',
    'clock',
    'random',
  ])
  const { client, tableName, key = { partition: 'window', sort: 'id' } } = options
  const { clock = systemClock, random = systemRandom } = options
  requireFunction('client', client?.send, 'Pass a DynamoDBClient.')
  requireText('tableName', tableName, 'Name the table.')
  for (const part of ['partition', 'sort'] as const) {
    const name = key?.[part]
    requireText(`key.${part}`, name, "Name the table's key attributes: { partition, sort }.")
    if (Object.hasOwn(PARTIAL_FIELDS, name))
      throw new InvalidOptionError(`key.${part}`, name, 'It is a field of the partials: take another name.')
  }
  requireTime({ clock, random })
  return {
    client,
    tableName,
    key: { ...key },
    windowMs: whole('windowMs', options.windowMs ?? 60_000, 1),
    buckets: whole('buckets', options.buckets ?? 8, 1, 256),
    requestTimeoutMs: whole('requestTimeoutMs', options.requestTimeoutMs ?? 10_000, 1),
    clock,
    random,
  }
}
