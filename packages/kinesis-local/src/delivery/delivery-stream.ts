import { deliveryMetrics, InvalidOptionError, systemRandom } from '@org/kinesis-core'
import { StreamReader } from '../event-source-mapping/stream-reader.js'
import { untilAborted } from '../event-source-mapping/until-aborted.js'
import type { HostDependencies } from '../function/host-dependencies.js'
import { DeliveredShard } from './delivered-shard.js'
import { openCheckpoint } from './delivery-checkpoint.js'
import { type DeliveryStreamOptions, resolveDeliveryStreamOptions } from './delivery-options.js'
import {
  closeDestination,
  deliveryPublisher,
  deliveryTransform,
  isDeliveryFull,
  transformQueue,
  waitingBytes,
} from './delivery-parts.js'
import { DeliverySink } from './delivery-sink.js'
import type { TransformQueue } from './transform-queue.js'

export interface DeliveryStreamStats {
  /** Kinesis records read. */
  recordsRead: number
  /** User records in objects that are durable. */
  deliveredRecords: number
  deliveredBytes: number
  objects: number
  /** User records that the transform dropped. */
  droppedRecords: number
  /** User records that went to the error prefix. */
  failedRecords: number
  errorObjects: number
  /** Kinesis records read and not durable yet. */
  unresolvedRecords: number
  /** Age of the oldest of them in milliseconds; 0 where there is none. */
  freshnessMs: number
  bufferedBytes: number
  /** Partitions with records that are not durable; 1 at most without dynamic partitioning. */
  activePartitions: number
  shards: {
    shardId: string
    status: 'reading' | 'done'
    checkpoint: string | undefined
    millisBehindLatest: number | undefined
  }[]
  /** The last error of the stream or the folder; those of the transform are in the error objects. */
  lastError: string | undefined
}

export interface DeliveryStream {
  readonly name: string
  stats(): DeliveryStreamStats
  /**
   * Resolves when everything that is in the stream now is in objects or error objects; the delivery is closed then. `signal` bounds it:
   * when it aborts, the delivery is closed as it is, and `stats().unresolvedRecords` says what was left.
   * Rejects with the service's `ResourceNotFoundException` where the stream is not there, or no more.
   */
  drain(signal?: AbortSignal): Promise<void>
  /** Stops at once; what is buffered is not written. */
  close(): Promise<void>
}

const MAX_READ = 10_000

export interface DeliveryStreamContext {
  /** Of the configuration; a part of objects' names. @default 1 */
  version?: number
  /** Of the delivery streams that are open: two of one name would be one in objects' names, metrics and ARNs. @default nothing */
  openNames?: Set<string>
  /** Told of each error of the stream or the store; they are tried again. @default nobody */
  onError?: (error: Error) => void
  /** Told when something became durable. @default nobody */
  onDurable?: () => void
}

