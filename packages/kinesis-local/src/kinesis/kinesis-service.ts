import { type Clock, kinesisQuotas, parseHashKey, shardMetrics, systemClock } from '@org/kinesis-core'
import { type LocalService, type MetricSink, ServiceError } from '../service.js'
import { KinesisMetrics } from './kinesis-metrics.js'
import { appendRecord, type PutResult, readRecord } from './put-records.js'
import { constraint, Request } from './request.js'
import { counterOf } from './sequence-number.js'
import type { Shard } from './shard.js'
import { decodeIterator, encodeIterator } from './shard-iterator.js'
import type { StoredRecord } from './shard-log.js'
import { Stream } from './stream.js'

export interface KinesisServiceOptions {
  /** @default 'us-east-1' */
  region?: string
  /** @default '000000000000' */
  accountId?: string
  /** @default the system's clock */
  clock?: Clock
  metrics?: MetricSink
  /** Keep the service's rates per shard, in and out. @default true */
  shardLimits?: boolean
  /**
   * Bytes of all records together; when they are passed the oldest go before their retention is over, and `onEarlyTrim` hears of it
   * once. The service has no such bound. @default 512 MiB
   */
  maxRetainedBytes?: number
  onEarlyTrim?: (message: string) => void
}

const HOUR_MS = 3_600_000
const ITERATOR_TYPES = [
  'TRIM_HORIZON',
  'LATEST',
  'AT_SEQUENCE_NUMBER',
  'AFTER_SEQUENCE_NUMBER',
  'AT_TIMESTAMP',
] as const
/** Blobs as bytes for callers in process, as base64 for the wire. */
type BlobForm = 'bytes' | 'base64'
type Operation = (request: Request, form: BlobForm) => unknown

/** Kinesis Data Streams in process: streams, shards, records and limits, with the API's own shapes and errors. */
export class KinesisService implements LocalService {
  readonly targetPrefix = 'Kinesis_20131202'
  readonly #streams = new Map<string, Stream>()
  readonly #clock: Clock
  readonly #metrics: KinesisMetrics
  readonly #region: string
  readonly #accountId: string
  readonly #limited: boolean
  readonly #maxRetainedBytes: number
  readonly #onEarlyTrim: (message: string) => void
  #retainedBytes = 0
  #saidTrimmed = false

