import type { Readable } from 'node:stream'

/** Larger than any request that the service takes, in base64. */
const MAX_BODY_BYTES = 16 * 1024 * 1024

/** Reads bodies into buffers that it uses again, so that garbage is not what the sink spends its time on. */
export class BodyReader {
  readonly #free: Buffer[] = []

  /** The body is the callback's until it returns. */
  read(request: Readable, use: (body: Buffer) => void): void {
    const buffer = this.#free.pop() ?? Buffer.allocUnsafeSlow(MAX_BODY_BYTES)
    let length = 0
    request.on('data', (chunk: Buffer) => {
      chunk.copy(buffer, length)
      length += chunk.length
    })
    request.once('end', () => use(buffer.subarray(0, length)))
    request.once('close', () => this.#free.push(buffer))
    request.once('error', () => {})
  }
}
