const GRAIN_BYTES = 64 * 1024
/** Of buffers that wait to be used again; what is beyond is left to the garbage collector. */
const MAX_IDLE_BYTES = 16 * 1024 * 1024

/**
 * Buffers for bodies. A fresh one costs a page fault for every 4 KiB that is written to it, which is a good part of what writing the
 * body costs. Whoever gives a buffer back says that nobody reads it any more: not the socket either.
 */
export class BodyPool {
  readonly #idle: Buffer[] = []
  #idleBytes = 0

  take(minBytes: number): Buffer {
    const index = this.#idle.findLastIndex((buffer) => buffer.length >= minBytes)
    const [found] = index < 0 ? [] : this.#idle.splice(index, 1)
    if (found === undefined) return Buffer.allocUnsafeSlow(Math.ceil(minBytes / GRAIN_BYTES) * GRAIN_BYTES)
    this.#idleBytes -= found.length
    return found
  }

  giveBack(buffer: Buffer): void {
    if (buffer.length > MAX_IDLE_BYTES) return
    this.#idle.push(buffer)
    this.#idleBytes += buffer.length
    // The one that has waited longest goes first: it is too small, or there are more than requests.
    while (this.#idleBytes > MAX_IDLE_BYTES) this.#idleBytes -= this.#idle.shift()!.length
  }
}
