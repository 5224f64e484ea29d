import { type Clock, systemClock } from '@org/kinesis-core'
import type { LocalStreamOptions } from '../local-options.js'
import { type EventStreamResult, type LocalService, type MetricSink, ServiceError } from '../service.js'
import { AccountSettings, describeAccountSettings, updateAccountSettings } from './account-settings.js'
import { describeStream, describeStreamSummary } from './describe-stream.js'
import { changeMonitoring } from './enhanced-monitoring.js'
import type { KinesisContext } from './kinesis-context.js'
import { KinesisMetrics } from './kinesis-metrics.js'
import { listShards } from './list-shards.js'
import {
  deregisterStreamConsumer,
  describeStreamConsumer,
  listStreamConsumers,
  registerStreamConsumer,
} from './manage-consumers.js'
import {
  changeRetention,
  createStream,
  deleteStream,
  describeLimits,
  listStreams,
  updateMaxRecordSize,
} from './manage-streams.js'
import { getRecords } from './read-records.js'
import { RecordRetention } from './record-retention.js'
import { Request } from './request.js'
import { mergeShards, splitShard, updateShardCount } from './reshard.js'
import { deleteResourcePolicy, getResourcePolicy, putResourcePolicy } from './resource.js'
import { getShardIterator } from './shard-iterator.js'
import type { BlobForm } from './shard-log.js'
import type { SubscribeToShardEvent } from './shard-subscription.js'
import { shardsOfCall } from './shards-of-call.js'
import { changeEncryption } from './stream-encryption.js'
import { changesStreams, type StreamJournal } from './stream-journal.js'
import { updateRecordDistribution, updateStreamMode, updateStreamWarmThroughput } from './stream-mode.js'
import { StreamRegistry } from './stream-registry.js'
import { asEventStream, subscribeToShard } from './subscribe-to-shard.js'
import {
  addTagsToStream,
  listTagsForResource,
  listTagsForStream,
  removeTagsFromStream,
  tagResource,
  untagResource,
} from './tags.js'
import { resolveWriteBurst, type WriteBurst } from './write-burst.js'
import { putRecord, putRecords } from './write-records.js'

export interface KinesisServiceOptions {
  /** @default 'us-east-1' */
  region?: string
  /** @default '000000000000' */
  accountId?: string
  /** @default the system's clock */
  clock?: Clock
  /** Where the metrics of streams and shards go. @default nowhere */
  metrics?: MetricSink
  /** Keep the service's rates per shard, in and out. @default true */
  shardLimits?: boolean
  /** What a shard takes at once. @default one second's worth */
  writeBurst?: WriteBurst
  /**
   * Bytes of all records together, with 48 more for each; when they are passed the oldest go before their retention is over, and `onEarlyTrim` hears of it
   * once. The service has no such bound. @default 512 MiB
   */
  maxRetainedBytes?: number
  onEarlyTrim?: (message: string) => void
  /**
   * How long a stream or consumer is CREATING, UPDATING or DELETING after a change, on the clock. Changes have their effect at once,
   * but calls that need an ACTIVE stream are refused meanwhile. @default 0
   */
  streamTransitionMs?: number
  /** Keeps streams and records beyond the process. @default nothing does */
  journal?: StreamJournal
}

type Operation = (context: KinesisContext, request: Request, form: BlobForm) => unknown

const operations: Readonly<Record<string, Operation>> = {
  CreateStream: createStream,
  DeleteStream: deleteStream,
  DescribeStream: describeStream,
  DescribeStreamSummary: describeStreamSummary,
  DescribeLimits: describeLimits,
  ListStreams: listStreams,
  ListShards: listShards,
  PutRecord: putRecord,
  PutRecords: putRecords,
  GetShardIterator: getShardIterator,
  GetRecords: getRecords,
  SplitShard: splitShard,
  MergeShards: mergeShards,
  UpdateShardCount: updateShardCount,
  UpdateMaxRecordSize: updateMaxRecordSize,
  IncreaseStreamRetentionPeriod: (context, request) => changeRetention(context, request, 'increase'),
  DecreaseStreamRetentionPeriod: (context, request) => changeRetention(context, request, 'decrease'),
  EnableEnhancedMonitoring: (context, request) => changeMonitoring(context, request, true),
  DisableEnhancedMonitoring: (context, request) => changeMonitoring(context, request, false),
  UpdateStreamMode: updateStreamMode,
  UpdateStreamWarmThroughput: updateStreamWarmThroughput,
  UpdateStreamRecordDistributionStrategy: updateRecordDistribution,
  StartStreamEncryption: (context, request) => changeEncryption(context, request, 'KMS'),
  StopStreamEncryption: (context, request) => changeEncryption(context, request, 'NONE'),
  TagResource: tagResource,
  UntagResource: untagResource,
  ListTagsForResource: listTagsForResource,
  PutResourcePolicy: putResourcePolicy,
  GetResourcePolicy: getResourcePolicy,
  DeleteResourcePolicy: deleteResourcePolicy,
  DescribeAccountSettings: describeAccountSettings,
  UpdateAccountSettings: updateAccountSettings,
  RegisterStreamConsumer: registerStreamConsumer,
  DeregisterStreamConsumer: deregisterStreamConsumer,
  DescribeStreamConsumer: describeStreamConsumer,
  ListStreamConsumers: listStreamConsumers,
  SubscribeToShard: (context, request, form): EventStreamResult => ({
    EventStream: asEventStream(subscribeToShard(context, request, form)),
  }),
  AddTagsToStream: addTagsToStream,
  RemoveTagsFromStream: removeTagsFromStream,
  ListTagsForStream: listTagsForStream,
}

