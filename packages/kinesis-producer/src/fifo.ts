/** A queue in a ring that grows by doubling: no element is ever moved to take the first one out. */
export class Fifo<T> {
  #ring: (T | undefined)[] = new Array(16)
  #first = 0
  #length = 0

  get length(): number {
    return this.#length
  }

  peek(): T | undefined {
    return this.#ring[this.#first]
  }

  push(item: T): void {
    if (this.#length === this.#ring.length) this.#grow()
    this.#ring[(this.#first + this.#length) & (this.#ring.length - 1)] = item
    this.#length++
  }

  shift(): T | undefined {
    if (this.#length === 0) return undefined
    const item = this.#ring[this.#first]
    this.#ring[this.#first] = undefined
    this.#first = (this.#first + 1) & (this.#ring.length - 1)
    this.#length--
    return item
  }

  #grow(): void {
    const ring: (T | undefined)[] = new Array(this.#ring.length * 2)
    for (let index = 0; index < this.#length; index++) {
      ring[index] = this.#ring[(this.#first + index) & (this.#ring.length - 1)]
    }
    this.#ring = ring
    this.#first = 0
  }
}
