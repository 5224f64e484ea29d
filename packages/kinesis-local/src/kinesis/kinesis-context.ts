import type { Clock } from '@org/kinesis-core'
import type { AccountSettings } from './account-settings.js'
import type { KinesisMetrics } from './kinesis-metrics.js'
import type { RecordRetention } from './record-retention.js'
import type { StreamRegistry } from './stream-registry.js'

/** What the operations share. */
export interface KinesisContext {
  readonly streams: StreamRegistry
  readonly retention: RecordRetention
  readonly metrics: KinesisMetrics
  readonly clock: Clock
  readonly account: AccountSettings
  /** How long changes of streams and consumers take. */
  readonly transitionMs: number
}
