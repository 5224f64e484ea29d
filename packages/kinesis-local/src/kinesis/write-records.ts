import { kinesisQuotas } from '@org/kinesis-core'
import { ServiceError } from '../service.js'
import { type IncomingRecord, readRecord } from './incoming-record.js'
import type { KinesisContext } from './kinesis-context.js'
import { constraint, matched, type Request } from './request.js'
import { counterOf, SEQUENCE_NUMBER, sequenceNumber } from './sequence-number.js'
import type { Shard } from './shard.js'
import type { Stream } from './stream.js'

type PutResult = { SequenceNumber: string; ShardId: string } | { ErrorCode: string; ErrorMessage: string }

/** What one call wrote to one shard. */
interface ShardWrites {
  records: number
  bytes: number
  throttled: number
}

export function putRecord(context: KinesisContext, request: Request): unknown {
  const stream = context.streams.withRecords(request)
  const record = readRecord(request.all, stream, () => '')
  checkOrdering(stream, request)
  const nowMs = context.clock.now()
  scale(context, stream, nowMs)
  const writes = new Map<Shard, ShardWrites>()
  const result = append(context, stream, record, nowMs, writes)
  noteWritten(context, stream, writes, nowMs)
  if ('ErrorCode' in result) throw new ServiceError(result.ErrorCode, result.ErrorMessage)
  return { ...result, EncryptionType: stream.encryption.type }
}

/** The numbers of a stream increase anyway, so that one to be greater than needs only to be one of them. */
function checkOrdering(stream: Stream, request: Request): void {
  const sequence = request.optionalString('SequenceNumberForOrdering')
  if (sequence === undefined) return
  matched('SequenceNumberForOrdering', sequence, SEQUENCE_NUMBER)
  if (stream.shards.some(({ prefix }) => (counterOf(prefix, sequence) ?? stream.counter) < stream.counter))
    return
  const { name, arn } = stream.settings
  throw new ServiceError(
    'InvalidArgumentException',
    `ExclusiveMinimumSequenceNumber ${sequence} used in PutRecord on stream ${name} under account ${arn.split(':')[4]} is invalid.`,
  )
}

/** Stores what the shards have rate for; the others fail one by one, and the call succeeds all the same. */
export function putRecords(context: KinesisContext, request: Request): unknown {
  const startedAt = performance.now()
  const stream = context.streams.withRecords(request)
  const records = readRecords(request.list('Records'), stream)
  const nowMs = context.clock.now()
  scale(context, stream, nowMs)
  const writes = new Map<Shard, ShardWrites>()
  const results = records.map((record) => append(context, stream, record, nowMs, writes))
  const throttled = noteWritten(context, stream, writes, nowMs)

  const { metrics } = context
  metrics.stream(stream, 'putRecordsTotalRecords', records.length, nowMs)
  metrics.stream(stream, 'putRecordsSuccessfulRecords', records.length - throttled, nowMs)
  metrics.stream(stream, 'putRecordsFailedRecords', 0, nowMs)
  metrics.stream(stream, 'putRecordsThrottledRecords', throttled, nowMs)
  metrics.stream(stream, 'putRecordsSuccess', throttled < records.length ? 1 : 0, nowMs)
  metrics.stream(stream, 'putRecordsLatency', performance.now() - startedAt, nowMs)
  return { FailedRecordCount: throttled, Records: results, EncryptionType: stream.encryption.type }
}

/** Before it takes more, an on-demand stream grows for what the minute before brought. */
function scale({ streams }: KinesisContext, stream: Stream, nowMs: number): void {
  if (stream.mode !== 'ON_DEMAND') return
  const due = stream.scaling.due(stream, stream.warmMiBps, nowMs)
  // The shards that the account has no room for are not split; nobody is told.
  if (due.length > 0) stream.halve(due.slice(0, streams.shardRoom), nowMs)
}

function readRecords(inputs: readonly unknown[], stream: Stream): IncomingRecord[] {
  const { maxPutRecords, maxPutRecordsBytes } = kinesisQuotas
  if (inputs.length === 0 || inputs.length > maxPutRecords) {
    const rule = inputs.length === 0 ? 'greater than or equal to 1' : `less than or equal to ${maxPutRecords}`
    throw constraint('Records', `'[${inputs.length} records]'`, `Member must have length ${rule}`)
  }
  let bytes = 0
  const records = inputs.map((input, index) => {
    const record = readRecord(input, stream, () => `records.${index + 1}.member.`)
    bytes += record.bytes
    return record
  })
  if (bytes > maxPutRecordsBytes) {
    const limit = maxPutRecordsBytes / 1024 / 1024
    throw new ServiceError('InvalidArgumentException', `Records size exceeds ${limit} MB limit`)
  }
  return records
}

/** Stores one record, or says that its shard has no rate left. */
function append(
  { journal }: KinesisContext,
  stream: Stream,
  record: IncomingRecord,
  nowMs: number,
  writes: Map<Shard, ShardWrites>,
): PutResult {
  const shard = stream.route(record.partitionKey, record.explicitHashKey)
  let shardWrites = writes.get(shard)
  if (shardWrites === undefined) {
    shardWrites = { records: 0, bytes: 0, throttled: 0 }
    writes.set(shard, shardWrites)
  }
  if (!shard.admit(record.bytes, nowMs)) {
    shardWrites.throttled += 1
    // AUTO goes on to the next shard: one that is full must not stand before those that have room.
    if (stream.distribution === 'AUTO') stream.counter += 1
    const { name, arn } = stream.settings
    return {
      ErrorCode: 'ProvisionedThroughputExceededException',
      ErrorMessage: `Rate exceeded for shard ${shard.shardId} in stream ${name} under account ${arn.split(':')[4]}.`,
    }
  }
  shardWrites.records += 1
  shardWrites.bytes += record.bytes
  const counter = stream.counter++
  const { partitionKey, keyBytes, data } = record
  const stored = { counter, partitionKey, keyBytes, data, arrivalMs: stream.arrivalAt(nowMs) }
  shard.log.append(stored)
  journal?.record(stream, shard, stored)
  return { SequenceNumber: sequenceNumber(shard.prefix, counter), ShardId: shard.shardId }
}

/** Keeps the books of one call, whatever its number of records; returns how many were throttled. */
function noteWritten(
  { metrics, retention }: KinesisContext,
  stream: Stream,
  writes: ReadonlyMap<Shard, ShardWrites>,
  nowMs: number,
): number {
  const total: ShardWrites = { records: 0, bytes: 0, throttled: 0 }
  for (const [shard, { records, bytes, throttled }] of writes) {
    total.records += records
    total.bytes += bytes
    total.throttled += throttled
    metrics.shard(stream, shard.shardId, 'incomingRecords', records, nowMs)
    metrics.shard(stream, shard.shardId, 'incomingBytes', bytes, nowMs)
    metrics.shard(stream, shard.shardId, 'writeThroughputExceeded', throttled, nowMs)
    if (stream.mode === 'ON_DEMAND') stream.scaling.note(shard, records, bytes, throttled)
    retention.trimExpired(stream, shard, nowMs)
    if (records > 0) shard.changed()
  }
  metrics.stream(stream, 'incomingRecords', total.records, nowMs)
  metrics.stream(stream, 'incomingBytes', total.bytes, nowMs)
  metrics.stream(stream, 'writeThroughputExceeded', total.throttled, nowMs)
  retention.added(total.bytes)
  return total.throttled
}
