import { InvalidOptionError } from '@org/kinesis-core'

export const EVENT_FIELDS = ['user_id', 'event_type', 'timestamp', 'value'] as const
type EventField = (typeof EVENT_FIELDS)[number]

/** Which field of the input becomes which field of the event. */
export type FieldMap = Readonly<Record<EventField, string>>

/** Reads `user_id=FIELD,event_type=FIELD,...`; fields that are not named keep their defaults. */
export function parseFieldMap(text: string | undefined, defaults: FieldMap): FieldMap {
  const map = { ...defaults }
  for (const pair of (text ?? '').split(',').filter((part) => part.trim() !== '')) {
    const [target = '', source = ''] = pair.split('=').map((part) => part.trim())
    if (!EVENT_FIELDS.includes(target as EventField) || source === '') {
      throw new InvalidOptionError(
        '--map',
        pair,
        `Write NAME=FIELD, where NAME is one of ${EVENT_FIELDS.join(', ')}.`,
      )
    }
    map[target as EventField] = source
  }
  return map
}
