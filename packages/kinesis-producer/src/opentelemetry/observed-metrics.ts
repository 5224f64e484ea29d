import type { Attributes, BatchObservableResult, Meter, Observable } from '@opentelemetry/api'
import type { KinesisProducer } from '../kinesis-producer.js'
import { bucketsSince, type Distribution, percentile } from '../observability/histogram.js'
import type { DeliveryMetrics, ProducerMetrics } from '../observability/producer-metrics.js'
import { listen } from './listen.js'

const PREFIX = 'kinesis.producer.'

/** Of the stream and of each shard. */
const COUNTERS = {
  UserRecordsPut: ['{record}', 'Records delivered'],
  UserRecordsDataPut: ['By', 'Data of the records delivered'],
  UserRecordsFailed: ['{record}', 'Records accepted and given up'],
  UserRecordsRetried: ['{record}', 'Attempts beyond the first, summed over records'],
  UserRecordsThrottled: ['{record}', 'Attempts that the service throttled, summed over records'],
  KinesisRecordsPut: ['{record}', 'Kinesis records delivered'],
  KinesisRecordsDataPut: ['By', 'Data of the Kinesis records delivered'],
  AllErrors: ['{error}', 'Attempts of Kinesis records that failed'],
} as const
type CounterName = keyof typeof COUNTERS
const counterNames = Object.keys(COUNTERS) as CounterName[]

const DISTRIBUTIONS = {
  BufferingTime: ['ms', 'From the put, or the last attempt, of a Kinesis record until it was sent'],
  RetriesPerRecord: ['{retry}', 'Attempts beyond the first of records that have settled'],
  UserRecordsPerKinesisRecord: ['{record}', 'Records in a Kinesis record delivered'],
} as const
type DistributionName = keyof typeof DISTRIBUTIONS
const distributionNames = Object.keys(DISTRIBUTIONS) as DistributionName[]

const QUANTILES = [0.5, 0.9, 0.99]

/**
 * Observes a producer's `metrics()` whenever the meter collects, and returns the way to stop. A distribution shows as quantiles of what came
 * since the last collection; that of the request times is a histogram of OpenTelemetry's.
 */
export function observeMetrics(producer: KinesisProducer, meter: Meter, perShard: boolean): () => void {
  const counters = new Map(
    counterNames.map((name) => {
      const [unit, description] = COUNTERS[name]
      return [name, meter.createObservableCounter(PREFIX + name, { unit, description })]
    }),
  )
  const quantiles = new Map(
    distributionNames.map((name) => {
      const [unit, description] = DISTRIBUTIONS[name]
      return [name, meter.createObservableGauge(PREFIX + name, { unit, description })]
    }),
  )
  const errorsByCode = meter.createObservableCounter(`${PREFIX}ErrorsByCode`, {
    unit: '{error}',
    description: 'Attempts of Kinesis records that failed, by the name of the fault',
  })
  const received = meter.createObservableCounter(`${PREFIX}UserRecordsReceived`, {
    unit: '{record}',
    description: 'Records accepted',
  })
  const pending = meter.createObservableUpDownCounter(`${PREFIX}UserRecordsPending`, {
    unit: '{record}',
    description: 'Records accepted and not settled',
  })
  const requestTime = meter.createHistogram(`${PREFIX}RequestTime`, {
    unit: 'ms',
    description: 'From sending a PutRecords request to the end of its answer',
  })

  let before: ProducerMetrics | undefined
  const observe = (result: BatchObservableResult) => {
    const now = producer.metrics()
    const { streamName, stream } = now
    const ofStream = { StreamName: streamName }
    result.observe(received, stream.UserRecordsReceived, ofStream)
    result.observe(pending, stream.UserRecordsPending, ofStream)
    const shards = perShard ? now.shards : new Map<string, DeliveryMetrics>()
    for (const [name, counter] of counters) {
      observeParts(result, counter, ofStream, stream[name], shards, (shard) => shard[name])
    }
    for (const [code, count] of Object.entries(stream.ErrorsByCode)) {
      const attributes = { ...ofStream, ErrorCode: code }
      observeParts(result, errorsByCode, attributes, count, shards, (shard) => shard.ErrorsByCode[code] ?? 0)
    }
    for (const [name, gauge] of quantiles) {
      observeQuantiles(result, gauge, ofStream, stream[name], before?.stream[name])
      for (const [ShardId, shard] of shards) {
        const attributes = { ...ofStream, ShardId }
        observeQuantiles(result, gauge, attributes, shard[name], before?.shards.get(ShardId)?.[name])
      }
    }
    before = now
  }
  const observed = [...counters.values(), ...quantiles.values(), errorsByCode, received, pending]
  meter.addBatchObservableCallback(observe, observed)
  const stopListening = listen('kinesis-producer:batch-settled', producer, (event) =>
    requestTime.record(event.durationMs, { StreamName: event.streamName }),
  )
  return () => {
    meter.removeBatchObservableCallback(observe, observed)
    stopListening()
  }
}

/** A total as its parts by shard, and the rest that no shard is known of, without a shard: their sum is the total. */
function observeParts(
  result: BatchObservableResult,
  counter: Observable,
  attributes: Attributes,
  total: number,
  shards: ReadonlyMap<string, DeliveryMetrics>,
  partOf: (shard: DeliveryMetrics) => number,
): void {
  let rest = total
  for (const [ShardId, shard] of shards) {
    const part = partOf(shard)
    if (part === 0) continue
    rest -= part
    result.observe(counter, part, { ...attributes, ShardId })
  }
  if (rest > 0 || shards.size === 0) result.observe(counter, rest, attributes)
}

function observeQuantiles(
  result: BatchObservableResult,
  gauge: Observable,
  attributes: Attributes,
  now: Distribution,
  before: Distribution | undefined,
): void {
  const buckets = bucketsSince(now.buckets, before?.buckets)
  if (buckets.length === 0) return
  for (const quantile of QUANTILES) {
    result.observe(gauge, percentile(buckets, quantile), { ...attributes, quantile })
  }
}
