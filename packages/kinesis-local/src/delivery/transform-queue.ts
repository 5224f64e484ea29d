import { type Clock, firehoseQuotas } from '@org/kinesis-core'
import type { DeliveryRecord } from './delivery-record.js'
import { type TransformOutcome, type TransformResult, transformPayloadBytes } from './transform.js'

export interface TransformQueueOptions {
  transform: (records: readonly DeliveryRecord[]) => Promise<TransformResult>
  maxBytes: number
  maxIntervalMs: number
  /** Told of every record in the order of the records. */
  onOutcome: (record: DeliveryRecord, outcome: TransformOutcome, attemptsMade: number) => void
  /** Called when a batch has left the queue. */
  onProgress: () => void
  clock: Clock
  signal: AbortSignal
}

/** Room in a payload for what is not records. */
const ENVELOPE_BYTES = 1_024

/** Gathers records until an invocation of the transform is due, by size or by time; one invocation after the other, in order. */
export class TransformQueue {
  #options: TransformQueueOptions
  #gathered: DeliveryRecord[] = []
  #gatheredBytes = 0
  #gatheredPayloadBytes = 0
  #heldBytes = 0
  #cancelTimer = () => {}
  #transforming: Promise<void> = Promise.resolve()

  constructor(options: TransformQueueOptions) {
    this.#options = options
    options.signal.addEventListener('abort', () => this.#cancelTimer(), { once: true })
  }

  /** Bytes that wait for the transform or are in it. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  add(record: DeliveryRecord): void {
    const { clock, maxBytes, maxIntervalMs } = this.#options
    const payloadBytes = transformPayloadBytes(record)
    const limit = firehoseQuotas.maxTransformPayloadBytes - ENVELOPE_BYTES
    if (this.#gatheredPayloadBytes + payloadBytes > limit) this.#transformGathered()
    if (this.#gathered.length === 0) {
      this.#cancelTimer = clock.schedule(maxIntervalMs, () => this.#transformGathered())
    }
    this.#gathered.push(record)
    this.#gatheredBytes += record.data.byteLength
    this.#gatheredPayloadBytes += payloadBytes
    this.#heldBytes += record.data.byteLength
    if (this.#gatheredBytes >= maxBytes) this.#transformGathered()
  }

  /** Resolves when every record that was added has its outcome. */
  flush(): Promise<void> {
    this.#transformGathered()
    return this.#transforming
  }

  #transformGathered(): void {
    this.#cancelTimer()
    if (this.#gathered.length === 0) return
    const records = this.#gathered
    const bytes = this.#gatheredBytes
    this.#gathered = []
    this.#gatheredBytes = 0
    this.#gatheredPayloadBytes = 0
    this.#transforming = this.#transforming.then(async () => {
      await this.#transform(records)
      this.#heldBytes -= bytes
      this.#options.onProgress()
    })
  }

  async #transform(records: readonly DeliveryRecord[]): Promise<void> {
    const { transform, onOutcome, signal } = this.#options
    if (signal.aborted) return
    const { outcomes, attemptsMade } = await transform(records)
    // What was not delivered when the stream was closed is unresolved, whatever the transform said.
    if (signal.aborted) return
    for (const [index, record] of records.entries()) onOutcome(record, outcomes[index]!, attemptsMade)
  }
}
