export { KinesisProducer } from './kinesis-producer.js'
export type { Receipt } from './pending-record.js'
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
  BatchSentEvent,
  BatchSettledEvent,
  PacingUnavailableEvent,
  ProducerHooks,
  RecordFailedEvent,
  RecordRetriedEvent,
} from './producer-hooks.js'
export type { KinesisProducerOptions } from './producer-options.js'
export type { CloseOptions, CloseResult, ProducerStats, UndeliveredRecord } from './producer-report.js'
export {
  type OpenShard,
  type OutgoingEntry,
  type PutRecordsEntryResult,
  type PutRecordsTransport,
  type StreamIdentity,
  TransportFault,
  type TransportFaultKind,
} from './put-records-transport.js'
export type { ProducerRecord } from './record-input.js'
