import { kinesisQuotas } from '@org/kinesis-core'
import { ServiceError } from '../service.js'
import { describeChild } from './describe-stream.js'
import type { KinesisContext } from './kinesis-context.js'
import { refuseDryRun } from './refuse-dry-run.js'
import type { Request } from './request.js'
import { sequenceNumber } from './sequence-number.js'
import type { Shard } from './shard.js'
import { decodeIterator, encodeIterator, type IteratorPosition } from './shard-iterator.js'
import type { BlobForm, ReadPage, ReadRecord } from './shard-log.js'
import type { Stream } from './stream.js'
import type { EncryptionType } from './stream-encryption.js'

export function getRecords(context: KinesisContext, request: Request, form: BlobForm): unknown {
  const { clock, metrics, retention } = context
  const nowMs = clock.now()
  const position = decodeIterator(request.string('ShardIterator'), nowMs)
  const { maxGetRecords, maxGetRecordsBytes } = kinesisQuotas
  const limit = request.optionalInteger('Limit', 1, maxGetRecords) ?? maxGetRecords
  const { stream, shard } = find(context, position)
  refuseDryRun(request)

  if (!shard.admitRead(nowMs)) throw throttled(context, stream, shard, nowMs)
  retention.trimExpired(stream, shard, nowMs)
  const page = shard.log.read(position.counter, limit, maxGetRecordsBytes, form)
  shard.payForRead(page.bytes)
  noteRead(context, stream, shard, page, nowMs)
  metrics.stream(stream, 'getRecordsLatency', clock.now() - nowMs, nowMs)
  return {
    Records: page.records.map((record) => describeRecord(stream, shard, record)),
    MillisBehindLatest: millisBehindLatest(page, nowMs),
    ...(page.next === undefined && !shard.isOpen
      ? { ChildShards: shard.childShardIds.map((id) => describeChild(stream.shard(id)!)) }
      : { NextShardIterator: nextIterator(position, shard, page, nowMs) }),
  }
}

/** A record as the API gives it. */
export interface RecordShape {
  SequenceNumber: string
  /** Epoch seconds. */
  ApproximateArrivalTimestamp: number
  /** Bytes in process, base64 on the wire. */
  Data: Buffer | string
  PartitionKey: string
  EncryptionType: EncryptionType
}

export function describeRecord(stream: Stream, shard: Shard, record: ReadRecord): RecordShape {
  const { counter, arrivalMs, data, partitionKey } = record
  return {
    SequenceNumber: sequenceNumber(shard.prefix, counter),
    ApproximateArrivalTimestamp: arrivalMs / 1000,
    Data: data,
    PartitionKey: partitionKey,
    EncryptionType: stream.encryption.typeOf(counter),
  }
}

/** Zero says that the reader has caught up, so a reader behind by less than a millisecond hears 1. */
export function millisBehindLatest({ next }: ReadPage, nowMs: number): number {
  return next === undefined ? 0 : Math.max(1, nowMs - next.arrivalMs)
}

function nextIterator(position: IteratorPosition, shard: Shard, page: ReadPage, nowMs: number): string {
  const counter = page.next?.counter ?? Math.max(position.counter, (shard.log.lastCounter ?? -1) + 1)
  return encodeIterator({ ...position, counter, issuedAtMs: nowMs })
}

function find(
  { streams }: KinesisContext,
  { streamName, generation, shardId }: IteratorPosition,
): { stream: Stream; shard: Shard } {
  const stream = streams.named(streamName)
  if (stream.generation !== generation) {
    throw new ServiceError(
      'ResourceNotFoundException',
      `The stream ${streamName} that the ShardIterator was made for has been deleted.`,
    )
  }
  return { stream, shard: streams.shardOf(stream, shardId) }
}

function throttled({ metrics }: KinesisContext, stream: Stream, shard: Shard, nowMs: number): ServiceError {
  metrics.stream(stream, 'readThroughputExceeded', 1, nowMs)
  metrics.stream(stream, 'getRecordsSuccess', 0, nowMs)
  metrics.shard(stream, shard.shardId, 'readThroughputExceeded', 1, nowMs)
  const { name, arn } = stream.settings
  return new ServiceError(
    'ProvisionedThroughputExceededException',
    `Rate exceeded for shard ${shard.shardId} in stream ${name} under account ${arn.split(':')[4]}.`,
  )
}

function noteRead(
  { metrics }: KinesisContext,
  stream: Stream,
  shard: Shard,
  { records, bytes }: ReadPage,
  nowMs: number,
): void {
  // The age of the last record read (developer guide, GetRecords.IteratorAgeMilliseconds).
  const last = records.at(-1)
  const ageMs = last === undefined ? 0 : nowMs - last.arrivalMs
  metrics.stream(stream, 'outgoingRecords', records.length, nowMs)
  metrics.stream(stream, 'outgoingBytes', bytes, nowMs)
  metrics.stream(stream, 'iteratorAge', ageMs, nowMs)
  metrics.stream(stream, 'getRecordsSuccess', 1, nowMs)
  metrics.stream(stream, 'readThroughputExceeded', 0, nowMs)
  metrics.shard(stream, shard.shardId, 'outgoingRecords', records.length, nowMs)
  metrics.shard(stream, shard.shardId, 'outgoingBytes', bytes, nowMs)
  metrics.shard(stream, shard.shardId, 'iteratorAge', ageMs, nowMs)
  metrics.shard(stream, shard.shardId, 'readThroughputExceeded', 0, nowMs)
}
