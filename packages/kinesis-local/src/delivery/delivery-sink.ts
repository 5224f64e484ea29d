import { randomBytes, randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { type Clock, deliveryMetrics, type MetricDefinition, type Random } from '@org/kinesis-core'
import { type DeliveryFailure, type ErrorOutputType, failureLine } from './delivery-failure.js'
import type { ResolvedDelivery } from './delivery-options.js'
import type { DeliveryRecord } from './delivery-record.js'
import { type BufferedItem, type BufferedObject, ObjectBuffer, type PreparedObject } from './object-buffer.js'
import type { ParquetConverter } from './parquet.js'
import { readPartition } from './partition.js'
import type { Prefix } from './prefix-expression.js'
import { timestampPattern } from './timestamp-pattern.js'

export interface DeliverySinkContext {
  clock: Clock
  random: Random
  publish: (metric: MetricDefinition, value: number) => void
  /** Names the transform in error objects. */
  lambdaArn: string | undefined
  /** Called when something became durable. */
  onDurable: () => void
  onError: (error: Error) => void
  signal: AbortSignal
  /** Around compression and conversion, which take real time. */
  hold: <T>(work: Promise<T>) => Promise<T>
}

const compress = promisify(gzip)
/** Held beyond a full buffer, so that reading goes on while an object is written. */
const EXTRA_HELD_BYTES = 8 * 1024 * 1024
const CONTENT_TYPE = 'application/octet-stream'

/** What follows the transform: a buffer for each partition and each kind of error, and the objects that come of them. */
export class DeliverySink {
  readonly counts = {
    deliveredRecords: 0,
    deliveredBytes: 0,
    objects: 0,
    droppedRecords: 0,
    failedRecords: 0,
    errorObjects: 0,
  }
  /** Of what is buffered or being written. */
  heldBytes = 0
  readonly #options: ResolvedDelivery
  readonly #context: DeliverySinkContext
  readonly #objectNameTime: (atMs: number) => string
  readonly #partitions = new Map<string, ObjectBuffer>()
  readonly #errors = new Map<ErrorOutputType, ObjectBuffer>()

  constructor(options: ResolvedDelivery, context: DeliverySinkContext) {
    this.#options = options
    this.#context = context
    this.#objectNameTime = timestampPattern('timeZone', 'yyyy-MM-dd-HH-mm-ss', options.timeZone)
    context.signal.addEventListener('abort', () => this.#cancelTimers(), { once: true })
  }

  /** More would fill memory; less is on its way to the store. */
  get isFull(): boolean {
    return this.heldBytes >= this.#options.bufferBytes + 2 * EXTRA_HELD_BYTES
  }

  /** Buffers with records in them, of which there may be `maxActivePartitions`. */
  get activePartitions(): number {
    return this.#partitions.size
  }

  deliver(record: DeliveryRecord, data: Uint8Array, partitionKeys?: unknown): void {
    const partition = readPartition(this.#options.prefix, partitionKeys)
    if (partition.kind === 'failure') {
      this.fail(record, partition.failure, data)
      return
    }
    const buffer = this.#partitions.get(partition.id) ?? this.#open(partition.id, partition.keys)
    if (buffer === undefined) {
      this.fail(record, tooManyPartitions(this.#options.maxActivePartitions), data)
      return
    }
    this.heldBytes += data.byteLength
    buffer.add({ record, data })
    if (this.#partitions.size > 1) this.#makeRoom()
  }

  drop(record: DeliveryRecord): void {
    this.counts.droppedRecords += 1
    record.settle()
  }

  /** `data` is what the record was when it failed. */
  fail(record: DeliveryRecord, failure: DeliveryFailure, data: Uint8Array = record.data): void {
    const { clock, lambdaArn } = this.#context
    const buffer = this.#errors.get(failure.outputType) ?? this.#openErrors(failure.outputType)
    const line = failureLine(record, data, failure, clock.now(), lambdaArn)
    this.heldBytes += line.byteLength
    buffer.add({ record, data: line })
  }

  /** Resolves when everything is durable. */
  async flush(): Promise<void> {
    await Promise.all([...this.#partitions.values()].map((buffer) => buffer.flush()))
    // Conversion may have failed some of them.
    await Promise.all([...this.#errors.values()].map((buffer) => buffer.flush()))
  }

  #open(id: string, keys: Readonly<Record<string, string>>): ObjectBuffer | undefined {
    if (this.#partitions.size >= this.#options.maxActivePartitions) return undefined
    const buffer = this.#buffer(
      (object) => this.#prepareObject(object, keys),
      (object) => this.#writeObject(object),
      () => this.#forgetWhenEmpty(id),
    )
    this.#partitions.set(id, buffer)
    return buffer
  }

  #openErrors(outputType: ErrorOutputType): ObjectBuffer {
    const buffer = this.#buffer(
      (object) => this.#prepareErrorObject(object, outputType),
      (object) => this.#writeErrorObject(object),
    )
    this.#errors.set(outputType, buffer)
    return buffer
  }

  #buffer(
    prepare: (object: BufferedObject) => Promise<PreparedObject>,
    write: (object: PreparedObject) => Promise<void>,
    onEmpty = () => {},
  ): ObjectBuffer {
    const { clock, random, signal, onDurable, onError, hold } = this.#context
    return new ObjectBuffer({
      maxBytes: this.#options.bufferBytes,
      maxIntervalMs: this.#options.bufferIntervalMs,
      prepare: (object) => hold(prepare(object)),
      write,
      onDurable: (bytes) => {
        this.heldBytes -= bytes
        onEmpty()
        onDurable()
      },
      onError,
      clock,
      random,
      signal,
    })
  }

  async #prepareObject(
    { items, oldestArrivalMs }: BufferedObject,
    partitionKeys: Readonly<Record<string, string>>,
  ): Promise<PreparedObject> {
    const { prefix, compression, fileExtension, parquet } = this.#options
    const key = `${this.#objectName(prefix, oldestArrivalMs, { partitionKeys })}${fileExtension}`
    if (parquet !== undefined) return { ...(await this.#convert(items, parquet)), key, oldestArrivalMs }
    const whole = Buffer.concat(items.map((item) => item.data))
    return { items, key, oldestArrivalMs, content: compression === 'GZIP' ? await compress(whole) : whole }
  }

  async #convert(items: readonly BufferedItem[], parquet: ParquetConverter) {
    const { bytes, accepted, refused } = await parquet.convert(items.map(({ data }) => data))
    for (const { index, code, message } of refused) {
      const { record, data } = items[index]!
      const outputType = 'format-conversion-failed'
      this.fail(record, { outputType, errorCode: code, errorMessage: message, attemptsMade: 1 }, data)
    }
    return { items: accepted.map((index) => items[index]!), content: bytes }
  }

  async #writeObject({ items, key, content, oldestArrivalMs }: PreparedObject): Promise<void> {
    const { publish, clock } = this.#context
    const publishFreshness = () =>
      publish(deliveryMetrics.dataFreshness, Math.max(0, clock.now() - oldestArrivalMs) / 1_000)
    try {
      await this.#options.store.put(key, content, { contentType: CONTENT_TYPE })
    } catch (error) {
      publish(deliveryMetrics.deliverySuccess, 0)
      // Data that cannot be delivered gets older: whoever watches its age must see it.
      publishFreshness()
      throw error
    }
    this.counts.objects += 1
    this.counts.deliveredRecords += items.length
    this.counts.deliveredBytes += content.byteLength
    publish(deliveryMetrics.deliverySuccess, 1)
    publish(deliveryMetrics.deliveredRecords, items.length)
    publish(deliveryMetrics.deliveredBytes, content.byteLength)
    publishFreshness()
  }

  async #prepareErrorObject(
    { items, oldestArrivalMs }: BufferedObject,
    errorOutputType: ErrorOutputType,
  ): Promise<PreparedObject> {
    const key = this.#objectName(this.#options.errorPrefix, oldestArrivalMs, { errorOutputType })
    return { items, key, oldestArrivalMs, content: Buffer.concat(items.map((item) => item.data)) }
  }

  async #writeErrorObject({ items, key, content }: PreparedObject): Promise<void> {
    await this.#options.store.put(key, content, { contentType: CONTENT_TYPE })
    this.counts.errorObjects += 1
    this.counts.failedRecords += items.length
  }

  /** `<evaluated prefix><stream>-<version>-<time>-<uuid>`, as the service names objects. */
  #objectName(
    prefix: Prefix,
    atMs: number,
    more: { errorOutputType?: ErrorOutputType; partitionKeys?: Readonly<Record<string, string>> },
  ): string {
    const { name, version } = this.#options
    const randomString = () => randomBytes(8).toString('base64url')
    const evaluated = prefix.expand({ atMs, randomString, ...more })
    return `${evaluated}${name}-${version}-${this.#objectNameTime(atMs)}-${randomUUID()}`
  }

  /** A partition is active as long as it has records. */
  #forgetWhenEmpty(id: string): void {
    if (this.#partitions.get(id)?.isEmpty) this.#partitions.delete(id)
  }

  /** Many partitions that are not full could wait for their time with all the memory there is: the largest goes early. */
  #makeRoom(): void {
    const most = this.#options.bufferBytes + EXTRA_HELD_BYTES
    if (this.heldBytes < most) return
    let waitingBytes = 0
    let largest: ObjectBuffer | undefined
    for (const buffer of this.#partitions.values()) {
      waitingBytes += buffer.waitingBytes
      if (buffer.waitingBytes > (largest?.waitingBytes ?? 0)) largest = buffer
    }
    if (waitingBytes >= most) void largest?.flush()
  }

  #cancelTimers(): void {
    for (const buffer of [...this.#partitions.values(), ...this.#errors.values()]) buffer.cancelTimer()
  }
}

function tooManyPartitions(most: number): DeliveryFailure {
  return {
    outputType: 'activePartitionExceeded',
    errorCode: 'DynamicPartitioning.ActivePartitionsLimitExceeded',
    errorMessage: `The delivery stream has ${most} active partitions, and may have no more.`,
    attemptsMade: 1,
  }
}
