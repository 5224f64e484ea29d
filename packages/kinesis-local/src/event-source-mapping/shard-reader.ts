import { backoffDelayMs, type Clock, kinesisQuotas, type Random } from '@org/kinesis-core'
import { type LocalService, ServiceError } from '../service.js'

export interface StreamRecord {
  partitionKey: string
  sequenceNumber: string
  /** Milliseconds since the epoch. */
  arrivalMs: number
  data: Uint8Array
}

/** Who takes the records of one shard. */
export interface ShardConsumer {
  /** How many records it takes now; at 0 the reader waits for `resume`. */
  room(): number
  take(records: StreamRecord[]): void
  /** Everything that arrived before this time was taken. */
  caughtUp(upToMs: number): void
  /** No more will come; resolves when everything that it took is resolved. */
  end(): Promise<void>
}

/** Where a mapping begins; a time is Kinesis' AT_TIMESTAMP. */
export type StartingPoint = 'TRIM_HORIZON' | 'LATEST' | { atTimestampMs: number }

/** Where the reading of a shard begins. */
export type ReadingPosition = StartingPoint | { afterSequenceNumber: string }

/** Hands the records of one shard to its consumer, by polling or as they are pushed. */
export interface ShardFollower {
  /** Of the last read; undefined before the first. */
  readonly millisBehindLatest: number | undefined
  /**
   * Reads until the shard ends, a drain has seen everything, or `stop`; then until the consumer has resolved it. Rejects where a drain
   * finds that the stream is gone.
   */
  run(): Promise<void>
  /** The consumer may have room again. */
  resume(): void
  /** Reads on to what is in the shard at `fromMs`, then ends. */
  drain(fromMs: number): void
  stop(): void
}

export interface ShardReaderOptions {
  streamName: string
  shardId: string
  position: ReadingPosition
  pollIntervalMs: number
  consumer: ShardConsumer
  onError: (error: Error) => void
}

/** As the shard's five reads a second allow one reader. */
const MIN_GAP_MS = 1_000 / kinesisQuotas.shardReadsPerSecond
const RETRY_BACKOFF = { baseMs: 250, maxMs: 5_000 }

/** A record as the API gives it. */
export interface RecordOutput {
  Data: Uint8Array
  PartitionKey: string
  SequenceNumber: string
  ApproximateArrivalTimestamp: number | Date
}

interface GetRecordsOutput {
  Records: RecordOutput[]
  NextShardIterator?: string | null
  MillisBehindLatest?: number
}

/**
 * Polls one shard: at once again while it is behind, every `pollIntervalMs` at the tip, slower when the shard's read limit, which all
 * of its readers share, is reached.
 */
export class ShardReader implements ShardFollower {
  #options: ShardReaderOptions
  #kinesis: LocalService
  #clock: Clock
  #random: Random
  #wake: (() => void) | undefined
  #waitsForRoom = false
  #stopped = false
  #drainFromMs = Number.POSITIVE_INFINITY
  #iterator: string | undefined
  #openedAtMs: number | undefined
  #lastSequenceNumber: string | undefined
  /** Between reads while behind: grows with throttles and shrinks again, so that readers of one shard settle beside each other. */
  #gapMs: number
  #millisBehindLatest: number | undefined

  constructor(
    options: ShardReaderOptions,
    { kinesis, clock, random }: { kinesis: LocalService; clock: Clock; random: Random },
  ) {
    this.#options = options
    this.#kinesis = kinesis
    this.#clock = clock
    this.#random = random
    this.#gapMs = this.#minGapMs
  }

  get millisBehindLatest(): number | undefined {
    return this.#millisBehindLatest
  }

