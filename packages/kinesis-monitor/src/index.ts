export type { AwsClients, AwsConnection } from './aws-clients.js'
export { type AwsMonitorSourceOptions, awsMonitorSource } from './aws-monitor-source.js'
export { CUSTOM_NAMESPACE, type CustomMetric, PartiallyPublishedError } from './custom-metrics.js'
export { assessHealth, type StreamHealth } from './health/assess-health.js'
export type { Finding, HealthStatus, Severity } from './health/finding.js'
export type { DeliveryHealth, FunctionHealth, HealthSnapshot } from './health/health-snapshot.js'
export type { HealthThresholds } from './health/health-thresholds.js'
export {
  KinesisMonitor,
  type ShardMetricsOptions,
  type StreamHealthOptions,
  type StreamMetricsOptions,
} from './kinesis-monitor.js'
export type { MetricDatapoint, MetricSummary } from './metric-summary.js'
export type { MetricWindow, MetricWindowOptions } from './metric-window.js'
export {
  CredentialsError,
  EndpointUnreachableError,
  PermissionDeniedError,
  ServiceRequestError,
  StreamNotFoundError,
  ThrottledError,
} from './monitor-errors.js'
export type { KinesisMonitorOptions } from './monitor-options.js'
export type {
  CallOptions,
  MetricPoint,
  MetricReadings,
  MetricRequest,
  MetricSeries,
  MonitorSource,
  PublishedMetric,
  SeriesReading,
  ShardDescription,
  ShardPosition,
  ShardRead,
  ShardRecord,
  StreamDescription,
} from './monitor-source.js'
export type { ShardMetric, ShardMetricName, ShardMetrics, ShardReport } from './shard-metrics.js'
export type { StreamMetricName, StreamMetrics } from './stream-metrics.js'
export type { StreamTail, TailStats } from './tail/stream-tail.js'
export type { TailOptions } from './tail/tail-options.js'
export type { TailRecord } from './tail/tail-record.js'
export { type TailStreamOptions, tailStream } from './tail/tail-stream.js'
