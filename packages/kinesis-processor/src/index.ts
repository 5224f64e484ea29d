export { PermanentError, type ReasonCode, TransientError, UnexpectedEventError } from './errors.js'
export { fileRejectedSink } from './file-rejected-sink.js'
export {
  type DeliveryPosition,
  type FirehoseTransform,
  type FirehoseTransformOptions,
  firehoseTransform,
  type TransformOutput,
} from './firehose/firehose-transform.js'
export type { KinesisHandlerOptions, Step } from './handler-options.js'
export { type Decoder, json, parseJson } from './json-decoder.js'
export { type KinesisHandler, kinesisHandler } from './kinesis-handler.js'
export type { MetricsPort } from './processing-metrics.js'
export type { RejectedRecord, RejectedResult, RejectedSink } from './rejected-record.js'
export { functionSink, type Sink, type SinkContext, type SinkRecord, type SinkResult } from './sink.js'
export type { RecordPosition } from './stream-record.js'
export {
  mergeWindowPartials,
  type TumblingWindowsHandler,
  type TumblingWindowsOptions,
  tumblingWindows,
  type WindowPartial,
} from './windows/tumbling-windows.js'
