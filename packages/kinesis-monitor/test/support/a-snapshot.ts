import { deliveryMetrics, functionMetrics, type MetricDefinition, streamMetrics } from '@org/kinesis-core'
import type { DeliveryHealth, FunctionHealth, HealthSnapshot } from '../../src/health/health-snapshot.js'
import type { MetricSummary } from '../../src/metric-summary.js'
import type { StreamDescription } from '../../src/monitor-source.js'
import type { StreamMetricName } from '../../src/stream-metrics.js'

export const NOW = Date.UTC(2026, 0, 1, 12)
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const MINUTES = 15

/** A value per minute, the newest last; a bare number is the same in every minute, undefined is no data point. */
export type Series = number | readonly (number | undefined)[] | undefined

/** A metric whose every period holds one published value. */
function aMetric(definition: MetricDefinition, series: Series): MetricSummary {
  const values = typeof series === 'number' ? Array.from({ length: MINUTES }, () => series) : (series ?? [])
  const datapoints = values.flatMap((value, index) =>
    value === undefined
      ? []
      : {
          timestampMs: NOW - (values.length - index) * MINUTE,
          sum: value,
          average: value,
          maximum: value,
          sampleCount: 1,
        },
  )
  const sum = datapoints.reduce((total, point) => total + point.sum, 0)
  const reported = datapoints.length > 0
  return {
    metricName: definition.name,
    unit: definition.unit,
    state: reported ? 'reported' : 'missing',
    datapoints,
    sum: reported ? sum : undefined,
    average: reported ? sum / datapoints.length : undefined,
    maximum: reported ? Math.max(...datapoints.map((point) => point.maximum)) : undefined,
  }
}

type MetricValues = Partial<Record<StreamMetricName, Series>>

/** A stream of two shards with 100 records a minute and one consumer that keeps up; `more` shows what differs. */
export function aSnapshot(
  more: Partial<Omit<HealthSnapshot, 'metrics' | 'stream'>> & {
    metrics?: MetricValues
    stream?: Partial<StreamDescription>
  } = {},
): HealthSnapshot {
  const values: MetricValues = {
    incomingRecords: 100,
    incomingBytes: 10_000,
    outgoingRecords: 100,
    outgoingBytes: 10_000,
    writeThroughputExceeded: 0,
    readThroughputExceeded: 0,
    iteratorAge: 200,
    getRecordsSuccess: 1,
    ...more.metrics,
  }
  const names = Object.keys(streamMetrics) as StreamMetricName[]
  return {
    takenAtMs: NOW,
    window: { startMs: NOW - MINUTES * MINUTE, endMs: NOW, periodSeconds: 60 },
    functions: [],
    deliveryStreams: [],
    pollingConsumers: 1,
    complete: true,
    problems: [],
    cliSuffix: ' --region eu-west-1',
    ...more,
    stream: {
      streamName: 'clicks',
      streamArn: 'arn:aws:kinesis:eu-west-1:123456789012:stream/clicks',
      status: 'ACTIVE',
      mode: 'PROVISIONED',
      retentionMs: 24 * HOUR,
      openShardCount: 2,
      registeredConsumerCount: 0,
      ...more.stream,
    },
    metrics: Object.fromEntries(
      names.map((name) => [name, aMetric(streamMetrics[name], values[name])]),
    ) as HealthSnapshot['metrics'],
  }
}

export function aFunction(
  values: Partial<Record<keyof typeof functionMetrics, Series>> = {},
  readsStream = true,
): FunctionHealth {
  const all = { invocations: 10, errors: 0, throttles: 0, iteratorAge: 100, ...values }
  return {
    name: 'clicks-processor',
    readsStream,
    invocations: aMetric(functionMetrics.invocations, all.invocations),
    errors: aMetric(functionMetrics.errors, all.errors),
    throttles: aMetric(functionMetrics.throttles, all.throttles),
    iteratorAge: aMetric(functionMetrics.iteratorAge, all.iteratorAge),
  }
}

export function aDelivery(values: { dataFreshness?: Series; deliverySuccess?: Series } = {}): DeliveryHealth {
  const all = { dataFreshness: 60, deliverySuccess: 1, ...values }
  return {
    name: 'clicks-delivery',
    dataFreshness: aMetric(deliveryMetrics.dataFreshness, all.dataFreshness),
    deliverySuccess: aMetric(deliveryMetrics.deliverySuccess, all.deliverySuccess),
  }
}
