import { replayEventId } from '../user-event/event-ids.js'
import { EVENT_FIELDS, type FieldMap } from './field-map.js'
import { BadLineError } from './replay-error.js'

/** An event made of a line: what is missing in it is the processor's to judge. */
export interface ReplayedEvent {
  event_id: string
  user_id?: string
  event_type?: string
  timestamp?: string
  value?: number
  metadata: Record<string, unknown>
}

export interface SourceLine {
  /** Base name of the file, or `stdin`. */
  source: string
  number: number
}

/** Takes the mapped fields out of a record; the others go into `metadata`. */
export function toEvent(
  record: Readonly<Record<string, unknown>>,
  map: FieldMap,
  line: SourceLine,
): ReplayedEvent {
  const used = new Set<string>(EVENT_FIELDS.map((field) => map[field]))
  const { event_id: givenId, metadata: givenMetadata, ...others } = record
  const rest = Object.entries(others).filter(([name]) => !used.has(name))
  const event: ReplayedEvent = {
    event_id:
      typeof givenId === 'string' && givenId !== '' ? givenId : replayEventId(line.source, line.number),
    metadata: Object.fromEntries([...Object.entries(asObject(givenMetadata)), ...rest]),
  }
  const userId = asText(record[map.user_id])
  const eventType = asText(record[map.event_type])
  const timestamp = asTimestamp(record[map.timestamp])
  const value = asNumber(record[map.value], map.value, line.number)
  if (userId !== undefined) event.user_id = userId
  if (eventType !== undefined) event.event_type = eventType
  if (timestamp !== undefined) event.timestamp = timestamp
  if (value !== undefined) event.value = value
  return event
}

function asText(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
}

/** Numbers are taken for the epoch's seconds or milliseconds: as seconds, those of today's milliseconds would lie beyond the year 5000. */
function asTimestamp(value: unknown): string | undefined {
  const number = typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? Number(value) : value
  if (typeof number !== 'number') return asText(value)
  const date = new Date(number < MAX_EPOCH_SECONDS ? number * 1000 : number)
  return Number.isNaN(date.getTime()) ? String(value) : date.toISOString()
}

const MAX_EPOCH_SECONDS = 1e11

function asNumber(value: unknown, field: string, lineNumber: number): number | undefined {
  if (value === undefined || value === null || value === '') return undefined
  if (value === '-') return 0
  const number = typeof value === 'number' || typeof value === 'string' ? Number(value) : Number.NaN
  if (!Number.isFinite(number)) throw new BadLineError(lineNumber, `${field} is no number.`)
  return number
}

function asObject(value: unknown): object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  return value === undefined ? {} : { metadata: value }
}
