import type { ReasonCode } from './errors.js'
import type { StreamRecord } from './stream-record.js'

/** `waiting`: steps still to run. `ready`: to be written. `faulty`: to be rejected. `resolved`: stored, rejected or dropped. */
type Progress<U> =
  | { state: 'waiting' }
  | { state: 'ready'; value: U }
  | { state: 'faulty'; error: unknown; reasonCode: ReasonCode }
  | { state: 'resolved'; as: 'stored' | 'rejected' | 'dropped' }

export interface BatchItem<U> {
  /** Place in the batch. */
  readonly index: number
  readonly record: StreamRecord
  progress: Progress<U>
  /** What went wrong in this pass, and may go right in another. */
  failure: { error: unknown } | undefined
}

export type ItemIn<U, State extends Progress<U>['state']> = BatchItem<U> & {
  progress: Extract<Progress<U>, { state: State }>
}

/** The records of one partition key, in stream order. Its first open record decides when the lane goes on, and whether. */
export class Lane<U> {
  /** Attempts in a row that failed for the first open record. */
  failures = 0
  lastError: unknown
  retryAtMs = Number.NEGATIVE_INFINITY
  readonly items: BatchItem<U>[] = []
  #head = 0

  /** The first record that is not resolved. */
  get head(): BatchItem<U> | undefined {
    while (this.items[this.#head]?.progress.state === 'resolved') this.#head++
    return this.items[this.#head]
  }

  /** From the first open record on. */
  get open(): BatchItem<U>[] {
    return this.head === undefined ? [] : this.items.slice(this.#head)
  }

  /** Settles what a pass did: counts the failure of the first open record, or none where the lane moved on. */
  endPass(headBefore: BatchItem<U> | undefined, retryAtMs: (failures: number) => number): void {
    const { head, open } = this
    if (head !== headBefore) this.failures = 0
    if (head?.failure !== undefined) {
      this.failures += 1
      this.lastError = head.failure.error
      this.retryAtMs = retryAtMs(this.failures)
    }
    // Whatever failed behind it was tried too early to count.
    for (const item of open) item.failure = undefined
  }
}

/** The records of one invocation, and which of them are done. */
export class Batch<U> {
  readonly items: readonly BatchItem<U>[]
  readonly lanes: readonly Lane<U>[]

  constructor(records: readonly StreamRecord[]) {
    const lanes = new Map<string, Lane<U>>()
    this.items = records.map((record, index) => {
      const item: BatchItem<U> = { index, record, progress: initialProgress(record), failure: undefined }
      const { partitionKey } = record.position
      const lane = lanes.get(partitionKey)
      if (lane !== undefined) lane.items.push(item)
      else {
        const opened = new Lane<U>()
        opened.items.push(item)
        lanes.set(partitionKey, opened)
      }
      return item
    })
    this.lanes = [...lanes.values()]
  }

  /**
   * Where Lambda goes on: the first unresolved record, which has the lowest sequence number, because a batch comes in stream order. Members
   * of an aggregate share theirs, so the aggregate comes again as a whole.
   */
  get firstUnresolved(): BatchItem<U> | undefined {
    return this.items.find(({ progress }) => progress.state !== 'resolved')
  }

  countUnresolved(): number {
    let count = 0
    for (const { progress } of this.items) if (progress.state !== 'resolved') count++
    return count
  }

  countResolved(as: 'stored' | 'rejected' | 'dropped'): number {
    let count = 0
    for (const { progress } of this.items) if (progress.state === 'resolved' && progress.as === as) count++
    return count
  }
}

function initialProgress<U>({ fault }: StreamRecord): Progress<U> {
  if (fault === undefined) return { state: 'waiting' }
  return { state: 'faulty', error: fault, reasonCode: 'corrupt-aggregate' }
}
