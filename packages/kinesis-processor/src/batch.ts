import type { PermanentError } from './errors.js'
import { readEvent, type StreamRecord } from './stream-record.js'

/**
 * `waiting`: steps still to run. `ready`: to be written. `faulty`: to be rejected. `resolved`: stored, rejected or dropped.
 * `unresolved`: given up for this invocation; nothing of its key runs any more.
 */
export type Progress<U> =
  | { state: 'waiting' }
  | { state: 'ready'; value: U }
  | { state: 'faulty'; error: unknown }
  | { state: 'resolved'; as: 'stored' | 'rejected' | 'dropped' }
  | { state: 'unresolved' }

export interface BatchItem<U> {
  readonly record: StreamRecord
  progress: Progress<U>
}

/** The records of one invocation, and which of them are done. */
export class Batch<U> {
  readonly items: BatchItem<U>[]
  /** Items by partition key, each in stream order. */
  readonly lanes: readonly BatchItem<U>[][]

  constructor(event: unknown) {
    this.items = readEvent(event).map((record) => ({ record, progress: initialProgress(record.fault) }))
    this.lanes = [...Map.groupBy(this.items, ({ record }) => record.position.partitionKey).values()]
  }

  inState<S extends Progress<U>['state']>(
    state: S,
  ): (BatchItem<U> & { progress: Extract<Progress<U>, { state: S }> })[] {
    return this.items.filter((item): item is never => item.progress.state === state)
  }

  /** What can be written now: in stream order, and nothing that stands behind an open record of its key. */
  writable(): (BatchItem<U> & { progress: { state: 'ready'; value: U } })[] {
    const blocked = new Set<string>()
    return this.items.filter((item): item is never => {
      const { partitionKey } = item.record.position
      const { state } = item.progress
      if (state === 'ready') return !blocked.has(partitionKey)
      if (state !== 'resolved') blocked.add(partitionKey)
      return false
    })
  }

  /** Gives up what is still open, and with it everything behind it in its lane. */
  giveUp(): void {
    for (const item of this.items) {
      if (item.progress.state !== 'resolved') item.progress = { state: 'unresolved' }
    }
  }

  /**
   * Where Lambda goes on: the lowest sequence number with an unresolved record. Members of an aggregate share theirs, so the
   * aggregate comes again as a whole.
   */
  get checkpoint(): string | undefined {
    return this.items.find(({ progress }) => progress.state !== 'resolved')?.record.position.sequenceNumber
  }
}

function initialProgress<U>(fault: PermanentError | undefined): Progress<U> {
  return fault === undefined ? { state: 'waiting' } : { state: 'faulty', error: fault }
}
