import type { Clock, MetricUnit } from '@org/kinesis-core'
import { numberOf } from '../scalar-input.js'
import type { LocalService } from '../service.js'
import { ALARM_OPERATIONS, type Alarms } from './alarms.js'
import {
  cloudWatchError,
  dimensionsOf,
  epochMs,
  invalid,
  listOf,
  type MetricRef,
  offsetOf,
  required,
  tokenOf,
} from './cloudwatch-input.js'
import { evaluateQueries, type MetricQuery, readMetricQueries, seriesOf } from './metric-queries.js'
import { periodOf, statisticOf, statisticValue } from './metric-statistic.js'
import type { MetricStore, StatisticSet } from './metric-store.js'

const MAX_DATA_POINTS = 100_800
const MAX_METRICS_PER_PUT = 1_000
/** Of one GetMetricStatistics call. */
const MAX_STATISTICS_POINTS = 1_440

interface IncomingMetric extends MetricRef {
  Timestamp?: number | Date
  Value?: number
  Values?: number[]
  Counts?: number[]
  StatisticValues?: { SampleCount: number; Sum: number; Minimum: number; Maximum: number }
  Unit?: string
}

/** The part of CloudWatch that reads and writes metrics, and alarms on them. No percentiles. */
export class CloudWatchService implements LocalService {
  readonly targetPrefix = 'GraniteServiceVersion20100801'

  constructor(
    private readonly store: MetricStore,
    private readonly clock: Clock,
    /** @default none: their operations are not known then */
    private readonly alarms?: Alarms,
  ) {}

  call(operation: string, input: Record<string, unknown>): unknown {
    if (this.alarms !== undefined && Object.hasOwn(ALARM_OPERATIONS, operation)) {
      return ALARM_OPERATIONS[operation]!(this.alarms, input)
    }
    switch (operation) {
      case 'PutMetricData':
        return this.#put(input)
      case 'GetMetricData':
        return this.#getMetricData(input)
      case 'GetMetricStatistics':
        return this.#getMetricStatistics(input)
      case 'ListMetrics':
        return this.#listMetrics(input)
      default:
        throw cloudWatchError('InvalidAction', `The action ${operation} is not supported here.`)
    }
  }

  #put(input: Record<string, unknown>): unknown {
    const namespace = required(input.Namespace, 'Namespace')
    const metrics = listOf<IncomingMetric>(input.MetricData, 'MetricData')
    if (metrics.length > MAX_METRICS_PER_PUT) {
      throw invalid(`The collection MetricData must not have a size greater than ${MAX_METRICS_PER_PUT}.`)
    }
    // All are checked before any is kept: a call is taken whole or not at all.
    const read = metrics.map((metric) => ({
      metric: {
        namespace,
        name: required(metric.MetricName, 'MetricData.MetricName'),
        dimensions: dimensionsOf(metric.Dimensions),
        unit: (metric.Unit ?? 'None') as MetricUnit,
      },
      timestampMs: metric.Timestamp === undefined ? this.clock.now() : epochMs(metric.Timestamp, 'Timestamp'),
      values: valuesOf(metric),
    }))
    for (const { metric, timestampMs, values } of read) this.store.add(metric, timestampMs, values)
    return {}
  }

  #getMetricData(input: Record<string, unknown>): unknown {
    const queries = readMetricQueries(input.MetricDataQueries, 'MetricDataQueries')
    const fromMs = epochMs(input.StartTime, 'StartTime')
    const toMs = epochMs(input.EndTime, 'EndTime')
    if (fromMs >= toMs) throw invalid('The parameter StartTime must be less than the parameter EndTime.')
    const isDescending = input.ScanBy !== 'TimestampAscending'
    const values = evaluateQueries(queries, this.store, { fromMs, toMs })
    const shown = queries.filter(({ returnsData }) => returnsData)
    const points = shown.flatMap(({ id }) => {
      const own = [...values.get(id)!].map(([atMs, value]) => ({ id, atMs, value }))
      return own.sort((a, b) => (isDescending ? b.atMs - a.atMs : a.atMs - b.atMs))
    })
    const most = numberOf(input.MaxDatapoints ?? MAX_DATA_POINTS)
    if (!Number.isInteger(most) || most < 1) throw invalid('MaxDatapoints must be a whole number from 1.')
    return page(points, shown, offsetOf(input.NextToken), Math.min(most, MAX_DATA_POINTS))
  }

  #getMetricStatistics(input: Record<string, unknown>): unknown {
    if (input.ExtendedStatistics !== undefined && input.ExtendedStatistics !== null) {
      throw invalid(
        'ExtendedStatistics: percentiles are not supported here, since only sums, counts and bounds are kept. Use Statistics.',
      )
    }
    const statistics = (Array.isArray(input.Statistics) ? input.Statistics : []).map(statisticOf)
    if (statistics.length === 0) throw invalid('At least one of the parameters Statistics must be specified.')
    const fromMs = epochMs(input.StartTime, 'StartTime')
    const toMs = epochMs(input.EndTime, 'EndTime')
    if (fromMs >= toMs) throw invalid('The parameter StartTime must be less than the parameter EndTime.')
    const period = periodOf(input.Period)
    const asked = Math.ceil((toMs - fromMs) / 1000 / period)
    if (asked > MAX_STATISTICS_POINTS) {
      throw cloudWatchError(
        'InvalidParameterCombinationException',
        `You have requested up to ${asked} datapoints, which exceeds the limit of ${MAX_STATISTICS_POINTS}. You may reduce the datapoints requested by increasing Period, or decreasing the time range.`,
      )
    }
    const series = seriesOf(this.store, input as MetricRef, input.Unit)
    const points = series === undefined ? [] : this.store.query(series, fromMs, toMs, period)
    return {
      Label: input.MetricName,
      Datapoints: points.map(({ atMs, values }) => ({
        Timestamp: atMs / 1000,
        Unit: series!.unit,
        ...Object.fromEntries(statistics.map((statistic) => [statistic, statisticValue(values, statistic)])),
      })),
    }
  }

  #listMetrics(input: Record<string, unknown>): unknown {
    const { Namespace: namespace, MetricName: name } = input
    const wanted = listOf<{ Name?: unknown; Value?: unknown }>(input.Dimensions, 'Dimensions').map(
      ({ Name, Value }) => ({ Name: required(Name, 'Dimensions.member.Name'), Value }),
    )
    const metrics = [...this.store.all].filter(
      (series) =>
        (namespace === undefined || series.namespace === namespace) &&
        (name === undefined || series.name === name) &&
        wanted.every(({ Name, Value }) =>
          Value === undefined ? Object.hasOwn(series.dimensions, Name) : series.dimensions[Name] === Value,
        ),
    )
    const offset = offsetOf(input.NextToken)
    const size = 500
    return {
      Metrics: metrics.slice(offset, offset + size).map((series) => ({
        Namespace: series.namespace,
        MetricName: series.name,
        Dimensions: Object.entries(series.dimensions).map(([Name, Value]) => ({ Name, Value })),
      })),
      ...(metrics.length > offset + size ? { NextToken: tokenOf(offset + size) } : {}),
    }
  }
}

