import {
  type AcceptedEvent,
  EVENT_TYPES,
  fallbackEventId,
  toSortableInstant,
} from '@org/demo-generator/user-event'
import type { Clock } from '@org/kinesis-core'
import type { RecordPosition } from '@org/kinesis-processor'

const PROCESSING_VERSION = '1.0'
const DAY_MS = 86_400_000
const RETENTION_DAYS = 30

const knownTypes: ReadonlySet<string> = new Set(EVENT_TYPES.map((type) => type.toUpperCase()))

/** An event as it is stored: normalised, enriched, and with an id and an instant whatever it came with. */
export interface ProcessedEvent extends AcceptedEvent {
  event_id: string
  /** The instant in UTC with six decimals. */
  event_time: string
}

/** `user_id` without white space around it, `event_type` in upper case: what counts as the same is written the same. */
export function normalise(event: AcceptedEvent, position: RecordPosition): ProcessedEvent {
  const { streamName, shardId, sequenceNumber, subSequenceNumber, arrivalMs } = position
  const timestamp = event.timestamp ?? new Date(arrivalMs).toISOString()
  return {
    ...event,
    user_id: event.user_id.trim(),
    event_type: event.event_type.trim().toUpperCase(),
    event_id: event.event_id ?? fallbackEventId(streamName, shardId, sequenceNumber, subSequenceNumber),
    // The schema has let through only what has an instant.
    event_time: toSortableInstant(timestamp)!,
  }
}

/** A step that says when, and by which version, an event was processed. */
export function enrichBy(clock: Clock): (event: ProcessedEvent) => ProcessedEvent {
  return (event) => ({
    ...event,
    processed_at: new Date(clock.now()).toISOString(),
    processing_version: PROCESSING_VERSION,
  })
}

/** The item: its range key sorts as time, and two events of a user at one instant do not overwrite each other. */
export function toItem(event: ProcessedEvent, position: RecordPosition): Record<string, unknown> {
  return {
    ...event,
    timestamp: `${event.event_time}#${event.event_id}`,
    shard_id: position.shardId,
    sequence_number: position.sequenceNumber,
    // From the arrival, not from the event: a replay of old data must not vanish at once.
    ttl: Math.floor((position.arrivalMs + RETENTION_DAYS * DAY_MS) / 1000),
  }
}

/** For the metric: the known types, and OTHER for whatever else, so that senders cannot make metrics without end. */
export function boundedEventType({ event_type }: ProcessedEvent): string {
  return knownTypes.has(event_type) ? event_type : 'OTHER'
}
