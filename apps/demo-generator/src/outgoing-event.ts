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
