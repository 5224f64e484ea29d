import { Fifo } from './fifo.js'
import type { ShardRecord, TrackedRecord } from './shard-record.js'

/**
 * Which records of a shard are done with. Records resolve in any order; the checkpoint is the last record before the first
 * unresolved one, so that a reader that starts behind it misses nothing.
 */
export class CheckpointLedger<R extends ShardRecord> {
  #records = new Fifo<TrackedRecord<R> & { isPassed?: true }>()
  #unresolved = 0
  #unresolvedBytes = 0
  #heldBytes = 0
  #checkpoint: string | undefined

  /** Records that are not resolved, wherever they are. */
  get unresolved(): number {
    return this.#unresolved
  }

  get unresolvedBytes(): number {
    return this.#unresolvedBytes
  }

  /** What all records from the first unresolved one on weigh: those that are resolved behind it are held with it. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  /** The sequence number up to which everything is resolved. */
  get checkpoint(): string | undefined {
    return this.#checkpoint
  }

  /** The first record that is not resolved. */
  get oldest(): R | undefined {
    return this.#records.peek()?.record
  }

  /** Takes the next record of the shard, in the shard's order. */
  track(record: R, offeredAtMs: number): TrackedRecord<R> {
    const tracked = { record, offeredAtMs, resolved: false }
    this.#records.push(tracked)
    this.#unresolved += 1
    this.#unresolvedBytes += record.payloadBytes
    this.#heldBytes += record.payloadBytes
    return tracked
  }

  /** Takes the next record of the shard, which needs nothing done; `advance` says whether the checkpoint moved. */
  pass(record: R): void {
    const passed = { record, offeredAtMs: 0, resolved: true, isPassed: true as const }
    // One stands for all that follow each other: a record that is stuck must not fill the memory with those that were filtered out behind it.
    if (this.#records.last?.isPassed) this.#records.replaceLast(passed)
    else this.#records.push(passed)
  }

  /** Returns the new checkpoint where it moved. */
  resolve(resolved: readonly TrackedRecord<R>[]): string | undefined {
    for (const tracked of resolved) {
      if (tracked.resolved) continue
      tracked.resolved = true
      this.#unresolved -= 1
      this.#unresolvedBytes -= tracked.record.payloadBytes
    }
    return this.advance()
  }

  /**
   * Moves the checkpoint to the last record before the first unresolved one, and returns it where it moved. Members of an aggregate share
   * one sequence number, which is passed when all of them are resolved.
   */
  advance(): string | undefined {
    let moved: string | undefined
    while (this.#records.peek()?.resolved) {
      const { record, isPassed } = this.#records.take(1)[0]!
      if (this.#records.peek()?.record.sequenceNumber !== record.sequenceNumber) moved = record.sequenceNumber
      if (!isPassed) this.#heldBytes -= record.payloadBytes
    }
    if (moved !== undefined) this.#checkpoint = moved
    return moved
  }
}
