import { dynamoDbQuotas } from '@org/kinesis-core'
import { planWrites } from '../requests/planned-write.js'
import { planRequests } from '../requests/request-plan.js'
import { sendRequests } from '../requests/send-requests.js'
import type { Sink, SinkResult } from '../sink.js'
import { type DynamoDbSinkOptions, resolveDynamoDbSinkOptions } from './dynamodb-options.js'
import { type PlannedItem, planItem } from './planned-item.js'
import { TableWriter } from './table-writer.js'

/**
 * Stores records in a DynamoDB table, in order per partition key of the stream. An item that the table can never hold is rejected alone.
 *
 * @throws InvalidOptionError for options that cannot work
 */
export function dynamoDbSink<T>(options: DynamoDbSinkOptions<T>): Sink<T> {
  const resolved = resolveDynamoDbSinkOptions(options)
  const { uniqueKeys, maxConcurrency, tableName } = resolved
  const limits = {
    maxSequences: maxConcurrency,
    maxWrites: uniqueKeys ? dynamoDbQuotas.maxBatchWriteItems : 1,
    maxBytes: dynamoDbQuotas.maxBatchWriteBytes,
    // The service refuses a request that names a key twice.
    apart: ({ itemKey }: PlannedItem) => itemKey,
  }
  const writer = new TableWriter(resolved)
  return {
    async write(records, context) {
      const results: SinkResult[] = new Array(records.length)
      const items = planWrites(records, (record, index) => planItem(record, index, resolved), results)
      const send = (writes: readonly PlannedItem[]) =>
        uniqueKeys ? writer.batchWrite(writes, context) : writer.putEach(writes, context, records)
      await sendRequests(planRequests(items, limits), { what: tableName, send }, context, results)
      return results
    },
  }
}
