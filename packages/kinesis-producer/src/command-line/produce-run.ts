import { StreamingError, sleep, systemClock, systemRandom } from '@org/kinesis-core'
import { KinesisProducer } from '../kinesis-producer.js'
import { QueueFullError } from '../producer-errors.js'
import type { KinesisProducerOptions } from '../producer-options.js'
import { type ProducerRecord, RecordChecker } from '../record-input.js'
import type { ErrorOutput } from './error-output.js'
import type { InputItem } from './input-item.js'
import type { InputSource, OpenInput } from './input-source.js'
import { LineSplitter } from './line-splitter.js'
import type { ProduceCommand } from './produce-command.js'
import { RateLimit } from './rate-limit.js'
import { readChunks } from './read-chunks.js'
import { recordReader } from './record-reader.js'
import type { ProduceSummary } from './summary.js'

/** Where a run is, beyond what its summary counts. */
export interface RunPosition {
  phase: 'reading' | 'draining'
  /** Of all inputs, read and settled, 0 to 1; undefined where one has no end. */
  doneShare: number | undefined
  isInterrupted: boolean
}

/** Reads the inputs one after the other, hands their records to a producer, and waits until all have settled. */
export class ProduceRun {
  readonly #producer: KinesisProducer | undefined
  readonly #rate: RateLimit | undefined
  readonly #checker: RecordChecker
  /** Ends the reading: on interruption, where it makes no sense to go on. */
  readonly #stop = new AbortController()
  readonly #startedAtMs = performance.now()
  #phase: RunPosition['phase'] = 'reading'
  #isInterrupted = false
  #error: string | undefined
  #read = 0
  #refused = 0
  /** Not taken by the producer, whose own count has those, too, that then wait for room. */
  #untaken = 0
  #bytes = 0
  /** Of the chunk at hand: read, and not taken yet. */
  #itemsAhead = 0
  #open: OpenInput | undefined
  #closedFileBytes = 0

  constructor(
    private readonly command: ProduceCommand,
    private readonly sources: readonly InputSource[],
    /** Undefined in a dry run. */
    settings: KinesisProducerOptions | undefined,
    private readonly maxRecordBytes: number,
    private readonly output: ErrorOutput,
  ) {
    this.#checker = new RecordChecker(maxRecordBytes)
    this.#rate = command.rate === undefined ? undefined : new RateLimit(command.rate)
    if (settings === undefined) return
    this.#producer = new KinesisProducer({
      ...settings,
      hooks: {
        onRecordFailed: ({ error }) => {
          this.output.sayOneOf('failures', error.message)
          // Nothing that is read after it would fare better.
          if (error.code === 'REQUEST_REJECTED') this.#end(error.message)
        },
      },
    })
  }

  async run(): Promise<void> {
    try {
      for (const source of this.sources) {
        if (this.#stop.signal.aborted) break
        await this.#readSource(source)
      }
    } catch (error) {
      if (!StreamingError.isInstance(error)) throw error
      this.output.say(error.message)
      this.#end(error.message)
    }
    this.#phase = 'draining'
    await this.#producer?.close()
  }

  /** Stops the reading; what a pipe has given already is delivered, because nobody could read it again. */
  interrupt(): void {
    this.#isInterrupted = true
    this.#stop.abort()
  }

  position(): RunPosition {
    const fileBytes = this.sources.reduce<number | undefined>(
      (sum, { sizeBytes }) => (sum === undefined || sizeBytes === undefined ? undefined : sum + sizeBytes),
      0,
    )
    const readBytes = this.#closedFileBytes + (this.#open?.bytesRead() ?? 0)
    const settled = this.#read - (this.#producer?.stats().pending ?? 0)
    const settledShare = settled / Math.max(1, this.#read + this.#itemsAhead)
    return {
      phase: this.#phase,
      doneShare: fileBytes ? (readBytes / fileBytes) * settledShare : undefined,
      isInterrupted: this.#isInterrupted,
    }
  }

  summary(): ProduceSummary {
    const stats = this.#producer?.stats()
    const seconds = (performance.now() - this.#startedAtMs) / 1_000
    const delivered = stats?.delivered ?? 0
    return {
      read: this.#read,
      delivered,
      failed: (stats?.failed ?? 0) + this.#untaken,
      refused: this.#refused,
      unsettled: stats?.pending ?? 0,
      bytes: this.#bytes,
      seconds,
      deliveredPerSecond: delivered / seconds,
      requests: stats?.requests ?? 0,
      throttled: stats?.throttled ?? 0,
      interrupted: this.#isInterrupted,
      dryRun: this.#producer === undefined,
      ...(this.#error === undefined ? {} : { error: this.#error }),
    }
  }

  async #readSource(source: InputSource): Promise<void> {
    const { command, maxRecordBytes } = this
    const open = source.open()
    this.#open = open
    const splitter = new LineSplitter(maxRecordBytes)
    const reader = recordReader({
      format: command.format,
      partitionKeyField: command.partitionKey,
      partitionKeyRegex: command.partitionKeyRegex,
      explicitHashKeyField: command.explicitHashKey,
      delimiter: command.delimiter,
      skipEmpty: command.skipEmpty,
      maxRecordBytes,
      checker: this.#checker,
      random: systemRandom,
    })
    for await (const chunk of readChunks(open.stream, source.name, this.#stop.signal)) {
      await this.#take(reader.read(splitter.push(chunk)), source)
      if (this.#isOver(source)) return
    }
    // A pipe that was left amid a line has brought no line.
    if (this.#stop.signal.aborted && !open.stream.readableEnded) return
    await this.#take([...reader.read(splitter.end()), ...reader.end()], source)
    this.#closedFileBytes += source.sizeBytes ?? 0
    this.#open = undefined
  }

  async #take(items: readonly InputItem[], source: InputSource): Promise<void> {
    this.#itemsAhead = items.length
    for (const item of items) {
      if ('record' in item) await this.#whenDue()
      if (this.#isOver(source)) return
      this.#read += 1
      this.#itemsAhead -= 1
      if ('record' in item) this.#deliver(item.record)
      else this.#refuse(`${source.name}, line ${item.lineNumber}: ${item.reason} It begins: ${item.excerpt}`)
    }
  }

  /** Hands one record over; its fate shows in the producer's counters and hooks. */
  #deliver(record: ProducerRecord & { data: Uint8Array }): void {
    this.#bytes += record.data.byteLength
    try {
      this.#producer?.enqueue(record)
    } catch (error) {
      // Larger than the room that is left: a put waits for it.
      if (error instanceof QueueFullError) this.#producer?.put(record).catch(() => {})
      else this.#untaken += 1
    }
  }

  /** When the rate, which a stop ends, and the producer have room for one more. */
  async #whenDue(): Promise<void> {
    while (this.#rate !== undefined && !this.#stop.signal.aborted) {
      const delayMs = this.#rate.take(performance.now())
      if (delayMs === 0) break
      await sleep(systemClock, delayMs, this.#stop.signal)
    }
    await this.#producer?.ready()
  }

  #refuse(message: string): void {
    this.#refused += 1
    this.output.sayOneOf('bad lines', message)
    if (this.command.onBadInput === 'stop') this.#end(message)
  }

  #end(error: string): void {
    this.#error ??= error
    this.#stop.abort()
  }

  #isOver(source: InputSource): boolean {
    if (this.#error !== undefined) return true
    return this.#isInterrupted && source.sizeBytes !== undefined
  }
}
