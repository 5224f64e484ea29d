import { type Random, systemRandom } from '../random.js'
import { CheckpointLedger } from './checkpoint-ledger.js'
import type { RecordFilter } from './filter-criteria.js'
import { Lane, type ShardProgress } from './lane.js'
import type { CheckpointEffect, InvocationOutcome, MappingEffect } from './mapping-effects.js'
import type { ResolvedMappingSettings } from './mapping-settings.js'
import type { ShardRecord, TrackedRecord } from './shard-record.js'

/**
 * An event source mapping on one shard, as a state machine: records, outcomes and time go in, effects come out. It owns no timer
 * and does no I/O, so every host (a laptop, a container, a simulation) drives the same one, and a test drives it by hand.
 */
export class ShardMapping<R extends ShardRecord> {
  #ledger = new CheckpointLedger<R>()
  #lanes: Lane<R>[]
  #outside = new Map<number, Lane<R>>()
  #nextId = 1
  #filter: RecordFilter | undefined
  #filteredRecords = 0
  #expiredRecords = 0
  #progress: ShardProgress = {
    caughtUpToMs: Number.NEGATIVE_INFINITY,
    retentionMs: Number.POSITIVE_INFINITY,
    ended: false,
  }

  constructor(settings: ResolvedMappingSettings, random: Random = systemRandom) {
    this.#filter = settings.filter
    this.#lanes = Array.from({ length: settings.parallelizationFactor }, () => new Lane(settings, random))
  }

  /** Records that were offered and are not resolved. */
  get unresolvedRecords(): number {
    return this.#ledger.unresolved
  }

  /** Records that no filter matched, so far. */
  get filteredRecords(): number {
    return this.#filteredRecords
  }

  /** Records that went from the stream before they were resolved, so far. */
  get expiredRecords(): number {
    return this.#expiredRecords
  }

  /** What the unresolved records weigh in payload bytes. */
  get unresolvedBytes(): number {
    return this.#ledger.unresolvedBytes
  }

  /** What all records weigh that wait for the first unresolved one, which a host bounds as well. */
  get heldBytes(): number {
    return this.#ledger.heldBytes
  }

  /** The sequence number up to which everything is resolved. */
  get checkpoint(): string | undefined {
    return this.#ledger.checkpoint
  }

  /** The first unresolved record: its age is the iterator age. */
  get oldestUnresolved(): R | undefined {
    return this.#ledger.oldest
  }

  /** True after `end`, once every record is resolved and every window is closed. */
  get isFinished(): boolean {
    return this.#progress.ended && this.#lanes.every((lane) => lane.isIdle)
  }

  /** Takes the next records of the shard, in the shard's order; members of one aggregate in one call. */
  offer(records: readonly R[], nowMs: number): MappingEffect<R>[] {
    for (const record of records) {
      if (this.#accepts(record)) this.#laneOf(record).enqueue(this.#ledger.track(record, nowMs))
      else {
        this.#ledger.pass(record)
        this.#filteredRecords += 1
        // No batch will hold it, so windows learn from it here that time went on.
        this.#progress.caughtUpToMs = Math.max(this.#progress.caughtUpToMs, record.arrivalMs)
      }
    }
    return this.#advance(nowMs, checkpointAt(this.#ledger.advance()))
  }

  /** The host read to the tip of the shard: all records that arrived before `upToMs` were offered. Closes windows of an idle shard. */
  caughtUp(upToMs: number, nowMs: number): MappingEffect<R>[] {
    this.#progress.caughtUpToMs = Math.max(this.#progress.caughtUpToMs, upToMs)
    return this.#advance(nowMs, [])
  }

  /** The stream keeps records for so long: those that are older are tried no more, once what is under way with them has come back. */
  retainedFor(retentionMs: number, nowMs: number): MappingEffect<R>[] {
    this.#progress.retentionMs = retentionMs
    return this.#advance(nowMs, [])
  }

  settle(invocationId: number, outcome: InvocationOutcome, nowMs: number): MappingEffect<R>[] {
    return this.#resolve(this.#takeOutside(invocationId).settle(outcome, nowMs), nowMs)
  }

  /** The batch of a discard is durable in the failure destination, or was dropped where there is none. */
  discarded(discardId: number, nowMs: number): MappingEffect<R>[] {
    return this.#resolve(this.#takeOutside(discardId).discarded(), nowMs)
  }

  tick(nowMs: number): MappingEffect<R>[] {
    return this.#advance(nowMs, [])
  }

  /** No more records will come: the shard was closed, or the run ends. Batches no longer wait to fill, and windows close at once. */
  end(nowMs: number): MappingEffect<R>[] {
    this.#progress.ended = true
    return this.#advance(nowMs, [])
  }

  #accepts({ data }: R): boolean {
    return this.#filter === undefined || (data !== undefined && this.#filter.accepts(data))
  }

  #resolve(resolved: readonly TrackedRecord<R>[], nowMs: number): MappingEffect<R>[] {
    return this.#advance(nowMs, checkpointAt(this.#ledger.resolve(resolved)))
  }

  #advance(nowMs: number, effects: MappingEffect<R>[]): MappingEffect<R>[] {
    let wakeAtMs = Number.POSITIVE_INFINITY
    for (const [index, lane] of this.#lanes.entries()) {
      let action = lane.next(nowMs, this.#progress)
      while (action.kind === 'expired') {
        this.#expiredRecords += action.records.length
        effects.push(...checkpointAt(this.#ledger.resolve(action.records)))
        action = lane.next(nowMs, this.#progress)
      }
      if (action.kind === 'wait') {
        wakeAtMs = Math.min(wakeAtMs, action.untilMs ?? wakeAtMs)
        continue
      }
      const id = this.#nextId++
      this.#outside.set(id, lane)
      effects.push({ ...action, id, lane: index })
    }
    if (wakeAtMs !== Number.POSITIVE_INFINITY) effects.push({ kind: 'wake', atMs: wakeAtMs })
    return effects
  }

  #takeOutside(id: number): Lane<R> {
    const lane = this.#outside.get(id)
    if (lane === undefined) throw new RangeError(`${id} is no invocation or discard that is under way`)
    this.#outside.delete(id)
    return lane
  }

  #laneOf(record: R): Lane<R> {
    return this.#lanes[this.#lanes.length === 1 ? 0 : hash(record.partitionKey) % this.#lanes.length]!
  }
}

function checkpointAt(sequenceNumber: string | undefined): CheckpointEffect[] {
  return sequenceNumber === undefined ? [] : [{ kind: 'checkpoint', sequenceNumber }]
}

/** FNV-1a over UTF-16 units: only spread and repeatability matter here, MD5 would cost more than the rest of the path. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
  }
  // The low bits of FNV are weak for keys that differ in their last digit only.
  return (value ^ (value >>> 15)) >>> 0
}
