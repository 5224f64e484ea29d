import { StreamingError } from '@org/kinesis-core'

export const EVENT_FIELDS = ['user_id', 'event_type', 'timestamp', 'value'] as const
type EventField = (typeof EVENT_FIELDS)[number]

/** Which field of the input becomes which field of the event. */
export type FieldMap = Readonly<Record<EventField, string>>

/** The part of it that was asked for; the other fields keep their defaults. */
export type AskedFields = Readonly<Partial<FieldMap>>

/** Reads `user_id=FIELD,event_type=FIELD,...`; throws an `Error` that says how to write it. */
export function parseFieldMap(text: string): AskedFields {
  const asked: Partial<Record<EventField, string>> = {}
  for (const pair of text.split(',')) {
    const [, target, source = ''] = /^\s*(\w+)\s*=(.*)$/.exec(pair) ?? []
    if (!EVENT_FIELDS.includes(target as EventField) || source.trim() === '') {
      throw new Error(
        `Write NAME=FIELD, separated by commas, where NAME is one of ${EVENT_FIELDS.join(', ')}.`,
      )
    }
    if (asked[target as EventField] !== undefined) throw new Error(`Name one field for ${target}.`)
    asked[target as EventField] = source.trim()
  }
  return asked
}

export function fieldMapText(asked: AskedFields): string {
  return Object.entries(asked)
    .map(([target, source]) => `${target}=${source}`)
    .join(',')
}

/** Refuses what can make no event of any line, where all lines have the same fields. */
export function checkColumns(columns: readonly string[], map: FieldMap, asked: AskedFields): void {
  const fail = (reason: string) => {
    throw new StreamingError(`${reason} The fields are: ${columns.map(printable).join(', ')}. Check --map.`, {
      code: 'UNKNOWN_FIELD',
      retryable: false,
    })
  }
  for (const [target, source] of Object.entries(asked)) {
    if (!columns.includes(source))
      fail(`--map ${target}=${source} names a field that the input does not have.`)
  }
  if (!Object.values(map).some((source) => columns.includes(source)))
    fail(`No field is one of ${Object.values(map).join(', ')}.`)
}

/** Notices which of the asked fields no record ever had. */
export class FieldWatch {
  #records = 0
  readonly #unseen: Set<string>

  constructor(private readonly asked: AskedFields) {
    this.#unseen = new Set(Object.values(asked))
  }

  see(record: Readonly<Record<string, unknown>>): void {
    this.#records += 1
    for (const source of this.#unseen) if (Object.hasOwn(record, source)) this.#unseen.delete(source)
  }

  warnings(): string[] {
    if (this.#records === 0) return []
    return Object.entries(this.asked)
      .filter(([, source]) => this.#unseen.has(source))
      .map(([target, source]) => `--map ${target}=${source}: no line has a field ${source}.`)
  }
}

/** Names in a file are anybody's text: their control characters must not reach a terminal. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, '\ufffd')
}
