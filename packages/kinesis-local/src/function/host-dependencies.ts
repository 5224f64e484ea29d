import type { Clock, Random } from '@org/kinesis-core'
import type { LocalService, MetricSink } from '../service.js'

/** What functions, mappings and delivery streams take from the local services around them. */
export interface HostDependencies {
  kinesis: LocalService
  /** For failure destinations that are queues. @default none */
  sqs?: LocalService
  /** For failure destinations that are topics. @default none */
  sns?: LocalService
  metrics: MetricSink & {
    /** Takes the metrics of a line in CloudWatch's embedded metric format; false where the line is none. */
    ingestEmf(line: string, atMs: number): boolean
  }
  clock: Clock
  region: string
  accountId: string
  /** What points an AWS SDK at the local services: endpoint, region and dummy keys. */
  environment: Record<string, string>
  url: string
  /** @default Math.random */
  random?: Random
  /** Holds a simulated clock while work takes real time. @default nothing to hold */
  hold?: <T>(work: Promise<T>) => Promise<T>
}
