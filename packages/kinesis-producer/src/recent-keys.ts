/** Of each of two generations. */
const MAX_KEYS = 8_192

/**
 * What was found out about a key (that it is valid, its hash, its size), for keys that come again, as most do: a look here costs a tenth
 * of an MD5. Bounded: two generations, of which the older is dropped when the younger is full.
 */
export class RecentKeys<T> {
  readonly #examine: (key: string) => T
  #young = new Map<string, T>()
  #old = new Map<string, T>()

  /** `examine` may throw, for a key that cannot be used: nothing is kept of it. */
  constructor(examine: (key: string) => T) {
    this.#examine = examine
  }

  get(key: string): T {
    return this.#young.get(key) ?? this.#take(key)
  }

  #take(key: string): T {
    const known = this.#old.get(key) ?? this.#examine(key)
    if (this.#young.size >= MAX_KEYS) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(key, known)
    return known
  }
}
