import type { Clock, Random } from '@org/kinesis-core'
import type { KinesisProducerOptions } from '../../src/index.ts'
import type { LoggedRequest } from './request-log.ts'
import type { StreamReader } from './stream-content.ts'

export const STREAM_NAME = 'chaos'

/** Where a scenario takes place: simulated, or on the wire. */
export interface World extends StreamReader {
  /** Of the service, and of whoever puts. */
  clock: Clock
  elapsedMs(): number
  /** How the producer gets at the service. */
  connection: Pick<KinesisProducerOptions, 'client' | 'endpoint' | 'region' | 'credentials'>
  random: Random
  requests: readonly LoggedRequest[]
  /** Lets time go by until the work is done; fails where it is not by then. */
  run(work: Promise<void>, limitMs: number): Promise<void>
  /** Of everything that happened; the same for the same seed, where time is simulated. */
  digest(): string
  close(): Promise<void>
}
