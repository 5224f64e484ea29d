import { v5 as uuidv5 } from 'uuid'

/** Made once for this project; with it the same source always gives the same ids. */
const NAMESPACE = '6f1b2a52-5a0e-4c1e-9d0a-6a8f3f0c7d11'

/** The id of an event that came without one: the same on every retry, because its place in the stream is. */
export function fallbackEventId(
  stream: string,
  shardId: string,
  sequenceNumber: string,
  subSequenceNumber: number,
): string {
  return uuidv5(JSON.stringify([stream, shardId, sequenceNumber, subSequenceNumber]), NAMESPACE)
}

/** The id of a replayed line without one: equal lines are two events, and a second replay makes the same ids. */
export function replayEventId(sourceName: string, lineNumber: number): string {
  return uuidv5(JSON.stringify([sourceName, lineNumber]), NAMESPACE)
}
