/**
 * Counts records by the flush that will wait for them: a flush closes the current epoch and resolves when every record of that epoch
 * and of those before it has settled. Later records do not delay it, and no record is ever looked for.
 */
export class FlushBarrier {
  /** Epochs from `#first` on: how many records are open, and who waits for the end of the epoch. */
  #epochs: { open: number; waiters: (() => void)[] }[] = [{ open: 0, waiters: [] }]
  #first = 0

  /** The epoch that new records belong to. */
  get current(): number {
    return this.#first + this.#epochs.length - 1
  }

  /** Enters a new record; its epoch. */
  enter(): number {
    this.#epochs[this.#epochs.length - 1]!.open++
    return this.current
  }

  /** Enters what has become of a record that is still open: whoever waits for that one waits for this one as well. */
  reenter(epoch: number): void {
    this.#epochs[epoch - this.#first]!.open++
  }

  settle(epoch: number): void {
    this.#epochs[epoch - this.#first]!.open--
    this.#release()
  }

  /** True for a record that a flush waits for. */
  isAwaited(epoch: number): boolean {
    return epoch < this.#first + this.#epochs.length - 1
  }

  /** Resolves when everything that has entered so far has settled. */
  wait(): Promise<void> {
    const current = this.#epochs[this.#epochs.length - 1]!
    if (current.open > 0) this.#epochs.push({ open: 0, waiters: [] })
    // Nothing has entered since the flush before: both wait for the same.
    const awaited = this.#epochs[this.#epochs.length - 2]
    if (awaited === undefined) return Promise.resolve()
    return new Promise((resolve) => awaited.waiters.push(resolve))
  }

  #release(): void {
    // The last epoch is the one that takes new records: it is never released.
    while (this.#epochs.length > 1 && this.#epochs[0]!.open === 0) {
      const { waiters } = this.#epochs.shift()!
      this.#first++
      for (const resolve of waiters) resolve()
    }
  }
}
