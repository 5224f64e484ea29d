/** A binary heap whose least element, by `at`, comes out first. */
export class MinHeap<T extends { readonly at: number }> {
  #items: T[] = []

  get size(): number {
    return this.#items.length
  }

  peek(): T | undefined {
    return this.#items[0]
  }

  push(item: T): void {
    const items = this.#items
    let index = items.length
    items.push(item)
    while (index > 0) {
      const parent = (index - 1) >>> 1
      if (items[parent]!.at <= item.at) break
      items[index] = items[parent]!
      index = parent
    }
    items[index] = item
  }

  pop(): T | undefined {
    const items = this.#items
    const least = items[0]
    const last = items.pop()
    if (least === undefined || last === undefined || items.length === 0) return least
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= items.length) break
      if (child + 1 < items.length && items[child + 1]!.at < items[child]!.at) child++
      if (items[child]!.at >= last.at) break
      items[index] = items[child]!
      index = child
    }
    items[index] = last
    return least
  }

  /** In no order. */
  all(): readonly T[] {
    return this.#items
  }

  clear(): void {
    this.#items = []
  }
}
