import type { KinesisEvent, KinesisEventRecord } from '../lambda-events.js'
import { toBuffer } from './test-data.js'

export interface TestRecord {
  /** @default 'key-1' */
  partitionKey?: string
  /** Text as it is, bytes as they are (`aggregated`, `gzipped` and `logSubscription` give some), anything else as JSON. */
  data: unknown
  /** @default one more than the record before it */
  sequenceNumber?: string
  /** @default 2026-01-01T00:00:00Z */
  arrivalMs?: number
}

export interface KinesisEventOptions {
  /** @default 'test-stream' */
  streamName?: string
  /** @default 'shardId-000000000000' */
  shardId?: string
}

const FIRST_SEQUENCE_NUMBER = 49_590_338_271_490_256_608_559_692_538_361_571_095_921_575_989_136_588_898n

/** The event that Lambda hands to a handler on a Kinesis stream, from as little as a test cares to say. */
export function kinesisEvent(
  records: readonly TestRecord[],
  options: KinesisEventOptions = {},
): KinesisEvent {
  const { streamName = 'test-stream', shardId = 'shardId-000000000000' } = options
  const arn = `arn:aws:kinesis:us-east-1:000000000000:stream/${streamName}`
  return {
    Records: records.map((record, index): KinesisEventRecord => {
      const sequenceNumber = record.sequenceNumber ?? String(FIRST_SEQUENCE_NUMBER + BigInt(index))
      return {
        eventID: `${shardId}:${sequenceNumber}`,
        eventName: 'aws:kinesis:record',
        eventSource: 'aws:kinesis',
        eventSourceARN: arn,
        eventVersion: '1.0',
        awsRegion: 'us-east-1',
        invokeIdentityArn: 'arn:aws:iam::000000000000:role/test',
        kinesis: {
          kinesisSchemaVersion: '1.0',
          partitionKey: record.partitionKey ?? 'key-1',
          sequenceNumber,
          data: toBuffer(record.data).toString('base64'),
          approximateArrivalTimestamp: (record.arrivalMs ?? Date.UTC(2026, 0, 1)) / 1000,
        },
      }
    }),
  }
}
