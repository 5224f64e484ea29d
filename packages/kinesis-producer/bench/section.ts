import type { Sink } from './sink.ts'

/** A part of the bench that can be run alone. */
export interface SectionResult {
  /** Under this name in the JSON, beside `sides` and `ratios`. */
  figures?: unknown
  sides?: unknown[]
  ratios: Record<string, number | undefined>
  /** Rows of the table, by their name. */
  table: Record<string, Record<string, number | string>>
  /** Lines below the table. */
  notes?: string[]
}

export interface SectionSettings {
  rounds: number
  /** Fewer records and seconds. */
  quick: boolean
  /** Only these sides, where a section has several. */
  sides: readonly string[] | undefined
  /** Where each run leaves a CPU profile. */
  profileFolder: string | undefined
  progress: (what: string) => void
}

export type Section = (sink: Sink, settings: SectionSettings) => Promise<SectionResult>

/** For a table: `-` where there is none. */
export function rounded(value: number | undefined, digits: number): number | string {
  return value === undefined ? '-' : Number(value.toFixed(digits))
}
