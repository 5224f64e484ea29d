import { isAbsolute } from 'node:path'
import {
  type Clock,
  InvalidOptionError,
  kinesisQuotas,
  type Random,
  refuseUnknownOptions,
  systemClock,
  systemRandom,
} from '@org/kinesis-core'
import { type LocalEndpoints, resolveEndpoints } from './endpoints/endpoint-options.js'
import type { FaultPlan } from './faults/fault-action.js'
import { SHARD_LIMIT } from './kinesis/stream-registry.js'
import { resolveWriteBurst, type WriteBurst } from './kinesis/write-burst.js'
import type { RequestObserver } from './wire/request-observer.js'

export interface LocalStreamOptions {
  name: string
  /** 1 to 20,000, of all streams together. @default 1 */
  shards?: number
  /** 24 to 8,760. @default 24 */
  retentionHours?: number
}

/** A table as CreateTable takes it. */
export type LocalTableOptions = { TableName: string } & Record<string, unknown>

export interface LocalOptions {
  /** Of 127.0.0.1, for all services. @default 0: a free one */
  port?: number
  /** @default 'us-east-1' */
  region?: string
  /** Absolute path of the folder for `local.json` and whatever else a run leaves. @default a temporary folder, removed on close */
  dataDir?: string
  /**
   * Keep Kinesis streams, shards, records, consumers, tags and settings in `dataDir`, which it needs, beyond the end of the process.
   * Nothing acknowledged is lost when the process is killed; a machine that crashes may cost the last second. @default false
   */
  persist?: boolean
  streams?: readonly LocalStreamOptions[]
  tables?: readonly LocalTableOptions[]
  /** Names of SQS queues. */
  queues?: readonly string[]
  /** Names of SNS topics. */
  topics?: readonly string[]
  /**
   * URLs of other emulators that serve a service in place of ours: it is not served here, children are pointed there, and what
   * `streams`, `tables`, `queues` and `topics` ask for is created there. @default all are ours
   */
  endpoints?: LocalEndpoints
  /** Bytes of all records together, with 48 more for each; beyond it the oldest are trimmed before their retention is over. @default 512 MiB */
  maxRetainedBytes?: number
  /** Keep the service's rates per shard, in and out. @default true */
  shardLimits?: boolean
  /** What a shard that rested takes at once. @default one second's worth of records and of bytes */
  writeBurst?: WriteBurst
  /**
   * How long a stream or consumer is CREATING, UPDATING or DELETING after a change, 0 to 3,600,000; calls that need an ACTIVE one are
   * refused meanwhile. Streams of `streams` are ACTIVE at once. @default 0
   */
  streamTransitionMs?: number
  /** Told of every request over the wire, after its answer. Keep it quick: it runs in the services' own process. */
  onRequest?: RequestObserver
  /** What goes wrong over the wire. @default nothing */
  faults?: FaultPlan
  /** Told once when records are trimmed early, what a kept folder has lost, and what keeps Firehose from a bucket. @default a line on standard error */
  onWarning?: (message: string) => void
  /** @default the system's clock */
  clock?: Clock
  /** For partial failures and jitter: a seeded one makes them repeatable. @default Math.random */
  random?: Random
}

export interface ResolvedLocalOptions {
  port: number
  region: string
  dataDir: string | undefined
  persist: boolean
  streams: Required<LocalStreamOptions>[]
  tables: readonly LocalTableOptions[]
  queues: readonly string[]
  topics: readonly string[]
  endpoints: LocalEndpoints
  maxRetainedBytes: number
  shardLimits: boolean
  writeBurst: Required<WriteBurst>
  streamTransitionMs: number
  onRequest: RequestObserver | undefined
  faults: FaultPlan | undefined
  onWarning: (message: string) => void
  clock: Clock
  random: Random
}

/** As a record, so that the compiler asks for an option that is missing here. */
const KNOWN: Record<keyof LocalOptions, true> = {
  port: true,
  region: true,
  dataDir: true,
  persist: true,
  streams: true,
  tables: true,
  queues: true,
  topics: true,
  endpoints: true,
  maxRetainedBytes: true,
  shardLimits: true,
  writeBurst: true,
  streamTransitionMs: true,
  onRequest: true,
  faults: true,
  onWarning: true,
  clock: true,
  random: true,
}

export function resolveLocalOptions(options: LocalOptions): ResolvedLocalOptions {
  refuseUnknownOptions(options, Object.keys(KNOWN))
  const { dataDir, region = 'us-east-1', persist = false } = options
  if (persist && dataDir === undefined)
    throw new InvalidOptionError('persist', persist, 'Give a dataDir too: a temporary folder is not kept.')
  if (persist && options.endpoints?.kinesis !== undefined)
    throw new InvalidOptionError(
      'persist',
      persist,
      'Another emulator serves Kinesis, and keeps what it keeps.',
    )
  if (dataDir !== undefined && !isAbsolute(dataDir))
    throw new InvalidOptionError('dataDir', dataDir, 'Give an absolute path.')
  if (!/^[a-z]{2}(-[a-z]+)+-\d$/.test(region))
    throw new InvalidOptionError('region', region, 'Give a region such as us-east-1.')
  return {
    port: whole('port', options.port ?? 0, 0, 65_535),
    region,
    dataDir,
    persist,
    streams: (options.streams ?? []).map(
      ({ name, shards = 1, retentionHours = kinesisQuotas.minRetentionHours }) => ({
        name,
        shards: whole('streams.shards', shards, 1, SHARD_LIMIT),
        retentionHours: whole(
          'streams.retentionHours',
          retentionHours,
          kinesisQuotas.minRetentionHours,
          kinesisQuotas.maxRetentionHours,
        ),
      }),
    ),
    tables: options.tables ?? [],
    queues: options.queues ?? [],
    topics: options.topics ?? [],
    endpoints: resolveEndpoints(options.endpoints),
    maxRetainedBytes: whole(
      'maxRetainedBytes',
      options.maxRetainedBytes ?? 512 * 1024 * 1024,
      1,
      Number.MAX_SAFE_INTEGER,
    ),
    shardLimits: options.shardLimits ?? true,
    writeBurst: resolveWriteBurst(options.writeBurst ?? {}),
    streamTransitionMs: whole('streamTransitionMs', options.streamTransitionMs ?? 0, 0, 3_600_000),
    onRequest: options.onRequest,
    faults: options.faults,
    onWarning: options.onWarning ?? ((message) => void process.stderr.write(`kinesis-local: ${message}\n`)),
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
  }
}

function whole(option: string, value: number, least: number, most: number): number {
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    throw new InvalidOptionError(option, value, `Give a whole number from ${least} to ${most}.`)
  }
  return value
}