  readonly #operations: Record<string, Operation> = {
    CreateStream: (request) => this.#createStream(request),
    DeleteStream: (request) => this.#deleteStream(request),
    DescribeStream: (request) => this.#describeStream(request),
    DescribeStreamSummary: (request) => this.#describeStreamSummary(request),
    DescribeLimits: () => ({
      ShardLimit: 500,
      OpenShardCount: this.#openShards(),
      OnDemandStreamCount: 0,
      OnDemandStreamCountLimit: 50,
    }),
    ListStreams: (request) => this.#listStreams(request),
    ListShards: (request) => this.#listShards(request),
    PutRecord: (request) => this.#putRecord(request),
    PutRecords: (request) => this.#putRecords(request),
    GetShardIterator: (request) => this.#getShardIterator(request),
    GetRecords: (request, form) => this.#getRecords(request, form),
    SplitShard: (request) => this.#splitShard(request),
    MergeShards: (request) => this.#mergeShards(request),
    UpdateShardCount: (request) => this.#updateShardCount(request),
    IncreaseStreamRetentionPeriod: (request) => this.#changeRetention(request, 'increase'),
    DecreaseStreamRetentionPeriod: (request) => this.#changeRetention(request, 'decrease'),
    EnableEnhancedMonitoring: (request) => this.#changeMonitoring(request, true),
    DisableEnhancedMonitoring: (request) => this.#changeMonitoring(request, false),
    AddTagsToStream: (request) => this.#addTags(request),
    RemoveTagsFromStream: (request) => this.#removeTags(request),
    ListTagsForStream: (request) => this.#listTags(request),
  }

  constructor(options: KinesisServiceOptions = {}) {
    this.#region = options.region ?? 'us-east-1'
    this.#accountId = options.accountId ?? '000000000000'
    this.#clock = options.clock ?? systemClock
    this.#metrics = new KinesisMetrics(options.metrics)
    this.#limited = options.shardLimits ?? true
    this.#maxRetainedBytes = options.maxRetainedBytes ?? 512 * 1024 * 1024
    this.#onEarlyTrim = options.onEarlyTrim ?? (() => {})
  }

  call(operation: string, input: Record<string, unknown>): unknown {
    return this.#run(operation, input, 'bytes')
  }

  /** As `call`, with blobs as base64, which is how they came and how they are kept. */
  callForWire(operation: string, input: Record<string, unknown>): unknown {
    return this.#run(operation, input, 'base64')
  }

  #run(operation: string, input: Record<string, unknown>, form: BlobForm): unknown {
    const run = Object.hasOwn(this.#operations, operation) ? this.#operations[operation] : undefined
    if (run === undefined)
      throw new ServiceError('UnknownOperationException', `Operation ${operation} is not supported.`)
    return run(new Request(input), form)
  }

  #createStream(request: Request): undefined {
    const name = streamName(request.string('StreamName'))
    if (this.#streams.has(name)) {
      throw new ServiceError(
        'ResourceInUseException',
        `Stream ${name} under account ${this.#accountId} already exists.`,
      )
    }
    const mode = new Request(request.object('StreamModeDetails') ?? { StreamMode: 'PROVISIONED' })
    const streamMode = mode.oneOf('StreamMode', ['PROVISIONED', 'ON_DEMAND'])
    const shardCount =
      request.optionalInteger('ShardCount', 1, 100_000) ?? (streamMode === 'ON_DEMAND' ? 4 : 1)
    this.#streams.set(
      name,
      new Stream({
        name,
        arn: `arn:aws:kinesis:${this.#region}:${this.#accountId}:stream/${name}`,
        shardCount,
        retentionHours: kinesisQuotas.minRetentionHours,
        createdAtMs: this.#clock.now(),
        limited: this.#limited,
        streamMode,
      }),
    )
  }

  #deleteStream(request: Request): undefined {
    const stream = this.#stream(request)
    this.#retainedBytes -= stream.bytes
    this.#streams.delete(stream.settings.name)
  }

  #describeStream(request: Request): unknown {
    const stream = this.#stream(request)
    const limit = request.optionalInteger('Limit', 1, 10_000) ?? 100
    const start = request.optionalString('ExclusiveStartShardId')
    const shards = stream.shards.filter((shard) => start === undefined || shard.shardId > start)
    return {
      StreamDescription: {
        ...describe(stream),
        Shards: shards.slice(0, limit).map(describeShard),
        HasMoreShards: shards.length > limit,
      },
    }
  }

  #describeStreamSummary(request: Request): unknown {
    const stream = this.#stream(request)
    return {
      StreamDescriptionSummary: {
        ...describe(stream),
        OpenShardCount: stream.openShards.length,
        ConsumerCount: 0,
        MaxRecordSizeInKiB: stream.maxRecordBytes / 1024,
      },
    }
  }

  #listStreams(request: Request): unknown {
    const limit = request.optionalInteger('Limit', 1, 10_000) ?? 100
    const start =
      request.optionalString('ExclusiveStartStreamName') ?? request.optionalString('NextToken') ?? ''
    const names = [...this.#streams.keys()].filter((name) => name > start).sort()
    const page = names.slice(0, limit)
    return {
      StreamNames: page,
      HasMoreStreams: names.length > limit,
      ...(names.length > limit ? { NextToken: page.at(-1) } : {}),
      StreamSummaries: page.map((name) => summary(this.#streams.get(name)!)),
    }
  }

  #listShards(request: Request): unknown {
    const token = request.optionalString('NextToken')
    if (token !== undefined && request.optionalString('StreamName') !== undefined) {
      throw new ServiceError(
        'InvalidArgumentException',
        'NextToken and StreamName cannot be provided together.',
      )
    }
    const page = token === undefined ? undefined : parseListToken(token)
    const stream = page === undefined ? this.#stream(request) : this.#streamNamed(page.streamName)
    const start = page?.after ?? request.optionalString('ExclusiveStartShardId') ?? ''
    const filter = page === undefined ? request.object('ShardFilter') : page.filter
    const limit = request.optionalInteger('MaxResults', 1, 10_000) ?? kinesisQuotas.maxListShards
    const shards = this.#filterShards(stream, filter).filter((shard) => shard.shardId > start)
    const shown = shards.slice(0, limit)
    return {
      Shards: shown.map(describeShard),
      ...(shards.length > limit
        ? { NextToken: listToken({ streamName: stream.settings.name, after: shown.at(-1)!.shardId, filter }) }
        : {}),
    }
  }

  #filterShards(stream: Stream, filter: Record<string, unknown> | undefined): Shard[] {
    if (filter === undefined) return stream.shards
    const request = new Request(filter)
    const type = request.oneOf('Type', [
      'AFTER_SHARD_ID',
      'AT_TRIM_HORIZON',
      'FROM_TRIM_HORIZON',
      'AT_LATEST',
      'AT_TIMESTAMP',
      'FROM_TIMESTAMP',
    ])
    const horizonMs = this.#clock.now() - stream.retentionHours * HOUR_MS
    const openAt = (shard: Shard, atMs: number) =>
      shard.createdAtMs <= atMs && (shard.closedAtMs === undefined || shard.closedAtMs > atMs)
    const openFrom = (shard: Shard, atMs: number) => shard.closedAtMs === undefined || shard.closedAtMs > atMs
    // A stream younger than its retention has its horizon at its creation.
    const trimHorizonMs = Math.max(horizonMs, stream.settings.createdAtMs)
    switch (type) {
      case 'AT_LATEST':
        return stream.shards.filter((shard) => shard.isOpen)
      case 'AFTER_SHARD_ID': {
        const after = request.string('ShardId')
        return stream.shards.filter((shard) => shard.shardId > after)
      }
      case 'AT_TRIM_HORIZON':
        return stream.shards.filter((shard) => openAt(shard, trimHorizonMs))
      case 'FROM_TRIM_HORIZON':
        return stream.shards.filter((shard) => openFrom(shard, trimHorizonMs))
      case 'AT_TIMESTAMP':
        return stream.shards.filter((shard) => openAt(shard, request.timestampMs('Timestamp')))
      case 'FROM_TIMESTAMP':
        return stream.shards.filter((shard) => openFrom(shard, request.timestampMs('Timestamp')))
    }
  }

  #putRecord(request: Request): unknown {
    const stream = this.#stream(request)
    const record = readRecord(request.all, stream)
    const nowMs = this.#clock.now()
    const { shard, result } = appendRecord(stream, record, nowMs)
    this.#noteWritten(stream, new Map([[shard, countOf(result, record.bytes)]]), nowMs)
    if ('ErrorCode' in result) throw new ServiceError(result.ErrorCode, result.ErrorMessage)
    return { ...result, EncryptionType: 'NONE' }
  }

  #putRecords(request: Request): unknown {
    const stream = this.#stream(request)
    const inputs = request.list('Records')
    if (inputs.length === 0 || inputs.length > kinesisQuotas.maxPutRecords) {
      throw constraint(
        'Records',
        `of ${inputs.length} members`,
        inputs.length === 0
          ? 'Member must have length greater than or equal to 1'
          : `Member must have length less than or equal to ${kinesisQuotas.maxPutRecords}`,
      )
    }
    const records = inputs.map((input) => readRecord(input, stream))
    let bytes = 0
    for (const record of records) bytes += record.bytes
    if (bytes > kinesisQuotas.maxPutRecordsBytes) {
      throw new ServiceError(
        'InvalidArgumentException',
        `Records size exceeds ${kinesisQuotas.maxPutRecordsBytes / 1024 / 1024} MB limit`,
      )
    }
    const nowMs = this.#clock.now()
    const written = new Map<Shard, ShardWrites>()
    const results: PutResult[] = new Array(records.length)
    let failed = 0
    for (let i = 0; i < records.length; i++) {
      const record = records[i]!
      const { shard, result } = appendRecord(stream, record, nowMs)
      results[i] = result
      const isThrottled = 'ErrorCode' in result
      if (isThrottled) failed += 1
      const writes = written.get(shard)
      if (writes === undefined) written.set(shard, countOf(result, record.bytes))
      else if (isThrottled) writes.throttled += 1
      else {
        writes.records += 1
        writes.bytes += record.bytes
      }
    }
    this.#noteWritten(stream, written, nowMs)
    this.#metrics.stream(stream, 'putRecordsTotalRecords', records.length, nowMs)
    this.#metrics.stream(stream, 'putRecordsSuccessfulRecords', records.length - failed, nowMs)
    this.#metrics.stream(stream, 'putRecordsFailedRecords', 0, nowMs)
    this.#metrics.stream(stream, 'putRecordsThrottledRecords', failed, nowMs)
    this.#metrics.stream(stream, 'putRecordsSuccess', failed < records.length ? 1 : 0, nowMs)
    return { FailedRecordCount: failed, Records: results, EncryptionType: 'NONE' }
  }

  #noteWritten(stream: Stream, written: Map<Shard, ShardWrites>, nowMs: number): void {
    const total: ShardWrites = { records: 0, bytes: 0, throttled: 0 }
    for (const [shard, writes] of written) {
      total.records += writes.records
      total.bytes += writes.bytes
      total.throttled += writes.throttled
      this.#metrics.shard(stream, shard.shardId, 'incomingRecords', writes.records, nowMs)
      this.#metrics.shard(stream, shard.shardId, 'incomingBytes', writes.bytes, nowMs)
      this.#metrics.shard(stream, shard.shardId, 'writeThroughputExceeded', writes.throttled, nowMs)
      this.#trimExpired(stream, shard, nowMs)
    }
    this.#metrics.stream(stream, 'incomingRecords', total.records, nowMs)
    this.#metrics.stream(stream, 'incomingBytes', total.bytes, nowMs)
    this.#metrics.stream(stream, 'writeThroughputExceeded', total.throttled, nowMs)
    this.#retainedBytes += total.bytes
    if (this.#retainedBytes > this.#maxRetainedBytes) this.#trimEarly()
  }

  #getShardIterator(request: Request): unknown {
    const stream = this.#stream(request)
    const shard = this.#shard(stream, request.string('ShardId'))
    const type = request.oneOf('ShardIteratorType', ITERATOR_TYPES)
    return {
      ShardIterator: encodeIterator({
        streamName: stream.settings.name,
        shardId: shard.shardId,
        counter: this.#startingCounter(request, stream, shard, type),
        issuedAtMs: this.#clock.now(),
      }),
    }
  }

  #startingCounter(
    request: Request,
    stream: Stream,
    shard: Shard,
    type: (typeof ITERATOR_TYPES)[number],
  ): number {
    if (type === 'TRIM_HORIZON') return 0
    if (type === 'LATEST') return stream.counter
    if (type === 'AT_TIMESTAMP') {
      return shard.log.firstArrivedFrom(request.timestampMs('Timestamp'))?.counter ?? stream.counter
    }
    const sequence = request.string('StartingSequenceNumber')
    const counter = counterOf(shard.prefix, sequence)
    if (counter === undefined) {
      throw new ServiceError(
        'InvalidArgumentException',
        `StartingSequenceNumber ${sequence.slice(0, 80)} used in GetShardIterator on shard ${shard.shardId} in stream ${stream.settings.name} under account ${this.#accountId} is invalid.`,
      )
    }
    return type === 'AFTER_SEQUENCE_NUMBER' ? counter + 1 : counter
  }

  #getRecords(request: Request, form: BlobForm): unknown {
    const nowMs = this.#clock.now()
    const position = decodeIterator(request.string('ShardIterator'), nowMs)
    const limit =
      request.optionalInteger('Limit', 1, kinesisQuotas.maxGetRecords) ?? kinesisQuotas.maxGetRecords
    const stream = this.#streamNamed(position.streamName)
    const shard = this.#shard(stream, position.shardId)
    if (!shard.admitRead(nowMs)) {
      this.#metrics.stream(stream, 'readThroughputExceeded', 1, nowMs)
      this.#metrics.shard(stream, shard.shardId, 'readThroughputExceeded', 1, nowMs)
      throw new ServiceError(
        'ProvisionedThroughputExceededException',
        `Rate exceeded for shard ${shard.shardId} in stream ${stream.settings.name} under account ${this.#accountId}.`,
      )
    }
    this.#trimExpired(stream, shard, nowMs)
    const { records, next } = shard.log.read(position.counter, limit, kinesisQuotas.maxGetRecordsBytes)
    const counter = next?.counter ?? Math.max(position.counter, (shard.log.last?.counter ?? 0) + 1)
    const millisBehind = next === undefined ? 0 : nowMs - next.arrivalMs
    this.#noteRead(stream, shard, records, nowMs)
    const isFinished = !shard.isOpen && next === undefined
    return {
      Records: records.map((record) => describeRecord(shard, record, form)),
      MillisBehindLatest: millisBehind,
      ...(isFinished
        ? { ChildShards: shard.childShardIds.map((id) => describeChild(stream.shard(id)!)) }
        : { NextShardIterator: encodeIterator({ ...position, counter, issuedAtMs: nowMs }) }),
    }
  }

  #noteRead(stream: Stream, shard: Shard, records: readonly StoredRecord[], nowMs: number): void {
    let bytes = 0
    for (const record of records) bytes += record.bytes
    shard.payForRead(bytes)
    // The age of the last record read (developer guide, GetRecords.IteratorAgeMilliseconds).
    const last = records.at(-1)
    const ageMs = last === undefined ? 0 : nowMs - last.arrivalMs
    this.#metrics.stream(stream, 'outgoingRecords', records.length, nowMs)
    this.#metrics.stream(stream, 'outgoingBytes', bytes, nowMs)
    this.#metrics.stream(stream, 'iteratorAge', ageMs, nowMs)
    this.#metrics.stream(stream, 'getRecordsSuccess', 1, nowMs)
    this.#metrics.stream(stream, 'readThroughputExceeded', 0, nowMs)
    this.#metrics.shard(stream, shard.shardId, 'outgoingRecords', records.length, nowMs)
    this.#metrics.shard(stream, shard.shardId, 'outgoingBytes', bytes, nowMs)
    this.#metrics.shard(stream, shard.shardId, 'iteratorAge', ageMs, nowMs)
  }

  #splitShard(request: Request): undefined {
    const stream = this.#stream(request)
    const shard = this.#openShard(stream, request.string('ShardToSplit'))
    const text = request.string('NewStartingHashKey')
    const at = parseHashKey(text)
    if (at === undefined)
      throw constraint(
        'NewStartingHashKey',
        `'${text}'`,
        'Member must satisfy regular expression pattern: 0|([1-9]\\d{0,38})',
      )
    stream.split(shard, at, this.#clock.now())
  }

  #mergeShards(request: Request): undefined {
    const stream = this.#stream(request)
    stream.merge(
      this.#openShard(stream, request.string('ShardToMerge')),
      this.#openShard(stream, request.string('AdjacentShardToMerge')),
      this.#clock.now(),
    )
  }

  #updateShardCount(request: Request): unknown {
    const stream = this.#stream(request)
    request.oneOf('ScalingType', ['UNIFORM_SCALING'])
    const target = request.integer('TargetShardCount', 1, 100_000)
    const current = stream.openShards.length
    if (target > current * 2 || target < current / 2) {
      throw new ServiceError(
        'InvalidArgumentException',
        `UpdateShardCount cannot scale to more than double or less than half of the current open shard count. Current count: ${current}, target: ${target}.`,
      )
    }
    stream.resize(target, this.#clock.now())
    const { name, arn } = stream.settings
    return { StreamName: name, StreamARN: arn, CurrentShardCount: current, TargetShardCount: target }
  }

  #changeRetention(request: Request, direction: 'increase' | 'decrease'): undefined {
    const stream = this.#stream(request)
    const { minRetentionHours, maxRetentionHours } = kinesisQuotas
    const hours = request.integer('RetentionPeriodHours', minRetentionHours, maxRetentionHours)
    const isWrong = direction === 'increase' ? hours < stream.retentionHours : hours > stream.retentionHours
    if (isWrong) {
      throw new ServiceError(
        'InvalidArgumentException',
        `Requested retention period (${hours} hours) for stream ${stream.settings.name} can not be ${direction === 'increase' ? 'shorter' : 'longer'} than existing retention period (${stream.retentionHours} hours).`,
      )
    }
    stream.retentionHours = hours
  }

  #changeMonitoring(request: Request, enable: boolean): unknown {
    const stream = this.#stream(request)
    const before = [...stream.shardLevelMetrics]
    const asked = request.list('ShardLevelMetrics').map(String)
    const known = Object.values(shardMetrics).map(({ name }) => name)
    for (const name of asked.includes('ALL') ? known : asked) {
      if (enable) stream.shardLevelMetrics.add(name)
      else stream.shardLevelMetrics.delete(name)
    }
    return {
      StreamName: stream.settings.name,
      StreamARN: stream.settings.arn,
      CurrentShardLevelMetrics: before,
      DesiredShardLevelMetrics: [...stream.shardLevelMetrics],
    }
  }

  #addTags(request: Request): undefined {
    const stream = this.#stream(request)
    for (const [key, value] of Object.entries(request.object('Tags') ?? {}))
      stream.tags.set(key, String(value))
  }

  #removeTags(request: Request): undefined {
    const stream = this.#stream(request)
    for (const key of request.list('TagKeys')) stream.tags.delete(String(key))
  }

  #listTags(request: Request): unknown {
    const stream = this.#stream(request)
    const limit = request.optionalInteger('Limit', 1, 50) ?? 50
    const start = request.optionalString('ExclusiveStartTagKey') ?? ''
    const keys = [...stream.tags.keys()].filter((key) => key > start).sort()
    return {
      Tags: keys.slice(0, limit).map((key) => ({ Key: key, Value: stream.tags.get(key) })),
      HasMoreTags: keys.length > limit,
    }
  }

  #stream(request: Request): Stream {
    const arn = request.optionalString('StreamARN')
    const name = request.optionalString('StreamName') ?? arn?.split('/')[1]
    if (name === undefined)
      throw new ServiceError('InvalidArgumentException', 'Either StreamName or StreamARN must be given.')
    return this.#streamNamed(name)
  }

  #streamNamed(name: string): Stream {
    const stream = this.#streams.get(name)
    if (stream === undefined) {
      throw new ServiceError(
        'ResourceNotFoundException',
        `Stream ${name} under account ${this.#accountId} not found.`,
      )
    }
    return stream
  }

  #shard(stream: Stream, shardId: string): Shard {
    const shard = stream.shard(shardId)
    if (shard === undefined) {
      throw new ServiceError(
        'ResourceNotFoundException',
        `Could not find shard ${shardId.slice(0, 128)} in stream ${stream.settings.name} under account ${this.#accountId}.`,
      )
    }
    return shard
  }

  #openShard(stream: Stream, shardId: string): Shard {
    const shard = this.#shard(stream, shardId)
    if (!shard.isOpen) {
      throw new ServiceError(
        'InvalidArgumentException',
        `Shard ${shardId} in stream ${stream.settings.name} is not open.`,
      )
    }
    return shard
  }

  #openShards(): number {
    let count = 0
    for (const stream of this.#streams.values()) count += stream.openShards.length
    return count
  }

  #trimExpired(stream: Stream, shard: Shard, nowMs: number): void {
    const horizonMs = nowMs - stream.retentionHours * HOUR_MS
    while (shard.log.first !== undefined && shard.log.first.arrivalMs < horizonMs) {
      this.#retainedBytes -= shard.log.trimFirst()!.bytes
    }
  }

  /** Down to nine tenths of the bound, so that it is not done for every put; the oldest records of all shards first. */
  #trimEarly(): void {
    if (!this.#saidTrimmed) {
      this.#saidTrimmed = true
      this.#onEarlyTrim(
        `Records are trimmed before their retention is over, because all together passed maxRetainedBytes (${this.#maxRetainedBytes}).`,
      )
    }
    const shards = [...this.#streams.values()]
      .flatMap((stream) => stream.shards)
      .filter((shard) => shard.log.length > 0)
    while (this.#retainedBytes > this.#maxRetainedBytes * 0.9) {
      let oldest: Shard | undefined
      for (const shard of shards) {
        const arrivalMs = shard.log.first?.arrivalMs
        if (arrivalMs !== undefined && (oldest === undefined || arrivalMs < oldest.log.first!.arrivalMs))
          oldest = shard
      }
      if (oldest === undefined) return
      this.#retainedBytes -= oldest.log.trimFirst()!.bytes
    }
  }
}