  async run(): Promise<void> {
    const { consumer } = this.#options
    let failures = 0
    while (!this.#stopped) {
      const room = Math.min(consumer.room(), kinesisQuotas.maxGetRecords)
      if (room <= 0) {
        await this.#pause(undefined)
        continue
      }
      const sentAtMs = this.#clock.now()
      let page: GetRecordsOutput
      try {
        page = await this.#read(room)
        failures = 0
      } catch (error) {
        if (this.#stopped) return
        if (isMissing(error) && (await hasShardExpired(this.#kinesis, this.#options))) return consumer.end()
        if (this.#isDraining && isMissing(error)) throw error
        failures += 1
        await this.#pause(this.#onFailure(error, failures))
        continue
      }
      if (this.#stopped) return
      const count = this.#hand(page)
      // Zero says that nothing was left when the page was read (API reference, GetRecords); a full page may hide that more came since.
      const atTip = this.#millisBehindLatest === 0 && count < room
      if (this.#iterator === undefined || (atTip && sentAtMs >= this.#drainFromMs)) return consumer.end()
      if (atTip) consumer.caughtUp(sentAtMs)
      const behind = !(this.#millisBehindLatest === 0) || count >= room || this.#isDraining
      const pauseMs = behind ? this.#gapMs : this.#options.pollIntervalMs
      await this.#pause(sentAtMs + pauseMs - this.#clock.now())
    }
  }

  resume(): void {
    if (this.#options.consumer.room() > 0 && this.#waitsForRoom) this.#wake?.()
  }

  drain(fromMs: number): void {
    this.#drainFromMs = fromMs
    this.#wake?.()
  }

  stop(): void {
    this.#stopped = true
    this.#wake?.()
  }

  get #isDraining(): boolean {
    return this.#drainFromMs !== Number.POSITIVE_INFINITY
  }

  get #minGapMs(): number {
    return Math.min(MIN_GAP_MS, this.#options.pollIntervalMs)
  }

  async #read(limit: number): Promise<GetRecordsOutput> {
    this.#iterator ??= await this.#openIterator()
    const page = await this.#kinesis.call('GetRecords', { ShardIterator: this.#iterator, Limit: limit })
    this.#gapMs = Math.max(this.#minGapMs, this.#gapMs - MIN_GAP_MS / 10)
    return page as GetRecordsOutput
  }

  async #openIterator(): Promise<string> {
    const { streamName, shardId, position } = this.#options
    const { ShardIterator } = (await this.#kinesis.call('GetShardIterator', {
      StreamName: streamName,
      ShardId: shardId,
      ...this.#startOfIterator(position),
    })) as { ShardIterator: string }
    this.#openedAtMs ??= this.#clock.now()
    return ShardIterator
  }

  #startOfIterator(position: ReadingPosition) {
    if (this.#lastSequenceNumber !== undefined) {
      return {
        ShardIteratorType: 'AFTER_SEQUENCE_NUMBER',
        StartingSequenceNumber: this.#lastSequenceNumber,
      }
    }
    // LATEST a second time would skip what came since the first.
    if (position === 'LATEST' && this.#openedAtMs !== undefined) {
      return { ShardIteratorType: 'AT_TIMESTAMP', Timestamp: this.#openedAtMs / 1_000 }
    }
    if (typeof position === 'string') return { ShardIteratorType: position }
    return 'atTimestampMs' in position
      ? { ShardIteratorType: 'AT_TIMESTAMP', Timestamp: position.atTimestampMs / 1_000 }
      : {
          ShardIteratorType: 'AFTER_SEQUENCE_NUMBER',
          StartingSequenceNumber: position.afterSequenceNumber,
        }
  }

  /** Hands the records on, and returns how many there were. */
  #hand(page: GetRecordsOutput): number {
    this.#iterator = page.NextShardIterator ?? undefined
    this.#millisBehindLatest = page.MillisBehindLatest ?? 0
    const records = page.Records.map(streamRecord)
    const last = records.at(-1)
    if (last !== undefined) {
      this.#lastSequenceNumber = last.sequenceNumber
      this.#options.consumer.take(records)
    }
    return records.length
  }

  /** How long to wait after a read that failed. */
  #onFailure(error: unknown, failures: number): number {
    const code = error instanceof ServiceError ? error.code : undefined
    if (code === 'ProvisionedThroughputExceededException' || code === 'LimitExceededException') {
      // The normal fate of readers that share a shard, and no error of theirs.
      this.#gapMs = Math.min(this.#gapMs * 2, Math.max(1_000, this.#options.pollIntervalMs))
      return this.#gapMs * (0.5 + this.#random())
    }
    if (code === 'ExpiredIteratorException') {
      this.#iterator = undefined
      return 0
    }
    this.#options.onError(error instanceof Error ? error : new Error(String(error)))
    return backoffDelayMs(failures, RETRY_BACKOFF, this.#random)
  }

  /** Waits for a time, or for a call that may change what there is to do. */
  async #pause(delayMs: number | undefined): Promise<void> {
    if (this.#stopped) return
    this.#waitsForRoom = delayMs === undefined
    await new Promise<void>((resolve) => {
      const cancel = delayMs === undefined ? () => {} : this.#clock.schedule(Math.max(0, delayMs), resolve)
      this.#wake = () => {
        cancel()
        resolve()
      }
    })
    this.#wake = undefined
    this.#waitsForRoom = false
  }
}

/** Whether a stream or a shard is not there: it may come to be, but a drain that waits for that would never end. */
export function isMissing(error: unknown): boolean {
  return error instanceof ServiceError && error.code === 'ResourceNotFoundException'
}

/**
 * Whether the stream is there, and the shard no more: its retention is over, and with it what was not read of it. Its children must be read
 * all the same.
 */
export async function hasShardExpired(
  kinesis: LocalService,
  { streamName, shardId }: Pick<ShardReaderOptions, 'streamName' | 'shardId'>,
): Promise<boolean> {
  const isThere = async (operation: string, input: Record<string, unknown>) => {
    try {
      await kinesis.call(operation, { StreamName: streamName, ...input })
      return true
    } catch (error) {
      return isMissing(error) ? false : undefined
    }
  }
  const fromItsStart = { ShardId: shardId, ShardIteratorType: 'TRIM_HORIZON' }
  return (
    (await isThere('DescribeStreamSummary', {})) === true &&
    (await isThere('GetShardIterator', fromItsStart)) === false
  )
}

export function streamRecord(record: RecordOutput): StreamRecord {
  return {
    partitionKey: record.PartitionKey,
    sequenceNumber: record.SequenceNumber,
    arrivalMs: milliseconds(record.ApproximateArrivalTimestamp),
    data: record.Data,
  }
}

function milliseconds(timestamp: number | Date): number {
  return timestamp instanceof Date ? timestamp.getTime() : Math.round(timestamp * 1_000)
}
