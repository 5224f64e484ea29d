/** What the command line asks for, checked. */
export interface DemoOptions {
  shards: number
  ratePerSecond: number
  /** Undefined: until it is stopped, or the replayed file ends. */
  durationSeconds: number | undefined
  badFraction: number
  seed: number | undefined
  dataDir: string | undefined
  jsonFile: string | undefined
  chaos: 'crash' | undefined
  replay: ReplayOptions | undefined
}

interface ReplayOptions {
  file: string
  format: string
  map: string | undefined
  speed: string
  onBadLine: string
}