interface DataPoint {
  id: string
  atMs: number
  value: number
}

/** A page holds so many points of all queries together; every query is named on every page, as in the service. */
function page(points: DataPoint[], queries: readonly MetricQuery[], offset: number, most: number): unknown {
  const shown = points.slice(offset, offset + most)
  const hasMore = points.length > offset + most
  const byId = new Map<string, DataPoint[]>()
  for (const point of shown) {
    const known = byId.get(point.id)
    if (known === undefined) byId.set(point.id, [point])
    else known.push(point)
  }
  return {
    MetricDataResults: queries.map((query) => {
      const own = byId.get(query.id) ?? []
      return {
        Id: query.id,
        Label: query.label ?? (query.kind === 'metric' ? query.metric.MetricName : query.id),
        Timestamps: own.map(({ atMs }) => atMs / 1000),
        Values: own.map(({ value }) => value),
        StatusCode: hasMore ? 'PartialData' : 'Complete',
      }
    }),
    Messages: [],
    ...(hasMore ? { NextToken: tokenOf(offset + most) } : {}),
  }
}

function valuesOf(metric: IncomingMetric): StatisticSet {
  if (metric.StatisticValues !== undefined && metric.StatisticValues !== null) {
    const { SampleCount, Sum, Minimum, Maximum } = metric.StatisticValues
    if (![SampleCount, Sum, Minimum, Maximum].every(Number.isFinite)) {
      throw invalid('StatisticValues needs a finite SampleCount, Sum, Minimum and Maximum.')
    }
    return { count: SampleCount, sum: Sum, minimum: Minimum, maximum: Maximum }
  }
  const values: unknown = metric.Values ?? [metric.Value]
  if (!Array.isArray(values) || values.length === 0 || !values.every((value) => Number.isFinite(value))) {
    throw invalid('A metric needs a finite Value, Values, or StatisticValues.')
  }
  const set: StatisticSet = {
    sum: 0,
    count: 0,
    minimum: Number.POSITIVE_INFINITY,
    maximum: Number.NEGATIVE_INFINITY,
  }
  for (const [index, value] of values.entries()) {
    const count = metric.Counts?.[index] ?? 1
    if (!Number.isFinite(count)) throw invalid('Counts must be numbers.')
    set.sum += value * count
    set.count += count
    set.minimum = Math.min(set.minimum, value)
    set.maximum = Math.max(set.maximum, value)
  }
  return set
}
