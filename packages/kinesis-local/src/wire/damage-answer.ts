import type { WireResponse } from './listener.js'

/**
 * Lets the answer that comes next go out damaged: cut short, with headers that fit what is left of it, or broken off in the middle with
 * the connection.
 */
export function damageAnswer(response: WireResponse, how: 'truncate' | 'reset-amid'): void {
  const end = response.end.bind(response) as (body: Buffer) => unknown
  const write = response.write.bind(response) as (body: Buffer, done: () => void) => unknown
  response.end = ((body?: Buffer) => {
    if (body === undefined) {
      // An event stream is on its way already: only its end can be damaged.
      cutConnection(response)
      return response
    }
    const half = body.subarray(0, body.length >> 1)
    if (how === 'truncate') {
      response.setHeader('content-length', String(half.length))
      end(half)
    } else write(half, () => cutConnection(response))
    return response
  }) as never
}

export function cutConnection(response: WireResponse): void {
  if ('stream' in response) {
    const session = response.stream.session
    if (session !== undefined && !session.destroyed) session.destroy()
    return
  }
  response.socket?.resetAndDestroy()
}
