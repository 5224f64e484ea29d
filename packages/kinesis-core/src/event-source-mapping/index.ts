export { type BatchVerdict, readBatchResponse } from './batch-response.js'
export { CheckpointLedger } from './checkpoint-ledger.js'
export { type Deaggregated, deaggregate } from './deaggregate.js'
export {
  type FailureDocument,
  type FailureDocumentContext,
  failureDocument,
  failureObjectKey,
} from './failure-document.js'
export type { FilterPattern, RecordFilter } from './filter-criteria.js'
export { type DataRecord, type EventSource, kinesisEventBuilder } from './kinesis-event.js'
export type {
  CheckpointEffect,
  DiscardCondition,
  DiscardEffect,
  InvocationOutcome,
  InvokeEffect,
  MappedBatch,
  MappingEffect,
  WakeEffect,
} from './mapping-effects.js'
export {
  type MappingSettings,
  type ResolvedMappingSettings,
  resolveMappingSettings,
} from './mapping-settings.js'
export { ShardMapping } from './shard-mapping.js'
export {
  type ListedShard,
  planShards,
  type ShardPlan,
  type ShardStatus,
  type StartingPosition,
} from './shard-order.js'
export type { ShardRecord, TrackedRecord } from './shard-record.js'
export type { WindowInvocation, WindowState } from './tumbling-window.js'
