import { readRecord } from './incoming-record.js'
import type { KinesisContext } from './kinesis-context.js'
import { Request } from './request.js'
import { decodeIterator } from './shard-iterator.js'

/** The shards that a call reads or writes, without doing it: for faults that are a shard's. Throws what the call would. */
export function shardsOfCall(
  { streams, clock }: KinesisContext,
  operation: string,
  input: Record<string, unknown>,
): readonly string[] {
  const request = new Request(input)
  switch (operation) {
    case 'PutRecord':
    case 'PutRecords': {
      const stream = streams.of(request)
      const records = operation === 'PutRecord' ? [input] : request.list('Records')
      const shardIds = records.map((record) => {
        const { partitionKey, explicitHashKey } = readRecord(record, stream, () => '')
        return stream.route(partitionKey, explicitHashKey).shardId
      })
      return [...new Set(shardIds)]
    }
    case 'GetRecords':
      return [decodeIterator(request.string('ShardIterator'), clock.now()).shardId]
    default: {
      const shardId = request.optionalString('ShardId')
      return shardId === undefined ? [] : [shardId]
    }
  }
}
