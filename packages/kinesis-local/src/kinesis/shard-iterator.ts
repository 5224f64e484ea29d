import { kinesisQuotas } from '@org/kinesis-core'
import { ServiceError } from '../service.js'

/** Where a reader stands; what the opaque iterator carries. */
export interface IteratorPosition {
  streamName: string
  shardId: string
  /** Read records from this counter on. */
  counter: number
  issuedAtMs: number
}

export function encodeIterator(position: IteratorPosition): string {
  const { streamName, shardId, counter, issuedAtMs } = position
  return Buffer.from(JSON.stringify([streamName, shardId, counter, issuedAtMs])).toString('base64')
}

export function decodeIterator(text: string, nowMs: number): IteratorPosition {
  const position = parse(text)
  if (position === undefined) throw new ServiceError('InvalidArgumentException', 'Invalid ShardIterator.')
  if (nowMs - position.issuedAtMs > kinesisQuotas.shardIteratorLifetimeMs) {
    throw new ServiceError(
      'ExpiredIteratorException',
      `Iterator expired. The iterator was created at time ${new Date(position.issuedAtMs).toISOString()} while right now it is ${new Date(nowMs).toISOString()} which is further in the future than the tolerated delay of ${kinesisQuotas.shardIteratorLifetimeMs} milliseconds.`,
    )
  }
  return position
}

function parse(text: string): IteratorPosition | undefined {
  try {
    const [streamName, shardId, counter, issuedAtMs] = JSON.parse(
      Buffer.from(text, 'base64').toString('utf8'),
    )
    if (typeof streamName !== 'string' || typeof shardId !== 'string') return undefined
    if (!Number.isSafeInteger(counter) || !Number.isFinite(issuedAtMs)) return undefined
    return { streamName, shardId, counter, issuedAtMs }
  } catch {
    return undefined
  }
}
