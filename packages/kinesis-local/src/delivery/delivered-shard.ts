import type { Clock } from '@org/kinesis-core'
import { firehoseQuotas } from '@org/kinesis-core'
import { CheckpointLedger, type ShardRecord } from '@org/kinesis-core/event-source-mapping'
import type { ShardConsumer, StreamRecord } from '../event-source-mapping/shard-reader.js'
import { type DeliveryRecord, unpack } from './delivery-record.js'
import { type TransformResult, transformPayloadBytes } from './transform.js'

export interface DeliveredShardContext {
  shardId: string
  clock: Clock
  /** Undefined where records are delivered as they are. */
  transform: ((records: readonly DeliveryRecord[]) => Promise<TransformResult>) | undefined
  transformBufferBytes: number
  transformBufferIntervalMs: number
  deliver: (record: DeliveryRecord, data: Uint8Array) => void
  drop: (record: DeliveryRecord) => void
  fail: (
    record: DeliveryRecord,
    failure: { errorCode: string; errorMessage: string; attemptsMade: number },
  ) => void
  /** How many records may be read now. */
  room: () => number
  /** Called when something left the shard's own buffer. */
  onProgress: () => void
  signal: AbortSignal
}

/** Room in a payload for what is not records. */
const ENVELOPE_BYTES = 1_024

/** The way of one shard's records from the stream to the object buffers: unpacked, gathered, transformed, in order. */
export class DeliveredShard implements ShardConsumer {
  #context: DeliveredShardContext
  #ledger = new CheckpointLedger<ShardRecord>()
  #gathered: DeliveryRecord[] = []
  #gatheredBytes = 0
  #gatheredPayloadBytes = 0
  #heldBytes = 0
  #cancelTimer = () => {}
  #transforming: Promise<void> = Promise.resolve()

  constructor(context: DeliveredShardContext) {
    this.#context = context
    context.signal.addEventListener('abort', () => this.#cancelTimer(), { once: true })
  }

  /** Everything up to this sequence number is in durable objects, or was dropped by the transform. */
  get checkpoint(): string | undefined {
    return this.#ledger.checkpoint
  }

  /** Kinesis records read, and not durable yet. */
  get unresolvedRecords(): number {
    return this.#ledger.unresolved
  }

  get oldestArrivalMs(): number | undefined {
    return this.#ledger.oldest?.arrivalMs
  }

  /** Bytes that wait for the transform or are in it. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  room(): number {
    return this.#context.room()
  }

  take(records: StreamRecord[]): void {
    const { shardId, clock, transform, deliver, fail } = this.#context
    for (const record of records) {
      const tracked = this.#ledger.track({ ...record, payloadBytes: record.data.byteLength }, clock.now())
      const unpacked = unpack(shardId, record, this.#ledger, tracked)
      if (unpacked.kind === 'corrupt') {
        fail(unpacked.record, {
          errorCode: 'Deaggregation.CorruptRecord',
          errorMessage: `The aggregated record cannot be unpacked: ${unpacked.reason}`,
          attemptsMade: 0,
        })
      } else {
        for (const member of unpacked.records) {
          if (transform === undefined) deliver(member, member.data)
          else this.#gather(member)
        }
      }
    }
  }

  /** Nothing depends on being at the tip. */
  caughtUp(): void {}

  /** Resolves when every record is in an object buffer: children may be read then, for delivery promises no order. */
  end(): Promise<void> {
    this.#transformGathered()
    return this.#transforming
  }

  #gather(record: DeliveryRecord): void {
    const { clock, transformBufferBytes, transformBufferIntervalMs } = this.#context
    const payloadBytes = transformPayloadBytes(record)
    const limit = firehoseQuotas.maxTransformPayloadBytes - ENVELOPE_BYTES
    if (this.#gatheredPayloadBytes + payloadBytes > limit) this.#transformGathered()
    if (this.#gathered.length === 0) {
      this.#cancelTimer = clock.schedule(transformBufferIntervalMs, () => this.#transformGathered())
    }
    this.#gathered.push(record)
    this.#gatheredBytes += record.data.byteLength
    this.#gatheredPayloadBytes += payloadBytes
    this.#heldBytes += record.data.byteLength
    if (this.#gatheredBytes >= transformBufferBytes) this.#transformGathered()
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
      this.#context.onProgress()
    })
  }

  async #transform(records: readonly DeliveryRecord[]): Promise<void> {
    const { transform, deliver, drop, fail, signal } = this.#context
    if (signal.aborted) return
    const { outcomes, attemptsMade } = await transform!(records)
    // What was not delivered when the stream was closed is unresolved, whatever the transform said.
    if (signal.aborted) return
    for (const [index, record] of records.entries()) {
      const outcome = outcomes[index]!
      if (outcome.kind === 'ok') deliver(record, outcome.data)
      else if (outcome.kind === 'dropped') drop(record)
      else fail(record, { ...outcome, attemptsMade })
    }
  }
}
