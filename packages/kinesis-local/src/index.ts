export { MetricStore, type Series, type StatisticSet } from './cloudwatch/metric-store.js'
export type { DeliveryStreamOptions } from './delivery/delivery-options.js'
export type { DeliveryStream, DeliveryStreamStats } from './delivery/delivery-stream.js'
export type {
  EventSourceMapping,
  EventSourceMappingStats,
  MappedShardStats,
} from './event-source-mapping/event-source-mapping-host.js'
export type { EventSourceMappingOptions } from './event-source-mapping/mapping-options.js'
export type { FaultAction, FaultCall, FaultPlan } from './faults.js'
export type { FunctionFault, LocalFunctionOptions } from './function/function-options.js'
export type { InvocationResult } from './function/invocation-result.js'
export type { LocalFunction, LocalFunctionStats } from './function/local-function.js'
export { KinesisService, type KinesisServiceOptions } from './kinesis/kinesis-service.js'
export type { LocalOptions, LocalStreamOptions, LocalTableOptions } from './local-options.js'
export type { RunDescription } from './run-file.js'
export { type LocalService, type MetricDatum, type MetricSink, ServiceError } from './service.js'
export type { QueuedMessage } from './sqs/queue.js'
export { type Local, startLocal } from './start-local.js'
export type { RequestObservation, RequestObserver, ServiceName } from './wire/request-observer.js'
