import { randomUUID } from 'node:crypto'
import { InvalidOptionError, systemRandom } from '@org/kinesis-core'
import type { HostDependencies } from '../function/host-dependencies.js'
import type { LocalService } from '../service.js'
import { openFailureDestination } from './failure-destination.js'
import { MappedShard } from './mapped-shard.js'
import { type EventSourceMappingOptions, resolveEventSourceMappingOptions } from './mapping-options.js'
import { type MappingCounts, MappingTally } from './mapping-tally.js'
import { isMissing } from './shard-reader.js'
import { StreamReader } from './stream-reader.js'
import { untilAborted } from './until-aborted.js'

export interface MappedShardStats {
  shardId: string
  /** `done`: closed by a reshard and resolved to its end, drained, or older than where the mapping began. */
  status: 'reading' | 'done'
  /** Everything up to this sequence number is resolved. */
  checkpoint: string | undefined
  /** Age of the oldest record that was read and is not resolved. */
  iteratorAgeMs: number
  /** What the stream said at the last read. */
  millisBehindLatest: number | undefined
  unresolvedRecords: number
}

export interface EventSourceMappingStats extends MappingCounts {
  /** Resolved by the function; filtered, discarded and expired records are counted apart. */
  recordsResolved: number
  /** Gone from the stream while they were tried, and tried no more. */
  recordsExpired: number
  /** Read, and none of these. */
  unresolvedRecords: number
  /** How far the mapping is behind the stream, in milliseconds: the oldest of its shards. */
  lagMs: number
  shards: MappedShardStats[]
  /** The last error of the function, the stream or the failure destination. */
  lastError: string | undefined
}

export interface EventSourceMapping {
  readonly id: string
  stats(): EventSourceMappingStats
  /**
   * Resolves when everything that is in the stream now is resolved or discarded, and open windows are closed; the mapping is closed
   * then. With endless retries, which are the default, and a function that never succeeds that is never, so `signal` bounds it: when it
   * aborts, the mapping is closed as it is; `stats()` says how many records were left, and the last error. Rejects with the service's
   * `ResourceNotFoundException` where the stream is not there, or no more.
   */
  drain(signal?: AbortSignal): Promise<void>
  /** Stops at once: nothing more is read or invoked. Invocations under way run to their end unheard. */
  close(): Promise<void>
}

/** An event source mapping from a stream to a local function. It reads from now on. */
export function createEventSourceMappingHost(
  options: EventSourceMappingOptions,
  deps: HostDependencies,
): EventSourceMapping {
  const resolved = resolveEventSourceMappingOptions(options, deps.clock.now())
  refuseMissingStream(resolved.streamName, deps.kinesis)
  const id = randomUUID()
  const random = deps.random ?? systemRandom
  const streamArn = `arn:aws:kinesis:${deps.region}:${deps.accountId}:stream/${resolved.streamName}`
  const failureDestination =
    resolved.onFailure === undefined ? undefined : openFailureDestination(resolved.onFailure, id, deps)
  const closing = new AbortController()
  const shards = new Map<string, MappedShard>()
  const tally = new MappingTally({
    ...deps,
    mappingId: id,
    functionName: resolved.function.name,
    eventCount: resolved.metrics.includes('EventCount'),
  })
  let lastError: string | undefined
  const onError = (error: Error) => {
    lastError = `${error.name}: ${error.message}`
  }

  const reader = new StreamReader(
    {
      ...resolved,
      onError,
      open: (shardId, resume, hashKeys) => {
        const shard = new MappedShard({
          shardId,
          hashKeys,
          streamArn,
          options: resolved,
          deps,
          random,
          tally,
          failureDestination,
          signal: closing.signal,
          resume,
          onError,
        })
        shards.set(shardId, shard)
        return shard
      },
    },
    { ...deps, random },
  )

  function shardStats(): MappedShardStats[] {
    return reader.shards().map(({ shardId, status, millisBehindLatest }) => {
      const shard = shards.get(shardId)
      return {
        shardId,
        status,
        checkpoint: shard?.checkpoint,
        iteratorAgeMs: shard?.iteratorAgeMs ?? 0,
        millisBehindLatest,
        unresolvedRecords: shard?.unresolvedRecords ?? 0,
      }
    })
  }

  function close(): void {
    reader.stop()
    closing.abort()
  }

  return {
    id,

    stats() {
      const list = shardStats()
      const unresolvedRecords = list.reduce((sum, shard) => sum + shard.unresolvedRecords, 0)
      const { counts } = tally
      let recordsExpired = 0
      for (const shard of shards.values()) recordsExpired += shard.expiredRecords
      return {
        ...counts,
        recordsResolved:
          counts.recordsRead -
          counts.strayRecords -
          counts.recordsFiltered -
          counts.recordsDiscarded -
          recordsExpired -
          unresolvedRecords,
        recordsExpired,
        unresolvedRecords,
        lagMs: list.reduce(
          (lag, shard) => Math.max(lag, shard.iteratorAgeMs, shard.millisBehindLatest ?? 0),
          0,
        ),
        shards: list,
        lastError,
      }
    },

    async drain(signal) {
      if (closing.signal.aborted) return
      try {
        await untilAborted(reader.drain(), AbortSignal.any([closing.signal, ...(signal ? [signal] : [])]))
      } finally {
        close()
      }
    },

    async close() {
      close()
    },
  }
}

/** As CreateEventSourceMapping does. Another emulator answers later: whether it has the stream, a drain finds out. */
function refuseMissingStream(streamName: string, kinesis: LocalService): void {
  try {
    const answer = kinesis.call('DescribeStreamSummary', { StreamName: streamName })
    if (answer instanceof Promise) answer.catch(() => {})
  } catch (error) {
    if (!isMissing(error)) return
    throw new InvalidOptionError('streamName', streamName, 'There is no such stream: create it first.')
  }
}
