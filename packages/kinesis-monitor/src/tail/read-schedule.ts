/** What waits for its time, the earliest first. */
export class ReadSchedule<T extends { dueAtMs: number }> {
  readonly #waiting: T[] = []

  get nextDueMs(): number | undefined {
    return this.#waiting[0]?.dueAtMs
  }

  add(item: T): void {
    // Nearly always the latest of all, one interval from now: the search begins at the end.
    let index = this.#waiting.length
    while (index > 0 && this.#waiting[index - 1]!.dueAtMs > item.dueAtMs) index -= 1
    this.#waiting.splice(index, 0, item)
  }

  takeDue(nowMs: number): T | undefined {
    const first = this.#waiting[0]
    return first !== undefined && first.dueAtMs <= nowMs ? this.#waiting.shift() : undefined
  }
}
