import { randomBytes, randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { deliveryMetrics, type MetricDefinition, systemRandom } from '@org/kinesis-core'
import { StreamReader } from '../event-source-mapping/stream-reader.js'
import { untilAborted } from '../event-source-mapping/until-aborted.js'
import type { HostDependencies } from '../function/host-dependencies.js'
import { DeliveredShard } from './delivered-shard.js'
import { type DeliveryStreamOptions, resolveDeliveryStreamOptions } from './delivery-options.js'
import type { DeliveryRecord } from './delivery-record.js'
import { writeDurably } from './durable-file.js'
import { type BufferedObject, ObjectBuffer } from './object-buffer.js'
import type { Prefix } from './prefix-expression.js'
import { timestampPattern } from './timestamp-pattern.js'
import { Transform } from './transform.js'

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
   */
  drain(signal?: AbortSignal): Promise<void>
  /** Stops at once; what is buffered is not written. */
  close(): Promise<void>
}

const compress = promisify(gzip)
const objectNameTime = timestampPattern('name', 'yyyy-MM-dd-HH-mm-ss')
/** Held beyond full buffers, so that reading goes on while an object is written. */
const EXTRA_HELD_BYTES = 16 * 1024 * 1024
const MAX_READ = 10_000

/** Delivers a stream to a folder as Firehose delivers to S3: buffered, transformed, at least once. It reads from now on. */
export function createDeliveryStreamHost(
  options: DeliveryStreamOptions,
  deps: HostDependencies,
): DeliveryStream {
  const resolved = resolveDeliveryStreamOptions(options)
  const { name, streamName, folder, compression, bufferBytes, bufferIntervalMs } = resolved
  const { clock, metrics, region, accountId, random = systemRandom } = deps
  const closing = new AbortController()
  const shards = new Map<string, DeliveredShard>()
  const resumes = new Set<() => void>()
  const counts = {
    recordsRead: 0,
    deliveredRecords: 0,
    deliveredBytes: 0,
    objects: 0,
    droppedRecords: 0,
    failedRecords: 0,
    errorObjects: 0,
  }
  let lastError: string | undefined
  const onError = (error: Error) => {
    lastError = `${error.name}: ${error.message}`
  }
  const publish = ({ namespace, name: metric, unit }: MetricDefinition, value: number) =>
    metrics.put({
      namespace,
      name: metric,
      unit,
      value,
      dimensions: { DeliveryStreamName: name },
      timestampMs: clock.now(),
    })
  const resumeAll = () => {
    for (const resume of resumes) resume()
  }

  const transform =
    resolved.transform === undefined
      ? undefined
      : new Transform(
          resolved.transform,
          {
            deliveryStreamArn: `arn:aws:firehose:${region}:${accountId}:deliverystream/${name}`,
            sourceKinesisStreamArn: `arn:aws:kinesis:${region}:${accountId}:stream/${streamName}`,
            region,
          },
          clock,
          random,
        )

  /** `<evaluated prefix><stream>-<version>-<time>-<uuid><extension>`, as the service names objects; one version, as nothing changes. */
  function objectName(prefix: Prefix, atMs: number, extension: string, errorOutputType?: string): string {
    const evaluated = prefix({
      atMs,
      randomString: () => randomBytes(8).toString('base64url'),
      ...(errorOutputType === undefined ? {} : { errorOutputType }),
    })
    return `${evaluated}${name}-1-${objectNameTime(atMs)}-${randomUUID()}${extension}`
  }

  async function writeObject({ items, oldestArrivalMs }: BufferedObject): Promise<void> {
    const whole = Buffer.concat(items.map((item) => item.data))
    const gzipped = compression === 'GZIP'
    const data = gzipped ? await compress(whole) : whole
    try {
      await writeDurably(folder, objectName(resolved.prefix, oldestArrivalMs, gzipped ? '.gz' : ''), data)
    } catch (error) {
      publish(deliveryMetrics.deliverySuccess, 0)
      throw error
    }
    counts.objects += 1
    counts.deliveredRecords += items.length
    counts.deliveredBytes += data.byteLength
    publish(deliveryMetrics.deliverySuccess, 1)
    publish(deliveryMetrics.deliveredRecords, items.length)
    publish(deliveryMetrics.deliveredBytes, data.byteLength)
    publish(deliveryMetrics.dataFreshness, Math.max(0, clock.now() - oldestArrivalMs) / 1_000)
  }

  async function writeErrorObject({ items, oldestArrivalMs }: BufferedObject): Promise<void> {
    const objectKey = objectName(resolved.errorPrefix, oldestArrivalMs, '', 'processing-failed')
    await writeDurably(folder, objectKey, Buffer.concat(items.map((item) => item.data)))
    counts.errorObjects += 1
    counts.failedRecords += items.length
  }

  const buffer = (write: (object: BufferedObject) => Promise<void>) =>
    new ObjectBuffer({
      maxBytes: bufferBytes,
      maxIntervalMs: bufferIntervalMs,
      write,
      onDurable: resumeAll,
      onError,
      clock,
      random,
      signal: closing.signal,
    })
  const objects = buffer(writeObject)
  const errors = buffer(writeErrorObject)

  const heldBytes = () =>
    [...shards.values()].reduce((sum, shard) => sum + shard.heldBytes, objects.heldBytes + errors.heldBytes)

  // Less than all buffers full at once, and nothing would ever fill one.
  const maxHeldBytes = () => bufferBytes + shards.size * resolved.transformBufferBytes + EXTRA_HELD_BYTES

  /** The documented lines of a processing failure, under `processing-failed`. */
  function fail(
    record: DeliveryRecord,
    failure: { errorCode: string; errorMessage: string; attemptsMade: number },
  ): void {
    const line = {
      attemptsMade: failure.attemptsMade,
      arrivalTimestamp: record.arrivalMs,
      errorCode: failure.errorCode,
      errorMessage: failure.errorMessage,
      attemptEndingTimestamp: clock.now(),
      rawData: Buffer.from(record.data).toString('base64'),
      ...(transform === undefined ? {} : { lambdaArn: transform.functionArn }),
    }
    const data = Buffer.from(`${JSON.stringify(line)}\n`)
    errors.add({ data, arrivalMs: record.arrivalMs, settle: record.settle })
  }

  const reader = new StreamReader(
    {
      streamName,
      startingPosition: 'TRIM_HORIZON',
      pollIntervalMs: resolved.pollIntervalMs,
      onError,
      open(shardId, resume) {
        const shard = new DeliveredShard({
          ...resolved,
          shardId,
          clock,
          transform: transform && ((records) => transform.run(records, closing.signal)),
          deliver: ({ arrivalMs, settle }, data) => objects.add({ data, arrivalMs, settle }),
          drop(record) {
            counts.droppedRecords += 1
            record.settle()
          },
          fail,
          room: () => (heldBytes() < maxHeldBytes() ? MAX_READ : 0),
          onProgress: resumeAll,
          signal: closing.signal,
        })
        shards.set(shardId, shard)
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
        counts.recordsRead += records.length
        publish(deliveryMetrics.incomingRecords, records.length)
        shard.take(records)
      },
    }
  }

  async function drainAll(): Promise<void> {
    await reader.drain()
    await Promise.all([objects.flush(), errors.flush()])
  }

  function close(): void {
    reader.stop()
    closing.abort()
  }

  return {
    name,

    stats() {
      const all = [...shards.values()]
      const oldest = all.map((shard) => shard.oldestArrivalMs).filter((arrivalMs) => arrivalMs !== undefined)
      return {
        ...counts,
        unresolvedRecords: all.reduce((sum, shard) => sum + shard.unresolvedRecords, 0),
        freshnessMs: oldest.length === 0 ? 0 : Math.max(0, clock.now() - Math.min(...oldest)),
        bufferedBytes: heldBytes(),
        shards: reader
          .shards()
          .map((shard) => ({ ...shard, checkpoint: shards.get(shard.shardId)?.checkpoint })),
        lastError,
      }
    },

    async drain(signal) {
      if (closing.signal.aborted) return
      await untilAborted(drainAll(), AbortSignal.any([closing.signal, ...(signal ? [signal] : [])]))
      close()
    },

    async close() {
      close()
    },
  }
}
