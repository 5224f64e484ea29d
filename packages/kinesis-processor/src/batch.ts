import type { ReasonCode } from './errors.js'
import { Lane } from './lane.js'
import type { StreamRecord } from './stream-record.js'

export type Resolution = 'stored' | 'rejected' | 'dropped' | 'deduplicated'

/**
 * `waiting`: everything is still to be done. `underway`: it has come through so many stages of the steps in this pass or an earlier one.
 * `ready`: to be written. `faulty`: to be rejected. `resolved`: nothing is left to do.
 */
export type Progress<U> =
  | { state: 'waiting' }
  | { state: 'underway'; value: unknown; stage: number }
  | { state: 'ready'; value: U }
  | { state: 'faulty'; error: unknown; reasonCode: ReasonCode }
  | { state: 'resolved'; as: Resolution }

export interface BatchItem<U> {
  readonly record: StreamRecord
  readonly lane: Lane<U>
  progress: Progress<U>
  /** What went wrong in this pass, and may go right in another. */
  failure: { error: unknown } | undefined
}

export type ItemIn<U, State extends Progress<U>['state']> = BatchItem<U> & {
  progress: Extract<Progress<U>, { state: State }>
}

/** Shared: a batch has thousands of records. */
export const WAITING = { state: 'waiting' } as const
export const STORED = { state: 'resolved', as: 'stored' } as const
export const REJECTED = { state: 'resolved', as: 'rejected' } as const
export const DROPPED = { state: 'resolved', as: 'dropped' } as const
const DUPLICATE = { state: 'resolved', as: 'deduplicated' } as const

/** The records of one invocation, and which of them are done. */
export class Batch<U> {
  readonly items: readonly BatchItem<U>[]
  readonly lanes: readonly Lane<U>[]

  constructor(records: readonly StreamRecord[]) {
    const lanes = new Map<string, Lane<U>>()
    const resends = new ResendFilter()
    const items: BatchItem<U>[] = []
    for (const record of records) {
      const { partitionKey } = record.position
      let lane = lanes.get(partitionKey)
      if (lane === undefined) {
        lane = new Lane()
        lanes.set(partitionKey, lane)
      }
      const item: BatchItem<U> = {
        record,
        lane,
        progress: initialProgress(record, resends),
        failure: undefined,
      }
      lane.items.push(item)
      items.push(item)
    }
    this.items = items
    this.lanes = [...lanes.values()]
  }

  /**
   * Of the lanes that are due, in stream order, what `choose` takes; nothing of a lane behind a record that it stops at.
   *
   * (One way over all items: to gather them lane by lane and to sort them cost more than the steps.)
   */
  collect(choose: (item: BatchItem<U>) => 'take' | 'pass' | 'stop'): BatchItem<U>[] {
    for (const lane of this.lanes) lane.isStopped = false
    const taken: BatchItem<U>[] = []
    for (const item of this.items) {
      const { lane } = item
      if (!lane.isDue || lane.isStopped) continue
      const choice = choose(item)
      if (choice === 'take') taken.push(item)
      else if (choice === 'stop') lane.isStopped = true
    }
    return taken
  }

  /**
   * Where Lambda goes on: the first unresolved record, which has the lowest sequence number, because a batch comes in stream order. Members
   * of an aggregate share theirs, so the aggregate comes again as a whole.
   */
  get firstUnresolved(): BatchItem<U> | undefined {
    return this.items.find(({ progress }) => progress.state !== 'resolved')
  }

  /** How many records ended in each way. */
  count(): Record<Resolution | 'unresolved', number> {
    const counts = { stored: 0, rejected: 0, dropped: 0, deduplicated: 0, unresolved: 0 }
    for (const { progress } of this.items) {
      counts[progress.state === 'resolved' ? progress.as : 'unresolved'] += 1
    }
    return counts
  }
}

/**
 * Tells the records that a producer has sent twice. The first of them stands before the others in the batch: if it stays unresolved, Lambda
 * goes on from it or from before it, and the others come again with it. So they need not wait for it.
 */
class ResendFilter {
  readonly #seen = new Map<string, Set<number>>()

  isResend({ position: { producer } }: StreamRecord): boolean {
    if (producer === undefined) return false
    const seen = this.#seen.get(producer.producerId)
    if (seen === undefined) this.#seen.set(producer.producerId, new Set([producer.sequence]))
    else if (seen.has(producer.sequence)) return true
    else seen.add(producer.sequence)
    return false
  }
}

function initialProgress<U>(record: StreamRecord, resends: ResendFilter): Progress<U> {
  if (record.fault !== undefined) {
    return { state: 'faulty', error: record.fault, reasonCode: 'corrupt-aggregate' }
  }
  return resends.isResend(record) ? DUPLICATE : WAITING
}
