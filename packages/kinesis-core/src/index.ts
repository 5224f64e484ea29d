export { AggregateBuilder, type AggregateMember } from './aggregated-record/aggregate-builder.js'
export {
  type DecodedAggregate,
  type DecodedRecord,
  decodeAggregate,
} from './aggregated-record/decode-aggregate.js'
export { encodeAggregate } from './aggregated-record/encode-aggregate.js'
export type { RecordTag, UserRecord } from './aggregated-record/format.js'
export { type ProducerSequence, producerTag, readProducerTag } from './aggregated-record/producer-tag.js'
export { type BackoffPolicy, backoffDelayMs } from './backoff.js'
export { type Clock, sleep, systemClock } from './clock.js'
export {
  findHashKeyRange,
  type HashKeyRange,
  MAX_HASH_KEY,
  parseHashKey,
  partitionKeyHash,
  uniformHashKeyRanges,
} from './hash-key.js'
export type {
  FirehoseEvent,
  FirehoseEventRecord,
  FirehoseResponse,
  FirehoseResponseRecord,
  KinesisBatchResponse,
  KinesisEvent,
  KinesisEventRecord,
  KinesisWindowResponse,
  LambdaContext,
} from './lambda-events.js'
export {
  consumerMetrics,
  deliveryMetrics,
  functionMetrics,
  type MetricDefinition,
  type MetricStatistic,
  type MetricUnit,
  mappingMetrics,
  PROCESSING_NAMESPACE,
  processingMetrics,
  queueMetrics,
  shardMetrics,
  streamMetrics,
} from './metric-catalog.js'
export {
  dynamoDbQuotas,
  firehoseQuotas,
  kinesisQuotas,
  lambdaQuotas,
  snsQuotas,
  sqsQuotas,
} from './quotas.js'
export { type Random, seededRandom, systemRandom } from './random.js'
export {
  InvalidOptionError,
  refuseUnknownOptions,
  StreamingError,
  type StreamingErrorOptions,
} from './streaming-error.js'
export { isThrottlingCode } from './throttling-codes.js'
export type { TopologyEdge, TopologyManifest, TopologyNode, TopologyNodeKind } from './topology.js'
