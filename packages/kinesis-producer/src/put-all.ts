import type { ProducerError } from './producer-errors.js'
import type { ProducerRecord } from './record-input.js'

export type RecordSource = Iterable<ProducerRecord> | AsyncIterable<ProducerRecord>

/** What became of the records of one `putAll`. */
export interface PutAllResult {
  delivered: number
  failed: number
  /** Of the first that failed. */
  firstError: ProducerError | undefined
}

/** What is needed of a producer. */
export interface RecordTaker {
  enqueue(record: ProducerRecord, onDelivered: () => void, onFailed: (error: ProducerError) => void): boolean
  ready(): Promise<void>
  flush(): Promise<void>
}

/** Keeps account of the records that it hands to a producer. */
export class RecordTally {
  readonly result: PutAllResult = { delivered: 0, failed: 0, firstError: undefined }
  readonly #producer: RecordTaker
  // Two functions for all records: a pair for each would cost more than the record.
  readonly #delivered = () => {
    this.result.delivered++
  }
  readonly #failed = (error: ProducerError) => {
    this.result.failed++
    this.result.firstError ??= error
  }

  constructor(producer: RecordTaker) {
    this.#producer = producer
  }

  /** Hands a record over; undefined where the next may follow at once, else what to await before. */
  put(record: ProducerRecord): Promise<void> | undefined {
    try {
      return this.#putNow(record)
    } catch (error) {
      const { code, retryable } = error as ProducerError
      if (code === 'SPOOL_STARTING') return this.#producer.ready().then(() => this.put(record))
      // Larger than the room that others have left: an empty buffer takes any record.
      if (code === 'QUEUE_FULL') return this.#producer.flush().then(() => this.put(record))
      // Once: when all that it holds is settled the spool has room, unless others fill the disk.
      if (code === 'SPOOL_FULL' && retryable) return this.#producer.flush().then(() => this.#putNow(record))
      throw error
    }
  }

  #putNow(record: ProducerRecord): Promise<void> | undefined {
    const hasRoom = this.#producer.enqueue(record, this.#delivered, this.#failed)
    return hasRoom ? undefined : this.#producer.ready()
  }

  /** Resolves when all have settled. */
  async settled(): Promise<PutAllResult> {
    await this.#producer.flush()
    return this.result
  }
}

/** See `KinesisProducer.putAll`. */
export async function putAll(producer: RecordTaker, source: RecordSource): Promise<PutAllResult> {
  const tally = new RecordTally(producer)
  try {
    // Others may have filled the buffer.
    await producer.ready()
    if (Symbol.asyncIterator in source) {
      for await (const record of source) {
        const room = tally.put(record)
        if (room !== undefined) await room
      }
    } else {
      for (const record of source) {
        const room = tally.put(record)
        if (room !== undefined) await room
      }
    }
  } finally {
    await tally.settled()
  }
  return tally.result
}
