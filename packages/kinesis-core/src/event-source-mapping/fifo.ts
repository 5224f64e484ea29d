/** A first-in first-out queue that takes from its head in constant time: `Array.shift` moves everything behind it. */
export class Fifo<T> {
  #items: T[] = []
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  /** The item `offset` places behind the head. */
  peek(offset = 0): T | undefined {
    return this.#items[this.#head + offset]
  }

  get last(): T | undefined {
    return this.#items.length > this.#head ? this.#items.at(-1) : undefined
  }

  /** Puts another item in the place of the last one. */
  replaceLast(item: T): void {
    this.#items[this.#items.length - 1] = item
  }

  push(item: T): void {
    this.#items.push(item)
  }

  /** Removes and returns the first `count` items. */
  take(count: number): T[] {
    const taken = this.#items.slice(this.#head, this.#head + count)
    this.#head += taken.length
    if (this.#head > 1_024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return taken
  }
}
