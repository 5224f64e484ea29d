import { BatchWriteItemCommand, type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb'
import {
  type BackoffPolicy,
  backoffDelayMs,
  type Clock,
  dynamoDbQuotas,
  InvalidOptionError,
  type Random,
  sleep,
  systemClock,
  systemRandom,
} from '@org/kinesis-core'
import { isPermanent } from '../errors.js'
import { refuseUnknown, requireFunction, whole } from '../handler-options.js'
import type { Sink, SinkContext, SinkRecord, SinkResult } from '../sink.js'
import type { RecordPosition } from '../stream-record.js'
import { type Item, itemBytes, marshallItem, unstorable } from './marshall.js'
import { type Chunk, type PlannedWrite, planWrites } from './write-plan.js'

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
  /** With `uniqueKeys: false`: what PutItem asks of the item that is there; one that fails counts as stored, by an earlier try or a newer event. */
  condition?: (
    value: T,
    position: RecordPosition,
  ) => {
    expression: string
    names?: Record<string, string>
    values?: Readonly<Record<string, unknown>>
  }
  /** Requests at once. @default 4 */
  maxConcurrency?: number
  /** Tries for what the table leaves unprocessed when it is short of capacity. @default 5 */
  maxUnprocessedAttempts?: number
  /** @default the system's clock */
  clock?: Clock
  /** @default Math.random */
  random?: Random
}

const KNOWN: ReadonlySet<string> = new Set<keyof DynamoDbSinkOptions<unknown>>([
  'client',
  'tableName',
  'key',
  'item',
  'uniqueKeys',
  'condition',
  'maxConcurrency',
  'maxUnprocessedAttempts',
  'clock',
  'random',
])

const UNPROCESSED_BACKOFF: BackoffPolicy = { baseMs: 50, maxMs: 2_000 }

/** Errors that the same item meets every time. Everything else, a missing table or permission too, may be mended while records wait. */
const PERMANENT_ERRORS = new Set(['ValidationException', 'ItemCollectionSizeLimitExceededException'])

/** Stores records in a DynamoDB table, in order per partition key. An item that the table can never hold is rejected alone. */
export function dynamoDbSink<T>(options: DynamoDbSinkOptions<T>): Sink<T> {
  refuseUnknown(options, KNOWN)
  requireFunction('client', options.client?.send, 'Pass a DynamoDBClient.')
  requireFunction('item', options.item, 'Pass a function from a value to the item to store.')
  if (!options.tableName) throw new InvalidOptionError('tableName', options.tableName, 'Name the table.')
  if (!options.key?.partition)
    throw new InvalidOptionError('key', options.key, "Name the table's key attributes: { partition, sort? }.")
  if (options.uniqueKeys && options.condition !== undefined) {
    throw new InvalidOptionError(
      'condition',
      options.condition,
      'BatchWriteItem takes no conditions: set uniqueKeys to false.',
    )
  }
  const maxConcurrency = whole('maxConcurrency', options.maxConcurrency ?? 4, 1)
  const writer = new DynamoDbWriter(options)
  return {
    async write(records, context) {
      const results: SinkResult[] = new Array(records.length)
      const planned = planAll(records, options, results)
      const sequences = planWrites(planned, maxConcurrency)
      await Promise.all(sequences.map((chunks) => writer.writeSequence(chunks, records, results, context)))
      return results
    },
  }
}

/** What can be written. An item that can never be stored is passed over; one that failed otherwise holds back what follows it in its key. */
function planAll<T>(
  records: readonly SinkRecord<T>[],
  options: DynamoDbSinkOptions<T>,
  results: SinkResult[],
): PlannedWrite[] {
  const planned: PlannedWrite[] = []
  const held = new Map<string, unknown>()
  for (const [index, record] of records.entries()) {
    const { partitionKey } = record.position
    try {
      if (held.has(partitionKey))
        throw new Error('An earlier record of its key failed.', { cause: held.get(partitionKey) })
      planned.push(plan(record, index, options))
    } catch (error) {
      results[index] = { stored: false, error }
      if (!isPermanent(error)) held.set(partitionKey, error)
    }
  }
  return planned
}

function plan<T>(
  record: SinkRecord<T>,
  index: number,
  { item: toItem, key }: DynamoDbSinkOptions<T>,
): PlannedWrite {
  const item = marshallItem(toItem(record.value, record.position))
  const bytes = itemBytes(item)
  if (bytes > dynamoDbQuotas.maxItemBytes) {
    throw unstorable(
      `The item has ${bytes} bytes; a table holds items of at most ${dynamoDbQuotas.maxItemBytes}.`,
    )
  }
  const partition = keyText(item, key.partition, dynamoDbQuotas.maxPartitionKeyBytes)
  const sort = key.sort === undefined ? '' : keyText(item, key.sort, dynamoDbQuotas.maxSortKeyBytes)
  // The length keeps ('a', 'bc') apart from ('ab', 'c').
  const itemKey = `${partition.length}:${partition}${sort}`
  return { index, partitionKey: record.position.partitionKey, itemKey, item, bytes }
}