/**
 * Kinesis Data Streams in process: streams, shards, records and limits, with the API's own shapes and errors. Changes of streams are
 * done at once; `streamTransitionMs` says how long they are CREATING, UPDATING or DELETING all the same.
 */
export class KinesisService implements LocalService {
  readonly targetPrefix = 'Kinesis_20131202'
  readonly #context: KinesisContext
  readonly #restored: ReadonlySet<string>

  constructor(options: KinesisServiceOptions = {}) {
    const { region = 'us-east-1', accountId = '000000000000', clock = systemClock } = options
    const { shardLimits = true, maxRetainedBytes = 512 * 1024 * 1024, onEarlyTrim = () => {} } = options
    const burst = shardLimits ? resolveWriteBurst(options.writeBurst ?? {}) : undefined
    const transitionMs = options.streamTransitionMs ?? 0
    const streams = new StreamRegistry(region, accountId, burst, clock, transitionMs, (stream) =>
      this.#context.retention.forget(stream),
    )
    this.#context = {
      streams,
      clock,
      transitionMs,
      account: new AccountSettings(),
      metrics: new KinesisMetrics(options.metrics),
      retention: new RecordRetention(maxRetainedBytes, onEarlyTrim, () => streams.all),
      journal: options.journal,
    }
    this.#restored = options.journal?.attach(this.#context) ?? new Set()
  }

  /** A stream that is ACTIVE at once, whatever `streamTransitionMs` says. One that the journal brought back stays as it is. */
  createStream({ name, shards, retentionHours }: Required<LocalStreamOptions>): void {
    if (this.#restored.has(name)) return
    const input = { StreamName: name, ShardCount: shards }
    const context = { ...this.#context, transitionMs: 0 }
    createStream(context, new Request(input))
    this.#context.streams.named(name).retentionHours = retentionHours
    this.#context.journal?.commit()
  }

  /** Bytes that are held for the records of all streams, as `maxRetainedBytes` counts them. */
  get retainedBytes(): number {
    return this.#context.retention.bytes
  }

  /** One call of the API. `Data` is taken as bytes or as base64 text, and given as bytes. */
  call(operation: string, input: Record<string, unknown>): unknown {
    return this.#run(operation, input, 'bytes')
  }

  /** As `call`, with `Data` given as base64. */
  callForWire(operation: string, input: Record<string, unknown>): unknown {
    return this.#run(operation, input, 'base64')
  }

  /**
   * SubscribeToShard in process: the events of one consumer and shard, `Data` as bytes, until five minutes of the clock are over, the
   * shard ends, or the reader stops iterating. Errors are thrown at once, or where they happen by the iteration. Nothing is read and
   * no time is waited for but while an event is asked for.
   */
  subscribeToShard(input: Record<string, unknown>): AsyncIterable<SubscribeToShardEvent> {
    return subscribeToShard(this.#context, new Request(input), 'bytes')
  }

  shardsOf(operation: string, input: Record<string, unknown>): readonly string[] {
    return shardsOfCall(this.#context, operation, input)
  }

  #run(operation: string, input: Record<string, unknown>, form: BlobForm): unknown {
    const run = Object.hasOwn(operations, operation) ? operations[operation] : undefined
    if (run === undefined)
      throw new ServiceError('UnknownOperationException', `Unknown operation ${operation}.`)
    const { journal } = this.#context
    try {
      return run(this.#context, new Request(input), form)
    } finally {
      // Where a call fails it may have done a part of itself; what cannot be kept is not acknowledged.
      if (changesStreams(operation)) journal?.commit()
    }
  }
}
