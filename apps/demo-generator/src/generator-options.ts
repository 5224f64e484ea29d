import type { ReplayFormat } from './replay/read-events.js'

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
      format: ReplayFormat
      map: string | undefined
      /** A multiple of the recorded pace, or as fast as they are taken. */
      speed: number | 'max'
      onBadLine: 'skip' | 'fail'
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
}

export interface GeneratorSummary extends GeneratorProgress {
  badLines: number
  durationMs: number
  eventsPerSecond: number
  /** The first error of a put, where one failed. */
  firstError: string | undefined
}
