import type { BatchItem } from './batch.js'

/** The records of one partition key, in stream order. Its first open record decides when the lane goes on, and whether. */
export class Lane<U> {
  readonly items: BatchItem<U>[] = []
  /** Attempts in a row that failed for the first open record. */
  failures = 0
  lastError: unknown
  retryAtMs = Number.NEGATIVE_INFINITY
  /** Takes part in this pass. */
  isDue = false
  /** While a batch is gone through: nothing more of this lane. */
  isStopped = false
  #headAt = 0
  #headBefore: BatchItem<U> | undefined

  /** The first record that is not resolved. */
  get head(): BatchItem<U> | undefined {
    return this.items[this.headAt]
  }

  get headAt(): number {
    while (this.items[this.#headAt]?.progress.state === 'resolved') this.#headAt++
    return this.#headAt
  }

  beginPass(): void {
    this.#headBefore = this.head
  }

  /** Settles what a pass did: counts the failure of the first open record, or none where the lane moved on. */
  endPass(retryAtMs: (failures: number) => number): void {
    const { head } = this
    if (head !== this.#headBefore) this.failures = 0
    if (head === undefined) return
    if (head.failure !== undefined) {
      this.failures += 1
      this.lastError = head.failure.error
      this.retryAtMs = retryAtMs(this.failures)
    }
    // Whatever failed behind it was tried too early to count.
    for (let at = this.headAt; at < this.items.length; at++) this.items[at]!.failure = undefined
  }
}
