import type { ReplayFormat } from './replay/detect-format.js'
import type { AskedFields } from './replay/field-map.js'

export type PartitionKeyChoice = 'user_id' | 'user_id#session_id'

export type GeneratorMode =
  | { name: 'continuous'; perSecond: number /** 0: until it is stopped. */; durationSeconds: number }
  | {
      name: 'burst'
      events: number /** Undefined: as fast as they are taken. */
      durationSeconds: number | undefined
    }
  | { name: 'single' }
  | {
      name: 'replay'
      /** A path, or `-` for standard input. */
      file: string
      /** Undefined: what the file's name, else its first line, shows. */
      format: ReplayFormat | undefined
      map: AskedFields
      /** A multiple of the recorded pace, or as fast as they are taken. */
      speed: number | 'max'
      onBadLine: 'skip' | 'fail'
      /** Undefined: to the end of the file. */
      durationSeconds: number | undefined
    }

export interface GeneratorOptions {
  streamName: string
  mode: GeneratorMode
  partitionKey: PartitionKeyChoice
  ordering: 'none' | 'per-key'
  badFraction: number
  seed: number | undefined
  region: string | undefined
  endpointUrl: string | undefined
  ledgerFile: string | undefined
}

export interface GeneratorProgress {
  /** Put so far. */
  produced: number
  acknowledged: number
  failed: number
  /** Due, and not put yet: the buffer is full because the stream takes less than the rate. */
  behind: number
  /** Replay: lines that could not be read and were passed over. */
  skippedLines: number
  /** Replay of a regular file: how much of it was read, 0 to 1. */
  readShare?: number
}

/** What a parent process is told: now and then, and once more when everything has settled. */
export type GeneratorMessage =
  | ({ type: 'progress' } & GeneratorProgress)
  | ({ type: 'end'; warnings: string[] } & GeneratorProgress)

export interface GeneratorSummary extends GeneratorProgress {
  /** What was asked for and had no effect. */
  warnings: string[]
  durationMs: number
  eventsPerSecond: number
  /** The first error of a put, where one failed. */
  firstError: string | undefined
  /** Why it ended early, where it did: what had been put by then was still delivered. */
  failure: string | undefined
}
