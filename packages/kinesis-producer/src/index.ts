export { type Closable, type CloseOnSignalOptions, closeOnSignal } from './close-on-signal.js'
export type { DeliveryAttempt, Receipt } from './delivery-report.js'
export { KinesisProducer } from './kinesis-producer.js'
export type { ProducerChannels, ProducerMessage } from './observability/diagnostics-channels.js'
export type { Distribution, DistributionBucket } from './observability/histogram.js'
export type { ProducerLog } from './observability/producer-log.js'
export type {
  DeliveryMetrics,
  ProducerMetrics,
  StreamDeliveryMetrics,
} from './observability/producer-metrics.js'
export {
  AttemptsExhaustedError,
  InvalidRecordError,
  KeyHaltedError,
  ProducerClosedError,
  ProducerError,
  type ProducerErrorCode,
  QueueFullError,
  RecordExpiredError,
  RecordTooLargeError,
  RequestRejectedError,
} from './producer-errors.js'
export type {
  AggregationUnavailableEvent,
  BatchSentEvent,
  BatchSettledEvent,
  PacingUnavailableEvent,
  ProducerHooks,
  RecordFailedEvent,
  RecordRetriedEvent,
  SpoolFailedEvent,
} from './producer-hooks.js'
export type { AggregationOptions, KinesisProducerOptions } from './producer-options.js'
export type { CloseOptions, CloseResult, ProducerStats, UndeliveredRecord } from './producer-report.js'
export type { PutAllResult, RecordSource, RecordTaker } from './put-all.js'
export {
  type OpenShard,
  type OutgoingEntry,
  type PutRecordsEntryResult,
  type PutRecordsTransport,
  type StreamDescription,
  type StreamIdentity,
  TransportFault,
  type TransportFaultKind,
} from './put-records-transport.js'
export type { ProducerRecord } from './record-input.js'
export { toWritable, toWritableStream } from './record-streams.js'
export type { SpoolStats } from './spool/spool.js'
export type { SpoolDamage, SpoolDamageReason } from './spool/spool-damage.js'
export { SpoolError } from './spool/spool-error.js'
export type { SpoolOptions } from './spool/spool-options.js'
