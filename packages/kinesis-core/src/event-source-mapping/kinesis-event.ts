import type { KinesisEvent, KinesisEventRecord } from '../lambda-events.js'
import type { MappedBatch } from './mapping-effects.js'
import type { ShardRecord } from './shard-record.js'

/** Where the records of an event come from. */
export interface EventSource {
  streamArn: string
  shardId: string
  region: string
  /** The role that an event names. @default a role `local` of the stream's account */
  roleArn?: string
}

/** A record with what the event carries of it. */
export interface DataRecord extends ShardRecord {
  data: Uint8Array
}

/** Builds the events of one shard, as documented in "Using Lambda with Kinesis", and says beforehand what a record will weigh. */
export function kinesisEventBuilder(source: EventSource) {
  const { streamArn, shardId, region } = source
  const account = streamArn.split(':')[4] ?? ''
  const invokeIdentityArn = source.roleArn ?? `arn:aws:iam::${account}:role/local`

  const record = (of: Omit<DataRecord, 'payloadBytes'>): KinesisEventRecord => ({
    kinesis: {
      kinesisSchemaVersion: '1.0',
      partitionKey: of.partitionKey,
      sequenceNumber: of.sequenceNumber,
      data: base64(of.data),
      approximateArrivalTimestamp: of.arrivalMs / 1_000,
    },
    eventSource: 'aws:kinesis',
    eventVersion: '1.0',
    eventID: `${shardId}:${of.sequenceNumber}`,
    eventName: 'aws:kinesis:record',
    invokeIdentityArn,
    awsRegion: region,
    eventSourceARN: streamArn,
  })
  // Everything but key, sequence number (twice), data and time, which never needs more than 16 characters; and a comma.
  const emptyRecord = record({ partitionKey: '', sequenceNumber: '', arrivalMs: 0, data: new Uint8Array() })
  const fixedBytes = Buffer.byteLength(JSON.stringify(emptyRecord)) + 16 + 1

  return {
    /** What one record adds to the JSON of an event, in bytes; never less than it does. */
    payloadBytes(of: { partitionKey: string; sequenceNumber: string; data: Uint8Array }): number {
      return (
        fixedBytes +
        Buffer.byteLength(JSON.stringify(of.partitionKey)) +
        of.sequenceNumber.length * 2 +
        Math.ceil(of.data.byteLength / 3) * 4
      )
    },

    event(batch: MappedBatch<DataRecord>): KinesisEvent {
      const Records = batch.records.map(record)
      if (batch.window === undefined) return { Records }
      const { startMs, endMs, state, isFinalInvokeForWindow, isWindowTerminatedEarly } = batch.window
      return {
        Records,
        window: { start: wholeSecond(startMs), end: wholeSecond(endMs) },
        state,
        shardId,
        eventSourceARN: streamArn,
        isFinalInvokeForWindow,
        isWindowTerminatedEarly,
      }
    },
  }
}

function base64(data: Uint8Array): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64')
}

/** As the documented events write window borders: `2020-12-09T07:04:00Z`. */
function wholeSecond(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z')
}