function keyText(item: Item, attribute: string, maxBytes: number): string {
  const text = item[attribute]?.S
  if (text === undefined || text === '')
    throw unstorable(`The key attribute ${attribute} must be a text that is not empty.`)
  const bytes = Buffer.byteLength(text)
  if (bytes > maxBytes)
    throw unstorable(`The key attribute ${attribute} has ${bytes} bytes; at most ${maxBytes} are allowed.`)
  return text
}

class DynamoDbWriter<T> {
  readonly #clock: Clock
  readonly #random: Random
  readonly #maxUnprocessedAttempts: number

  constructor(private readonly options: DynamoDbSinkOptions<T>) {
    this.#clock = options.clock ?? systemClock
    this.#random = options.random ?? systemRandom
    this.#maxUnprocessedAttempts = whole('maxUnprocessedAttempts', options.maxUnprocessedAttempts ?? 5, 1)
  }

  /** Request after request. Behind a write that failed nothing of its partition key is written. */
  async writeSequence(
    chunks: readonly Chunk[],
    records: readonly SinkRecord<T>[],
    results: SinkResult[],
    context: SinkContext,
  ): Promise<void> {
    const failedKeys = new Map<string, unknown>()
    for (const chunk of chunks) {
      const allowed: Chunk = []
      for (const write of chunk) {
        const cause = failedKeys.get(write.partitionKey)
        if (cause === undefined) allowed.push(write)
        else
          results[write.index] = {
            stored: false,
            error: new Error('An earlier record of its key failed.', { cause }),
          }
      }
      if (allowed.length === 0) continue
      const outcomes = this.options.uniqueKeys
        ? await this.#writeChunk(allowed, context)
        : await this.#putEach(allowed, records)
      for (const [place, write] of allowed.entries()) {
        const outcome = outcomes[place]!
        results[write.index] = outcome
        if (!outcome.stored) failedKeys.set(write.partitionKey, outcome.error)
      }
    }
  }

  async #writeChunk(chunk: Chunk, context: SinkContext): Promise<SinkResult[]> {
    const { client, tableName } = this.options
    let open = new Map(chunk.map((write) => [write.itemKey, write.item]))
    try {
      for (let attempt = 1; ; attempt++) {
        const response = await client.send(
          new BatchWriteItemCommand({
            RequestItems: { [tableName]: [...open.values()].map((Item) => ({ PutRequest: { Item } })) },
          }),
        )
        const unprocessed = response.UnprocessedItems?.[tableName] ?? []
        if (unprocessed.length === 0) return chunk.map(() => ({ stored: true }))
        open = new Map(
          unprocessed.map(({ PutRequest }) => [this.#keyOf(PutRequest!.Item!), PutRequest!.Item!]),
        )
        const delayMs = backoffDelayMs(attempt, UNPROCESSED_BACKOFF, this.#random)
        if (attempt === this.#maxUnprocessedAttempts || delayMs >= context.remainingMs()) {
          const error = new Error(
            `${tableName} left ${open.size} items unprocessed: it is short of capacity.`,
          )
          return chunk.map(({ itemKey }) => (open.has(itemKey) ? { stored: false, error } : { stored: true }))
        }
        await sleep(this.#clock, delayMs)
      }
    } catch (error) {
      // The service refuses the whole request for one bad item: one by one, only the bad one fails.
      if (isPermanentName(error)) return this.#putEach(chunk)
      return chunk.map(() => ({ stored: false, error }))
    }
  }

  async #putEach(chunk: Chunk, records?: readonly SinkRecord<T>[]): Promise<SinkResult[]> {
    const results: SinkResult[] = []
    const failedKeys = new Map<string, SinkResult>()
    for (const write of chunk) {
      const result = failedKeys.get(write.partitionKey) ?? (await this.#put(write, records?.[write.index]))
      results.push(result)
      if (!result.stored) {
        const error = new Error('An earlier record of its key failed.', { cause: result.error })
        failedKeys.set(write.partitionKey, { stored: false, error })
      }
    }
    return results
  }

  async #put(write: PlannedWrite, record: SinkRecord<T> | undefined): Promise<SinkResult> {
    const { client, tableName, condition } = this.options
    const asked = record === undefined ? undefined : condition?.(record.value, record.position)
    try {
      await client.send(
        new PutItemCommand({
          TableName: tableName,
          Item: write.item,
          ...(asked === undefined
            ? {}
            : {
                ConditionExpression: asked.expression,
                ...(asked.names === undefined ? {} : { ExpressionAttributeNames: asked.names }),
                ...(asked.values === undefined
                  ? {}
                  : { ExpressionAttributeValues: marshallItem(asked.values) }),
              }),
        }),
      )
      return { stored: true }
    } catch (error) {
      const name = (error as Error).name
      if (name === 'ConditionalCheckFailedException') return { stored: true }
      if (isPermanentName(error)) {
        return {
          stored: false,
          error: unstorable(`${tableName} refuses the item: ${(error as Error).message}`, error),
        }
      }
      return { stored: false, error }
    }
  }

  #keyOf(item: Item): string {
    const { partition, sort } = this.options.key
    const text = item[partition]?.S ?? ''
    return `${text.length}:${text}${sort === undefined ? '' : (item[sort]?.S ?? '')}`
  }
}

function isPermanentName(error: unknown): boolean {
  return PERMANENT_ERRORS.has((error as Error).name)
}
