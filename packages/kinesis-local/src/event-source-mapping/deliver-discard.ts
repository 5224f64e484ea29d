import { backoffDelayMs, type Clock, type Random, sleep } from '@org/kinesis-core'
import type { FailureDocument } from '@org/kinesis-core/event-source-mapping'
import type { FailureDestination } from './failure-destination.js'

const BACKOFF = { baseMs: 200, maxMs: 10_000 }

export interface DiscardDelivery {
  destination: FailureDestination
  shardId: string
  failedDelivery: 'retry' | 'drop'
  onFailed: (error: Error) => void
  clock: Clock
  random: Random
  /** Aborted when the mapping is closed. */
  signal: AbortSignal
}

/**
 * Writes a batch that is given up to its failure destination, and says whether that took it. One that takes nothing holds the shard up,
 * unless told otherwise: what is discarded before it is durable is lost.
 */
export async function deliverDiscard(
  document: FailureDocument,
  { destination, shardId, failedDelivery, onFailed, clock, random, signal }: DiscardDelivery,
): Promise<boolean> {
  for (let attempt = 1; !signal.aborted; attempt += 1) {
    try {
      await destination.write(shardId, document)
      return true
    } catch (error) {
      onFailed(error instanceof Error ? error : new Error(String(error)))
      if (failedDelivery === 'drop') return false
      await sleep(clock, backoffDelayMs(attempt, BACKOFF, random), signal)
    }
  }
  return false
}