interface ShardWrites {
  records: number
  bytes: number
  throttled: number
}

function countOf(result: PutResult, bytes: number): ShardWrites {
  return 'ErrorCode' in result ? { records: 0, bytes: 0, throttled: 1 } : { records: 1, bytes, throttled: 0 }
}

function streamName(name: string): string {
  if (!/^[a-zA-Z0-9_.-]{1,128}$/.test(name)) {
    throw constraint(
      'StreamName',
      `'${name.slice(0, 140)}'`,
      'Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+',
    )
  }
  return name
}

function summary(stream: Stream) {
  const { name, arn, createdAtMs, streamMode } = stream.settings
  return {
    StreamName: name,
    StreamARN: arn,
    StreamStatus: 'ACTIVE',
    StreamModeDetails: { StreamMode: streamMode },
    StreamCreationTimestamp: createdAtMs / 1000,
  }
}

function describe(stream: Stream) {
  return {
    ...summary(stream),
    RetentionPeriodHours: stream.retentionHours,
    EnhancedMonitoring: [{ ShardLevelMetrics: [...stream.shardLevelMetrics] }],
    EncryptionType: 'NONE',
  }
}

function hashKeyRange({ range }: Shard) {
  return { StartingHashKey: String(range.startingHashKey), EndingHashKey: String(range.endingHashKey) }
}

