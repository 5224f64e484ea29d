import type { ReplayFlags } from '@org/demo-generator/command-line'

/** What the command line asks for, checked. */
export interface DemoOptions {
  shards: number
  ratePerSecond: number
  /** How long to generate or replay. Undefined: until it is stopped, or the replayed file ends. */
  durationSeconds: number | undefined
  badFraction: number
  seed: number | undefined
  dataDir: string | undefined
  jsonFile: string | undefined
  chaos: 'crash' | undefined
  replay: { file: string; flags: ReplayFlags } | undefined
}
