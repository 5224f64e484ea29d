import { PermanentError, type RecordPosition, type SinkRecord, type SinkResult } from './index.js'

export const time = { remainingMs: () => 60_000 }

export function position(n: number, more: Partial<RecordPosition> = {}): RecordPosition {
  return {
    streamArn: 'arn:aws:kinesis:us-east-1:000000000000:stream/events',
    streamName: 'events',
    shardId: 'shardId-000000000000',
    sequenceNumber: String(
      49_590_338_271_490_256_608_559_692_538_361_571_095_921_575_989_136_588_898n + BigInt(n),
    ),
    subSequenceNumber: 0,
    partitionKey: 'a',
    arrivalMs: 0,
    ...more,
  }
}

/** Each is behind the one before it in its shard. */
export function sinkRecords<T>(...values: [partitionKey: string, value: T][]): SinkRecord<T>[] {
  return values.map(([partitionKey, value], n) => ({ value, position: position(n, { partitionKey }) }))
}

export function outcomes(results: readonly SinkResult[]): string[] {
  return results.map((result) =>
    result.stored
      ? 'stored'
      : result.error instanceof PermanentError
        ? String(result.error.reasonCode)
        : 'failed',
  )
}
