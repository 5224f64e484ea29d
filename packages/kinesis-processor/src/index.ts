export { allOf } from './all-of.js'
export {
  type Anomaly,
  type AnomalyDetector,
  type AnomalyDetectors,
  type DetectAnomaliesOptions,
  detectAnomalies,
} from './anomalies/detect-anomalies.js'
export { type RobustZScoreOptions, robustZScore, type UnusualValue } from './anomalies/robust-z-score.js'
export {
  type AnomalyRun,
  type WindowAnomaliesHandler,
  windowAnomalies,
} from './anomalies/window-anomalies.js'
export type { AnomalyProgress, WindowAnomaliesOptions } from './anomalies/window-anomalies-options.js'
export type { LoggerPort } from './batch-log.js'
export type { BatchReport } from './batch-report.js'
export { type BatchStep, type BatchStepOptions, type BatchStepResult, batchStep } from './batch-step.js'
export type { TracerPort, TraceSegment } from './batch-trace.js'
export {
  type CloudWatchLogsInput,
  type CloudWatchLogsOptions,
  cloudWatchLogs,
  type LogEvent,
} from './cloud-watch-logs.js'
export { PermanentError, type ReasonCode, TransientError, UnexpectedEventError } from './errors.js'
export { type FirehoseTransform, firehoseTransform } from './firehose/firehose-transform.js'
export type {
  DeliveryPosition,
  FirehoseTransformOptions,
  TransformOutput,
} from './firehose/transform-options.js'
export { type FunctionSinkOptions, functionSink } from './function-sink.js'
export { type GunzipOptions, gunzip } from './gunzip.js'
export type { KinesisHandlerOptions, UnresolvedRecords, WithSteps } from './handler-options.js'
export { type Decoder, json, parseJson } from './json-decoder.js'
export { type KinesisHandler, kinesisHandler } from './kinesis-handler.js'
export { limited } from './limited.js'
export { bytes, text } from './plain-decoders.js'
export type { MetricsPort } from './processing-metrics.js'
export { fileRejectedSink } from './rejected/file-rejected-sink.js'
export { type FileRejectedEntry, fileRejectedSource } from './rejected/file-rejected-source.js'
export { InvalidRejectedRecordError, parseRejectedRecord } from './rejected/parse-rejected-record.js'
export { type RejectedChoice, rejectedFilter } from './rejected/rejected-choice.js'
export type { RejectedEntry, RejectedRemoval, RejectedSource } from './rejected/rejected-source.js'
export type {
  ReplayDestination,
  ReplayOptions,
  ReplayOutcome,
  ReplayOutcomeKind,
  ReplayReport,
} from './rejected/replay-options.js'
export { replayRejected } from './rejected/replay-rejected.js'
export { type RejectedRecord, type RejectedSink, rejectedPayload } from './rejected-record.js'
export { route } from './route.js'
export type { Sink, SinkContext, SinkRecord, SinkResult } from './sink.js'
export type { AnyStep, Step } from './step.js'
export type { RecordPosition } from './stream-record.js'
export type { Unpack } from './unpack.js'
export { type DecoderOf, validated } from './validated.js'
export type { UntimelyEvent } from './windows/event-time.js'
export { count, type Measure, maximum, minimum, type Stats, stats, sum } from './windows/measures.js'
export { type TumblingWindowsHandler, tumblingWindows } from './windows/tumbling-windows.js'
export {
  type AggregateStates,
  reducer,
  type WindowAggregate,
  type WindowAggregates,
} from './windows/window-aggregate.js'
export { type MergedWindow, mergeWindowPartials, type WindowPartial } from './windows/window-partial.js'
export type { TumblingWindowsOptions, WindowCounts } from './windows/windows-options.js'
