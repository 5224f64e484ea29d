import type { Transition } from './resource-status.js'
import type { ShardState } from './shard.js'
import { Stream, type StreamMode, type StreamSettings } from './stream.js'
import { StreamConsumer } from './stream-consumer.js'
import type { EncryptionChange } from './stream-encryption.js'

/** All of a stream but its records, as plain data. */
export interface StreamState {
  settings: Omit<StreamSettings, 'burst'>
  counter: number
  shards: ShardState[]
  mode: StreamMode
  distribution: Stream['distribution']
  warmMiBps: number
  policy?: string
  retentionHours: number
  expiredMs: number
  maxRecordBytes: number
  shardLevelMetrics: string[]
  tags: [string, string][]
  encryption: { keyId?: string; changes: EncryptionChange[] }
  status: { transition: Transition; untilMs: number }
  consumers: ConsumerState[]
}

interface ConsumerState {
  name: string
  createdAtMs: number
  policy?: string
  tags: [string, string][]
  status: StreamState['status']
}

export function streamState(stream: Stream): StreamState {
  const {
    settings,
    counter,
    mode,
    distribution,
    warmMiBps,
    policy,
    retentionHours,
    expiredMs,
    maxRecordBytes,
  } = stream
  const { burst: _burst, ...kept } = settings
  const { keyId, changes } = stream.encryption
  return {
    settings: kept,
    counter,
    shards: stream.shards.map((shard) => shard.state),
    mode,
    distribution,
    warmMiBps,
    ...(policy === undefined ? {} : { policy }),
    retentionHours,
    expiredMs,
    maxRecordBytes,
    shardLevelMetrics: [...stream.shardLevelMetrics],
    tags: [...stream.tags],
    encryption: { ...(keyId === undefined ? {} : { keyId }), changes: [...changes] },
    status: stream.status.state,
    consumers: [...stream.consumers.values()].map(consumerState),
  }
}

function consumerState({ name, createdAtMs, policy, tags, status }: StreamConsumer): ConsumerState {
  return {
    name,
    createdAtMs,
    ...(policy === undefined ? {} : { policy }),
    tags: [...tags],
    status: status.state,
  }
}

/** A stream without shards, for `applyState`. */
export function emptyStream({ settings }: StreamState, burst: StreamSettings['burst']): Stream {
  return new Stream({ ...settings, shardCount: 0, burst })
}

/** Brings a stream from an earlier state of its own to `state`. Its records stay, and so does a counter that they have passed. */
export function applyState(stream: Stream, state: StreamState): void {
  stream.counter = Math.max(stream.counter, state.counter)
  stream.restoreShards(state.shards)
  stream.mode = state.mode
  stream.distribution = state.distribution
  stream.warmMiBps = state.warmMiBps
  stream.policy = state.policy
  stream.retentionHours = state.retentionHours
  stream.expiredMs = state.expiredMs
  stream.maxRecordBytes = state.maxRecordBytes
  stream.shardLevelMetrics = new Set(state.shardLevelMetrics)
  refill(stream.tags, state.tags)
  stream.encryption.restore(state.encryption.keyId, state.encryption.changes)
  stream.status.restore(state.status)
  stream.consumers.clear()
  for (const kept of state.consumers) {
    const consumer = new StreamConsumer(kept.name, stream, kept.createdAtMs, 0)
    consumer.policy = kept.policy
    refill(consumer.tags, kept.tags)
    consumer.status.restore(kept.status)
    stream.consumers.set(kept.name, consumer)
  }
}

function refill(tags: Map<string, string>, kept: readonly [string, string][]): void {
  tags.clear()
  for (const [key, value] of kept) tags.set(key, value)
}
