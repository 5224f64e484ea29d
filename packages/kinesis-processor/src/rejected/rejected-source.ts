import type { RejectedRecord } from '../rejected-record.js'
import { InvalidRejectedRecordError, parseRejectedRecord } from './parse-rejected-record.js'

/** A rejected record where it lies: either `record` is set, or `error`, where it is no envelope that this release reads. */
export interface RejectedEntry {
  /** For people: a file and a line, an object and a line, a queue and a message. */
  readonly place: string
  readonly record: RejectedRecord | undefined
  readonly error: InvalidRejectedRecordError | undefined
}

/** What came of taking an entry away. */
export type RejectedRemoval = { removed: true } | { removed: false; error: unknown }

/** Where rejected records lie, to be listed, looked at and put back. One reading at a time. */
export interface RejectedSource<Entry extends RejectedEntry = RejectedEntry> {
  /** One after the other, as many in memory as the source gets at once. It ends early, without an error, when `signal` aborts. */
  entries(options?: { signal?: AbortSignal | undefined }): AsyncIterable<Entry>
  /** Takes away entries that it gave, and answers for each, at the same index. What it does not take away stays whole. */
  remove(entries: readonly Entry[]): Promise<readonly RejectedRemoval[]>
  /** Gives back what reading keeps from others: a queue hides what it has shown. Never fails. To be called when all is read and done. */
  release(): Promise<void>
}

/** What an envelope holds, or why it holds nothing. */
export function readEnvelope(text: string): Pick<RejectedEntry, 'record' | 'error'> {
  try {
    return { record: parseRejectedRecord(text), error: undefined }
  } catch (error) {
    if (error instanceof InvalidRejectedRecordError) return { record: undefined, error }
    throw error
  }
}
