import { BatchWriteItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { type BackoffPolicy, backoffDelayMs, sleep } from '@org/kinesis-core'
import { unstorable } from '../errors.js'
import { withinTime } from '../requests/request-timeout.js'
import { heldBack, outOfTime, type SinkContext, type SinkRecord, type SinkResult } from '../sink.js'
import type { ResolvedDynamoDbSinkOptions } from './dynamodb-options.js'
import { marshallItem } from './marshall.js'
import { itemKey, type PlannedItem } from './planned-item.js'

const UNPROCESSED_BACKOFF: BackoffPolicy = { baseMs: 50, maxMs: 2_000 }

/** Errors that the same item meets every time. Everything else, a missing table or permission too, may be mended while records wait. */
const PERMANENT_ERRORS = new Set(['ValidationException', 'ItemCollectionSizeLimitExceededException'])

/**
 * ValidationExceptions that are not about the item: the table has another key than the sink was told, or the sink's condition is none.
 * Every record would meet them, and none is to be rejected for it. A key of an index that an item has in another type is the item's own fault.
 */
const WIRING_FAULT =
  /missing the key|type mismatch for key|key element does not match the schema|ConditionExpression|ExpressionAttribute/i

/** The requests to one table, and what their answers mean for each write. */
export class TableWriter<T> {
  constructor(private readonly options: ResolvedDynamoDbSinkOptions<T>) {}

  /** All in one request, and again what the table left unprocessed. No two of the writes may have the same key. */
  async batchWrite(chunk: readonly PlannedItem[], context: SinkContext): Promise<SinkResult[]> {
    let open: readonly PlannedItem[] = chunk
    try {
      for (let attempt = 1; ; attempt++) {
        open = await this.#unprocessed(open, context)
        const delayMs = backoffDelayMs(attempt, UNPROCESSED_BACKOFF, this.options.random)
        const { tableName, maxUnprocessedAttempts, clock } = this.options
        if (open.length === 0 || attempt === maxUnprocessedAttempts || delayMs >= context.remainingMs()) {
          const error = new Error(
            `${tableName} left ${open.length} items unprocessed: it is short of capacity.`,
          )
          return resultsOf(chunk, open, { stored: false, error })
        }
        await sleep(clock, delayMs)
      }
    } catch (error) {
      // What an earlier attempt has stored stays stored.
      if (!isPermanentError(error)) return resultsOf(chunk, open, { stored: false, error })
      // The service refuses the whole request for one bad item: one by one, only the bad one fails.
      const results = resultsOf(chunk, open, { stored: true })
      const single = await this.putEach(open, context)
      for (const [place, write] of open.entries()) results[chunk.indexOf(write)] = single[place]!
      return results
    }
  }

  /** One request each, one after the other; behind one that failed nothing of its partition key. */
  async putEach(
    chunk: readonly PlannedItem[],
    context: SinkContext,
    records?: readonly SinkRecord<T>[],
  ): Promise<SinkResult[]> {
    const results: SinkResult[] = []
    const failedKeys = new Map<string, SinkResult>()
    for (const write of chunk) {
      const { partitionKey, index } = write
      const result = failedKeys.get(partitionKey) ?? (await this.#put(write, context, records?.[index]))
      results.push(result)
      if (!result.stored && !failedKeys.has(partitionKey))
        failedKeys.set(partitionKey, heldBack(result.error))
    }
    return results
  }

  async #unprocessed(open: readonly PlannedItem[], context: SinkContext): Promise<PlannedItem[]> {
    const { client, tableName, key } = this.options
    const response = await this.#send(context, (abortSignal) =>
      client.send(
        new BatchWriteItemCommand({
          RequestItems: { [tableName]: open.map(({ item }) => ({ PutRequest: { Item: item } })) },
        }),
        { abortSignal },
      ),
    )
    const left = response.UnprocessedItems?.[tableName] ?? []
    if (left.length === 0) return []
    const leftKeys = new Set(left.map(({ PutRequest }) => itemKey(PutRequest?.Item ?? {}, key)))
    const unprocessed = open.filter((write) => leftKeys.has(write.itemKey))
    // What cannot be told apart must not pass for stored.
    if (unprocessed.length !== left.length)
      throw new Error(`${tableName} left items unprocessed that were not sent.`)
    return unprocessed
  }

  async #put(
    write: PlannedItem,
    context: SinkContext,
    record: SinkRecord<T> | undefined,
  ): Promise<SinkResult> {
    const { client, tableName, condition } = this.options
    if (context.remainingMs() <= 0) return outOfTime()
    try {
      const asked = record === undefined ? undefined : condition?.(record.value, record.position)
      await this.#send(context, (abortSignal) =>
        client.send(
          new PutItemCommand({
            TableName: tableName,
            Item: write.item,
            ConditionExpression: asked?.expression,
            ExpressionAttributeNames: asked?.names,
            ExpressionAttributeValues: asked?.values === undefined ? undefined : marshallItem(asked.values),
          }),
          { abortSignal },
        ),
      )
      return { stored: true }
    } catch (error) {
      if (nameOf(error) === 'ConditionalCheckFailedException') return { stored: true }
      if (!isPermanentError(error)) return { stored: false, error }
      return {
        stored: false,
        error: unstorable(`${tableName} refuses the item: ${(error as Error).message}`, error),
      }
    }
  }

  #send<R>(context: SinkContext, request: (signal: AbortSignal) => Promise<R>): Promise<R> {
    return withinTime({ ...this.options, what: this.options.tableName }, context, request)
  }
}

function resultsOf(
  chunk: readonly PlannedItem[],
  open: readonly PlannedItem[],
  forOpen: SinkResult,
): SinkResult[] {
  const isOpen = new Set(open)
  return chunk.map((write) => (isOpen.has(write) ? forOpen : { stored: true }))
}

function isPermanentError(error: unknown): boolean {
  return PERMANENT_ERRORS.has(nameOf(error)) && !WIRING_FAULT.test((error as Error).message)
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : ''
}
