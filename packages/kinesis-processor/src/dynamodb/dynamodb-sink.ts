import { dynamoDbQuotas } from '@org/kinesis-core'
import { isPermanent } from '../errors.js'
import { heldBack, outOfTime, type Sink, type SinkContext, type SinkResult } from '../sink.js'
import { type DynamoDbSinkOptions, resolveDynamoDbSinkOptions } from './dynamodb-options.js'
import { planAll } from './planned-write.js'
import { TableWriter } from './table-writer.js'
import { type Chunk, planWrites } from './write-plan.js'

/** After so many requests in a row that failed as a whole, the rest of a write is not tried: the table is out of reach. */
const MAX_FAILED_REQUESTS = 3

type WriteChunk = (chunk: Chunk, context: SinkContext) => Promise<SinkResult[]>

/**
 * Stores records in a DynamoDB table, in order per partition key of the stream. An item that the table can never hold is rejected alone.
 *
 * @throws InvalidOptionError for options that cannot work
 */
export function dynamoDbSink<T>(options: DynamoDbSinkOptions<T>): Sink<T> {
  const resolved = resolveDynamoDbSinkOptions(options)
  const { uniqueKeys, maxConcurrency } = resolved
  const limits = {
    maxSequences: maxConcurrency,
    maxChunkWrites: uniqueKeys ? dynamoDbQuotas.maxBatchWriteItems : 1,
  }
  const writer = new TableWriter(resolved)
  return {
    async write(records, context) {
      const results: SinkResult[] = new Array(records.length)
      const sequences = planWrites(planAll(records, resolved, results), limits)
      const writeChunk: WriteChunk = uniqueKeys
        ? (chunk) => writer.batchWrite(chunk, context)
        : (chunk) => writer.putEach(chunk, context, records)
      const outage = { failedRequests: 0 }
      await Promise.all(
        sequences.map((chunks) => writeSequence(chunks, results, context, writeChunk, outage)),
      )
      return results
    },
  }
}

/** Request after request. Behind a write that failed nothing of its partition key is written. */
async function writeSequence(
  chunks: readonly Chunk[],
  results: SinkResult[],
  context: SinkContext,
  writeChunk: WriteChunk,
  outage: { failedRequests: number },
): Promise<void> {
  const failedKeys = new Map<string, SinkResult>()
  for (const chunk of chunks) {
    const allowed = chunk.filter(({ partitionKey }) => !failedKeys.has(partitionKey))
    for (const { index, partitionKey } of chunk) {
      const behind = failedKeys.get(partitionKey)
      if (behind !== undefined) results[index] = behind
    }
    if (allowed.length === 0) continue
    const skipped = reasonToSkip(context, outage)
    const outcomes = skipped === undefined ? await writeChunk(allowed, context) : allowed.map(() => skipped)
    if (skipped === undefined)
      outage.failedRequests = outcomes.some(wasAnswered) ? 0 : outage.failedRequests + 1
    for (const [place, { index, partitionKey }] of allowed.entries()) {
      const outcome = outcomes[place]!
      results[index] = outcome
      if (!outcome.stored) failedKeys.set(partitionKey, heldBack(outcome.error))
    }
  }
}

function reasonToSkip(context: SinkContext, outage: { failedRequests: number }): SinkResult | undefined {
  if (context.remainingMs() <= 0) return outOfTime()
  if (outage.failedRequests < MAX_FAILED_REQUESTS) return undefined
  return {
    stored: false,
    error: new Error('The table failed for others of the batch; this one was not tried.'),
  }
}

/** A table that refuses an item for good is not out of reach. */
function wasAnswered(result: SinkResult): boolean {
  return result.stored || isPermanent(result.error)
}
