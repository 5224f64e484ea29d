import { isPermanent } from '../errors.js'
import { heldBack, outOfTime, type SinkContext, type SinkResult } from '../sink.js'
import type { PlannedWrite } from './planned-write.js'

/** After so many requests in a row that failed as a whole, the rest of a write is not tried: the target is out of reach. */
const MAX_FAILED_REQUESTS = 3

export interface RequestSender<W> {
  /** Names the target in errors. */
  what: string
  /** One request. It answers for each of its writes, at the same index, and never throws. */
  send: (writes: readonly W[]) => Promise<readonly SinkResult[]>
}

/**
 * Sends sequences of requests side by side, and the requests of one after each other, and enters what became of each write. Behind a write
 * that failed nothing of its partition key is sent.
 */
export async function sendRequests<W extends PlannedWrite>(
  sequences: readonly (readonly (readonly W[])[])[],
  sender: RequestSender<W>,
  context: SinkContext,
  results: SinkResult[],
): Promise<void> {
  const outage = { failedRequests: 0 }
  await Promise.all(
    sequences.map((requests) => sendSequence(requests, { ...sender, context, results, outage })),
  )
}

async function sendSequence<W extends PlannedWrite>(
  requests: readonly (readonly W[])[],
  {
    what,
    send,
    context,
    results,
    outage,
  }: RequestSender<W> & { context: SinkContext; results: SinkResult[]; outage: { failedRequests: number } },
): Promise<void> {
  const failedKeys = new Map<string, SinkResult>()
  for (const request of requests) {
    const allowed = request.filter(({ partitionKey }) => !failedKeys.has(partitionKey))
    for (const { index, partitionKey } of request) {
      const behind = failedKeys.get(partitionKey)
      if (behind !== undefined) results[index] = behind
    }
    if (allowed.length === 0) continue
    const skipped = reasonToSkip(what, context, outage)
    const outcomes = skipped === undefined ? await send(allowed) : allowed.map(() => skipped)
    if (skipped === undefined)
      outage.failedRequests = outcomes.some(wasAnswered) ? 0 : outage.failedRequests + 1
    for (const [place, { index, partitionKey }] of allowed.entries()) {
      const outcome = outcomes[place]!
      results[index] = outcome
      if (!outcome.stored && !failedKeys.has(partitionKey))
        failedKeys.set(partitionKey, heldBack(outcome.error))
    }
  }
}

function reasonToSkip(
  what: string,
  context: SinkContext,
  outage: { failedRequests: number },
): SinkResult | undefined {
  if (context.remainingMs() <= 0) return outOfTime()
  if (outage.failedRequests < MAX_FAILED_REQUESTS) return undefined
  return {
    stored: false,
    error: new Error(`${what} failed for others of the batch; this one was not tried.`),
  }
}

/** A target that refuses a record for good is not out of reach. */
function wasAnswered(result: SinkResult): boolean {
  return result.stored || isPermanent(result.error)
}