/** Delivers a stream as Firehose delivers to S3: buffered, transformed, at least once. It begins to read at once. */
export function createDeliveryStreamHost(
  options: DeliveryStreamOptions,
  deps: HostDependencies,
  { version = 1, openNames = new Set(), ...told }: DeliveryStreamContext = {},
): DeliveryStream {
  const { clock, random = systemRandom } = deps
  const resolved = { ...resolveDeliveryStreamOptions(options, clock.now(), deps.region), version }
  const { name, streamName } = resolved
  if (openNames.has(name)) {
    throw new InvalidOptionError(
      'name',
      name,
      'Another delivery stream has it: choose another, or close that one.',
    )
  }
  const publish = deliveryPublisher(name, deps)
  const closing = new AbortController()
  const shards = new Map<string, { shard: DeliveredShard; queue: TransformQueue | undefined }>()
  const resumes = new Set<() => void>()
  let recordsRead = 0
  let lastError: string | undefined
  const onError = (error: Error) => {
    lastError = `${error.name}: ${error.message}`
    told.onError?.(error)
  }
  const checkpoint =
    resolved.checkpointFile === undefined
      ? undefined
      : openCheckpoint(resolved.checkpointFile, resolved, clock.now(), onError)
  const saveCheckpoint = async () =>
    checkpoint?.save([...shards].map(([shardId, { shard }]) => [shardId, shard.checkpoint]))
  const resumeAll = () => {
    for (const resume of resumes) resume()
  }
  openNames.add(name)
  const transform = deliveryTransform(resolved, deps, streamName)
  const sink = new DeliverySink(resolved, {
    clock,
    random,
    publish,
    lambdaArn: transform?.functionArn,
    onDurable: () => {
      told.onDurable?.()
      void saveCheckpoint()
      resumeAll()
    },
    onError,
    signal: closing.signal,
    hold: deps.hold ?? ((work) => work),
  })

  const queues = () => [...shards.values()].map(({ queue }) => queue)

  const reader = new StreamReader(
    {
      streamName,
      startingPosition: checkpoint?.startingPosition ?? resolved.startingPosition,
      ...(checkpoint === undefined ? {} : { resumeAfter: checkpoint.resumeAfter }),
      pollIntervalMs: resolved.pollIntervalMs,
      onError,
      open(shardId, resume) {
        const queue =
          transform &&
          transformQueue(transform, resolved, sink, { clock, onProgress: resumeAll, signal: closing.signal })
        const shard = new DeliveredShard({
          shardId,
          clock,
          accept: queue ? (record) => queue.add(record) : (record) => sink.deliver(record, record.data),
          fail: (record, failure) => sink.fail(record, failure),
          flush: async () => queue?.flush(),
          room: () => (isDeliveryFull(sink, queues(), resolved) ? 0 : MAX_READ),
        })
        shards.set(shardId, { shard, queue })
        resumes.add(resume)
        return countingReads(shard)
      },
    },
    { ...deps, random },
  )

  /** Firehose counts what it reads from the stream, before it is unpacked. */
  function countingReads(shard: DeliveredShard) {
    return {
      room: () => shard.room(),
      caughtUp: () => shard.caughtUp(),
      end: () => shard.end(),
      take(records: Parameters<DeliveredShard['take']>[0]) {
        recordsRead += records.length
        publish(deliveryMetrics.incomingRecords, records.length)
        shard.take(records)
      },
    }
  }

  async function drainAll(): Promise<void> {
    try {
      await reader.drain()
    } finally {
      // Where the stream is gone, what was read of it is delivered all the same.
      await Promise.all(queues().map((queue) => queue?.flush()))
      await sink.flush()
      await saveCheckpoint()
    }
  }

  function close(): void {
    if (closing.signal.aborted) return
    reader.stop()
    closing.abort()
    openNames.delete(name)
    closeDestination(resolved)
  }

  return {
    name,

    stats() {
      const all = [...shards.values()].map(({ shard }) => shard)
      const oldest = all.map((shard) => shard.oldestArrivalMs).filter((arrivalMs) => arrivalMs !== undefined)
      return {
        recordsRead,
        ...sink.counts,
        unresolvedRecords: all.reduce((sum, shard) => sum + shard.unresolvedRecords, 0),
        freshnessMs: oldest.length === 0 ? 0 : Math.max(0, clock.now() - Math.min(...oldest)),
        bufferedBytes: sink.heldBytes + waitingBytes(queues()),
        activePartitions: sink.activePartitions,
        shards: reader
          .shards()
          .map((shard) => ({ ...shard, checkpoint: shards.get(shard.shardId)?.shard.checkpoint })),
        lastError,
      }
    },

    async drain(signal) {
      if (closing.signal.aborted) return
      try {
        await untilAborted(drainAll(), AbortSignal.any([closing.signal, ...(signal ? [signal] : [])]))
      } finally {
        close()
      }
    },

    async close() {
      close()
      await saveCheckpoint()
    },
  }
}
