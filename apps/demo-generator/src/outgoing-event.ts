import { kinesisQuotas } from '@org/kinesis-core'
import type { PartitionKeyChoice } from './generator-options.js'

/** An event on its way to the stream, with what the ledger says of it. */
export interface OutgoingEvent {
  /** `good`, or what is wrong with it. */
  kind: EventKind
  /** Whether a consumer can read it as JSON at all. */
  decodable: boolean
  eventId: string
  userId: string
  sessionId: string | undefined
  data: Uint8Array
}

type EventKind = 'good' | BadKind

export type BadKind =
  | 'broken-json'
  | 'missing-user-id'
  | 'missing-event-type'
  | 'wrong-type'
  | 'oversized-field'
  | 'unholdable-number'
  | 'binary'

/** The key by which the stream keeps events in order. */
export function partitionKeyOf(
  { userId, sessionId, eventId }: OutgoingEvent,
  choice: PartitionKeyChoice,
): string {
  const key = choice === 'user_id' || sessionId === undefined ? userId : `${userId}#${sessionId}`
  // A record needs a key, also where the event has no user.
  return wellFormed(key || eventId)
}

/** No longer than a key may be, and no half of a surrogate pair: neither may keep the event itself from being put. */
function wellFormed(key: string): string {
  return key
    .toWellFormed()
    .slice(0, kinesisQuotas.maxPartitionKeyLength)
    .replace(/[\ud800-\udbff]$/, '')
}