function describeShard(shard: Shard) {
  const { parentShardId, adjacentParentShardId } = shard.parents
  return {
    ShardId: shard.shardId,
    HashKeyRange: hashKeyRange(shard),
    ...(parentShardId === undefined ? {} : { ParentShardId: parentShardId }),
    ...(adjacentParentShardId === undefined ? {} : { AdjacentParentShardId: adjacentParentShardId }),
    SequenceNumberRange: {
      StartingSequenceNumber: shard.startingSequenceNumber,
      ...(shard.endingSequenceNumber === undefined
        ? {}
        : { EndingSequenceNumber: shard.endingSequenceNumber }),
    },
  }
}

function describeChild(shard: Shard) {
  const { parentShardId, adjacentParentShardId } = shard.parents
  return {
    ShardId: shard.shardId,
    ParentShards: [parentShardId, adjacentParentShardId].filter((id) => id !== undefined),
    HashKeyRange: hashKeyRange(shard),
  }
}

function describeRecord(shard: Shard, record: StoredRecord, form: BlobForm) {
  return {
    SequenceNumber: shard.sequenceNumberOf(record),
    ApproximateArrivalTimestamp: record.arrivalMs / 1000,
    Data: form === 'base64' ? record.data : Buffer.from(record.data, 'base64'),
    PartitionKey: record.partitionKey,
  }
}

interface ListToken {
  streamName: string
  after: string
  filter: Record<string, unknown> | undefined
}

function listToken(token: ListToken): string {
  return Buffer.from(JSON.stringify(token)).toString('base64')
}

function parseListToken(text: string): ListToken {
  try {
    const token = JSON.parse(Buffer.from(text, 'base64').toString('utf8')) as Partial<ListToken>
    if (typeof token.streamName === 'string' && typeof token.after === 'string') {
      return { streamName: token.streamName, after: token.after, filter: token.filter }
    }
  } catch {
    // Answered below like any other text that is no token.
  }
  throw new ServiceError('InvalidArgumentException', 'Invalid NextToken.')
}
