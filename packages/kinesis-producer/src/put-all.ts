import { type ProducerError, QueueFullError } from './producer-errors.js'
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
      const hasRoom = this.#producer.enqueue(record, this.#delivered, this.#failed)
      return hasRoom ? undefined : this.#producer.ready()
    } catch (error) {
      if (!(error instanceof QueueFullError)) throw error
      // Larger than the room that others have left: an empty buffer takes any record.
      return this.#producer.flush().then(() => this.put(record))
    }
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
