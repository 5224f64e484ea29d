import type { Clock } from '@org/kinesis-core'
import { CheckpointLedger, type ShardRecord } from '@org/kinesis-core/event-source-mapping'
import type { ShardConsumer, StreamRecord } from '../event-source-mapping/shard-reader.js'
import type { DeliveryFailure } from './delivery-failure.js'
import { type DeliveryRecord, unpack } from './delivery-record.js'

export interface DeliveredShardContext {
  shardId: string
  clock: Clock
  /** Takes a record into the transform, or into an object where there is none. */
  accept: (record: DeliveryRecord) => void
  fail: (record: DeliveryRecord, failure: DeliveryFailure) => void
  /** Resolves when everything that was accepted is in an object buffer. */
  flush: () => Promise<void>
  /** How many records may be read now. */
  room: () => number
}

/** The way of one shard's records from the stream into the delivery, and how far they are durable. */
export class DeliveredShard implements ShardConsumer {
  #context: DeliveredShardContext
  #ledger = new CheckpointLedger<ShardRecord>()

  constructor(context: DeliveredShardContext) {
    this.#context = context
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

  room(): number {
    return this.#context.room()
  }

  take(records: StreamRecord[]): void {
    const { shardId, clock, accept, fail } = this.#context
    for (const record of records) {
      const tracked = this.#ledger.track({ ...record, payloadBytes: record.data.byteLength }, clock.now())
      const unpacked = unpack(shardId, record, this.#ledger, tracked)
      if (unpacked.kind === 'records') for (const member of unpacked.records) accept(member)
      else {
        fail(unpacked.record, {
          outputType: 'processing-failed',
          errorCode: 'Deaggregation.CorruptRecord',
          errorMessage: `The aggregated record cannot be unpacked: ${unpacked.reason}`,
          attemptsMade: 0,
        })
      }
    }
  }

  /** Nothing depends on being at the tip. */
  caughtUp(): void {}

  /** Children may be read when every record is in an object buffer, for delivery promises no order. */
  end(): Promise<void> {
    return this.#context.flush()
  }
}
