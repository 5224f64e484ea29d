import type { Clock } from '@org/kinesis-core'

interface Timer {
  dueMs: number
  order: number
  callback: () => void
  isCancelled: boolean
}

/**
 * A clock that moves only by `advance`, from one due time to the next, and never before everything that can happen now has happened.
 * Unlike core's `ManualClock` it is made for an hour of traffic: timers in a heap, and a turn of the event loop only where something ran.
 */
export class SimulatedClock implements Clock {
  #nowMs: number
  #order = 0
  readonly #heap: Timer[] = []
  #activity = 0
  #runningIo = 0
  #onIoDone = () => {}

  constructor(startMs: number) {
    this.#nowMs = startMs
  }

  now(): number {
    return this.#nowMs
  }

  /** When the next timer is due; undefined where none waits. */
  get nextDueMs(): number | undefined {
    while (this.#heap[0]?.isCancelled) this.#pop()
    return this.#heap[0]?.dueMs
  }

  schedule(delayMs: number, callback: () => void): () => void {
    const dueMs = this.#nowMs + Math.max(0, delayMs)
    const timer = { dueMs, order: this.#order++, callback, isCancelled: false }
    this.#push(timer)
    this.#activity += 1
    return () => {
      timer.isCancelled = true
    }
  }

  /** Says that something happened, so that what follows from it is waited for. */
  touch(): void {
    this.#activity += 1
  }

  /** Holds time while `work` runs: for files, compression and whatever else takes real time. */
  async hold<T>(work: Promise<T>): Promise<T> {
    this.#runningIo += 1
    try {
      return await work
    } finally {
      this.#runningIo -= 1
      this.#activity += 1
      this.#onIoDone()
    }
  }

  /** Moves time on to `untilMs`, and runs whatever falls due on the way, also what that schedules. */
  async advanceTo(untilMs: number): Promise<void> {
    await this.runUntil(() => false, untilMs)
    this.#nowMs = Math.max(this.#nowMs, untilMs)
  }

  /** Runs what falls due until `isOver`, or until nothing is due before `untilMs`. */
  async runUntil(isOver: () => boolean, untilMs: number): Promise<void> {
    await this.#settle()
    while (!isOver()) {
      const dueMs = this.nextDueMs
      if (dueMs === undefined || dueMs > untilMs) return
      const timer = this.#pop()
      this.#nowMs = Math.max(this.#nowMs, timer.dueMs)
      timer.callback()
      await this.#settle()
    }
  }

  /** Everything that can happen without time passing has happened: a turn of the loop went by in which nothing was done. */
  async #settle(): Promise<void> {
    let seen: number
    do {
      seen = this.#activity
      while (this.#runningIo > 0) await new Promise<void>((resolve) => (this.#onIoDone = resolve))
      await new Promise<void>((resolve) => setImmediate(resolve))
    } while (this.#activity !== seen || this.#runningIo > 0)
  }

  #push(timer: Timer): void {
    const heap = this.#heap
    let at = heap.push(timer) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (isBefore(heap[parent]!, timer)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = timer
  }

  #pop(): Timer {
    const heap = this.#heap
    const first = heap[0]!
    const last = heap.pop()!
    if (heap.length === 0) return first
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1
      if (isBefore(last, heap[child]!)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
    return first
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order)
}
