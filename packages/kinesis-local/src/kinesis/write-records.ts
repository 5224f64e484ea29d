import { kinesisQuotas } from '@org/kinesis-core'
import { ServiceError } from '../service.js'
import { type IncomingRecord, readRecord } from './incoming-record.js'
import type { KinesisContext } from './kinesis-context.js'
import { refuseDryRun } from './refuse-dry-run.js'
import { constraint, matched, type Request } from './request.js'
import { counterOf, SEQUENCE_NUMBER, sequenceNumber } from './sequence-number.js'
import type { Shard } from './shard.js'
import type { Stream } from './stream.js'
import type { PlacedRecord } from './stream-journal.js'

type PutResult = { SequenceNumber: string; ShardId: string } | { ErrorCode: string; ErrorMessage: string }

/** What one call writes to one shard. */
interface ShardWrites {
  records: number
  bytes: number
  throttled: number
}

export function putRecord(context: KinesisContext, request: Request): unknown {
  const stream = context.streams.withRecords(request)
  const record = readRecord(request.all, stream, () => '')
  checkOrdering(stream, request)
  refuseDryRun(request)
  const {
    results: [result],
  } = write(context, stream, [record])
  if ('ErrorCode' in result!) throw new ServiceError(result.ErrorCode, result.ErrorMessage)
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
  const startedAtMs = context.clock.now()
  const stream = context.streams.withRecords(request)
  const records = readRecords(request.list('Records'), stream)
  refuseDryRun(request)
  const { results, throttled } = write(context, stream, records)

  const { metrics, clock } = context
  const nowMs = clock.now()
  metrics.stream(stream, 'putRecordsTotalRecords', records.length, nowMs)
  metrics.stream(stream, 'putRecordsSuccessfulRecords', records.length - throttled, nowMs)
  metrics.stream(stream, 'putRecordsFailedRecords', 0, nowMs)
  metrics.stream(stream, 'putRecordsThrottledRecords', throttled, nowMs)
  metrics.stream(stream, 'putRecordsSuccess', throttled < records.length ? 1 : 0, nowMs)
  metrics.stream(stream, 'putRecordsLatency', nowMs - startedAtMs, nowMs)
  return { FailedRecordCount: throttled, Records: results, EncryptionType: stream.encryption.type }
}

/**
 * Places each record, has the journal keep those that have a place, and only then lets readers see them: a record that is not kept was never
 * there, and its number is nobody's.
 */
function write(
  context: KinesisContext,
  stream: Stream,
  records: readonly IncomingRecord[],
): { results: PutResult[]; throttled: number } {
  const nowMs = context.clock.now()
  scale(context, stream, nowMs)
  const firstCounter = stream.counter
  const writes = new Map<Shard, ShardWrites>()
  const placed: PlacedRecord[] = []
  const results = records.map((record) => place(stream, record, nowMs, writes, placed))
  try {
    context.journal?.write(stream, placed)
  } catch (error) {
    // An iterator at a tip beyond these numbers would miss the records that get them after the next start.
    stream.counter = firstCounter
    throw error
  }
  let heldBytes = 0
  for (const record of placed) heldBytes += record.shard.log.append(record)
  return { results, throttled: noteWritten(context, stream, writes, heldBytes, nowMs) }
}

/** Before it takes more, an on-demand stream grows for what the minute before brought. */
function scale({ streams }: KinesisContext, stream: Stream, nowMs: number): void {
  if (stream.mode !== 'ON_DEMAND') return
  // The shards that the account has no room for are not split; nobody is told.
  const due = stream.scaling.due(stream, stream.warmMiBps, nowMs).slice(0, streams.shardRoom)
  stream.halve(due, nowMs)
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

/** Gives one record its shard and number, or says that the shard has no rate left. */
function place(
  stream: Stream,
  record: IncomingRecord,
  nowMs: number,
  writes: Map<Shard, ShardWrites>,
  placed: PlacedRecord[],
): PutResult {
  const shard = stream.route(record.partitionKey, record.explicitHashKey)
  // AUTO goes on to the next shard, also where this one is full: it must not stand before those that have room.
  stream.turn += 1
  let shardWrites = writes.get(shard)
  if (shardWrites === undefined) {
    shardWrites = { records: 0, bytes: 0, throttled: 0 }
    writes.set(shard, shardWrites)
  }
  if (!shard.admit(record.bytes, nowMs)) {
    shardWrites.throttled += 1
    const { name, arn } = stream.settings
    return {
      ErrorCode: 'ProvisionedThroughputExceededException',
      ErrorMessage: `Rate exceeded for shard ${shard.shardId} in stream ${name} under account ${arn.split(':')[4]}.`,
    }
  }
  const counter = stream.counter++
  const { partitionKey, keyBytes, data } = record
  placed.push({ shard, counter, partitionKey, keyBytes, data, arrivalMs: stream.arrivalAt(nowMs) })
  shardWrites.records += 1
  shardWrites.bytes += record.bytes
  return { SequenceNumber: sequenceNumber(shard.prefix, counter), ShardId: shard.shardId }
}

/** Keeps the books of one call, whatever its number of records; returns how many were throttled. */
function noteWritten(
  { metrics, retention }: KinesisContext,
  stream: Stream,
  writes: ReadonlyMap<Shard, ShardWrites>,
  heldBytes: number,
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
  // What has expired is gone by now, and need not go early.
  retention.added(heldBytes)
  return total.throttled
}
