import type { Clock } from '@org/kinesis-core'
import type { AccountSettings } from './account-settings.js'
import type { KinesisMetrics } from './kinesis-metrics.js'
import type { RecordRetention } from './record-retention.js'
import type { StreamJournal } from './stream-journal.js'
import type { StreamRegistry } from './stream-registry.js'

/** What the operations share. */
export interface KinesisContext {
  readonly streams: StreamRegistry
  readonly retention: RecordRetention
  readonly metrics: KinesisMetrics
  readonly clock: Clock
  readonly account: AccountSettings
  /** Undefined where everything ends with the process. */
  readonly journal: StreamJournal | undefined
  /** How long changes of streams and consumers take. */
  readonly transitionMs: number
}
