import { kinesisQuotas, parseHashKey } from '@org/kinesis-core'
import { ServiceError } from '../service.js'
import { constraint, Request } from './request.js'
import { sequenceNumber } from './sequence-number.js'
import type { Shard } from './shard.js'
import type { Stream } from './stream.js'

/** A record as a put brings it, checked. */
export interface IncomingRecord {
  partitionKey: string
  explicitHashKey: bigint | undefined
  data: string
  bytes: number
}

export type PutResult =
  | { SequenceNumber: string; ShardId: string }
  | { ErrorCode: string; ErrorMessage: string }

/** Checks a record before anything of its request is stored. `data` is base64 text on the wire and bytes in process. */
export function readRecord(input: unknown, stream: Stream): IncomingRecord {
  if (typeof input !== 'object' || input === null) {
    throw new ServiceError('SerializationException', 'Records: a member is no structure')
  }
  const request = new Request(input as Record<string, unknown>)
  const partitionKey = request.string('PartitionKey')
  if (partitionKey.length === 0 || partitionKey.length > kinesisQuotas.maxPartitionKeyLength) {
    throw constraint(
      'PartitionKey',
      `'${partitionKey.slice(0, 40)}'`,
      `Member must have length between 1 and ${kinesisQuotas.maxPartitionKeyLength}`,
    )
  }
  const { data, bytes: dataBytes } = readData((input as { Data?: unknown }).Data)
  const bytes = dataBytes + Buffer.byteLength(partitionKey)
  if (bytes > stream.maxRecordBytes) {
    throw constraint(
      'Data',
      `of ${dataBytes} bytes`,
      `Member must have length less than or equal to ${stream.maxRecordBytes}`,
    )
  }
  const hashKey = request.optionalString('ExplicitHashKey')
  const explicitHashKey = hashKey === undefined ? undefined : parseHashKey(hashKey)
  if (hashKey !== undefined && explicitHashKey === undefined) {
    throw new ServiceError(
      'InvalidArgumentException',
      `Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was ${hashKey.slice(0, 60)}`,
    )
  }
  return { partitionKey, explicitHashKey, data, bytes }
}

function readData(value: unknown): { data: string; bytes: number } {
  if (value instanceof Uint8Array) {
    const buffer = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    return { data: buffer.toString('base64'), bytes: buffer.length }
  }
  if (value === undefined || value === null) throw constraint('Data', 'null', 'Member must not be null')
  if (typeof value !== 'string' || value.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(value)) {
    throw new ServiceError('SerializationException', 'Data: the value is no base64 text')
  }
  const padding = value.endsWith('==') ? 2 : value.endsWith('=') ? 1 : 0
  return { data: value, bytes: (value.length / 4) * 3 - padding }
}

/** Stores one record, or says that its shard has no rate left. */
export function appendRecord(
  stream: Stream,
  record: IncomingRecord,
  nowMs: number,
): { shard: Shard; result: PutResult } {
  const shard = stream.route(record.partitionKey, record.explicitHashKey)
  if (!shard.admit(record.bytes, nowMs)) {
    const { name, arn } = stream.settings
    return {
      shard,
      result: {
        ErrorCode: 'ProvisionedThroughputExceededException',
        ErrorMessage: `Rate exceeded for shard ${shard.shardId} in stream ${name} under account ${arn.split(':')[4]}.`,
      },
    }
  }
  const counter = stream.counter++
  const { partitionKey, data, bytes } = record
  shard.log.append({ counter, partitionKey, data, bytes, arrivalMs: nowMs })
  return { shard, result: { SequenceNumber: sequenceNumber(shard.prefix, counter), ShardId: shard.shardId } }
}
