import type { Random } from '@org/kinesis-core'
import type { BadKind, OutgoingEvent } from './outgoing-event.js'
import { generateUserEvent, pick, type UserEvent } from './user-event/user-event.js'

/** How each kind of bad record is made of a good event. */
const makers: Record<
  BadKind,
  { decodable: boolean; make: (event: UserEvent, random: Random) => string | Uint8Array }
> = {
  'broken-json': { decodable: false, make: (event) => JSON.stringify(event).slice(0, -2) },
  'missing-user-id': { decodable: true, make: ({ user_id: _, ...rest }) => JSON.stringify(rest) },
  'missing-event-type': { decodable: true, make: ({ event_type: _, ...rest }) => JSON.stringify(rest) },
  'wrong-type': {
    decodable: true,
    make: (event, random) =>
      JSON.stringify({
        ...event,
        ...pick(
          [
            { value: 'much' },
            { user_id: 42 },
            { timestamp: 'yesterday' },
            { metadata: [] },
            { event_type: null },
          ],
          random,
        ),
      }),
  },
  'oversized-field': {
    decodable: true,
    make: (event, random) =>
      JSON.stringify({
        ...event,
        ...pick([{ user_id: 'u'.repeat(300) }, { event_type: 'e'.repeat(5_000) }], random),
      }),
  },
  'unholdable-number': {
    decodable: false,
    make: (event, random) =>
      JSON.stringify(event).replace(
        /"value":[\d.]+/,
        `"value":${pick(['NaN', 'Infinity', '1e999'], random)}`,
      ),
  },
  binary: {
    decodable: false,
    make: (_, random) =>
      Uint8Array.from({ length: 64 }, (_, i) => (i === 0 ? 0xff : Math.floor(random() * 256))),
  },
}

const kinds = Object.keys(makers) as BadKind[]

/** A record that the processor must reject, of a random kind. */
export function generateBadEvent(random: Random, nowMs: number): OutgoingEvent {
  const kind = pick(kinds, random)
  const event = generateUserEvent(random, nowMs)
  const { decodable, make } = makers[kind]
  return {
    kind,
    decodable,
    eventId: event.event_id,
    userId: event.user_id,
    sessionId: event.metadata.session_id,
    data: Buffer.from(make(event, random)),
  }
}
