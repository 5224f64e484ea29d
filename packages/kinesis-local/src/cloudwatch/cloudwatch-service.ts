import type { Clock, MetricUnit } from '@org/kinesis-core'
import { type LocalService, ServiceError } from '../service.js'
import type { MetricStore, Series, StatisticSet } from './metric-store.js'

const STATISTICS = ['Sum', 'Average', 'Maximum', 'Minimum', 'SampleCount'] as const
type Statistic = (typeof STATISTICS)[number]

const MAX_DATA_POINTS = 100_800
const MAX_QUERIES = 500
const MAX_METRICS_PER_PUT = 1_000
const MAX_DIMENSIONS = 30
/** Of one GetMetricStatistics call. */
const MAX_STATISTICS_POINTS = 1_440

interface Dimension {
  Name: string
  Value: string
}

interface MetricRef {
  Namespace?: string
  MetricName?: string
  Dimensions?: unknown
}

interface MetricDataQuery {
  Id?: string
  Label?: string
  ReturnData?: boolean
  Expression?: string
  MetricStat?: { Metric?: MetricRef; Period?: number; Stat?: string; Unit?: string }
}

interface IncomingMetric extends MetricRef {
  Timestamp?: number | Date
  Value?: number
  Values?: number[]
  Counts?: number[]
  StatisticValues?: { SampleCount: number; Sum: number; Minimum: number; Maximum: number }
  Unit?: string
}

/** The part of CloudWatch that reads and writes metrics. No metric math, no percentiles, no alarms. */
export class CloudWatchService implements LocalService {
  readonly targetPrefix = 'GraniteServiceVersion20100801'

  constructor(
    private readonly store: MetricStore,
    private readonly clock: Clock,
  ) {}

  call(operation: string, input: Record<string, unknown>): unknown {
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
    const queries = listOf<MetricDataQuery>(input.MetricDataQueries, 'MetricDataQueries')
    if (queries.length === 0) throw invalid('MetricDataQueries must not be empty.')
    if (queries.length > MAX_QUERIES) {
      throw invalid(`The collection MetricDataQueries must not have a size greater than ${MAX_QUERIES}.`)
    }
    const fromMs = epochMs(input.StartTime, 'StartTime')
    const toMs = epochMs(input.EndTime, 'EndTime')
    if (fromMs >= toMs) throw invalid('The parameter StartTime must be less than the parameter EndTime.')
    const isDescending = input.ScanBy !== 'TimestampAscending'
    const points = queries
      .filter(({ ReturnData = true }) => ReturnData)
      .flatMap((query) => this.#points(query, fromMs, toMs, isDescending))
    const most = Math.min(Number(input.MaxDatapoints ?? MAX_DATA_POINTS), MAX_DATA_POINTS)
    return page(points, queries, offsetOf(input.NextToken), most)
  }

  #points(query: MetricDataQuery, fromMs: number, toMs: number, isDescending: boolean): DataPoint[] {
    const id = required(query.Id, 'MetricDataQueries.Id')
    if (query.MetricStat === undefined) {
      throw invalid(`Query ${id}: only MetricStat is supported here; expressions are not.`)
    }
    const statistic = statisticOf(query.MetricStat.Stat)
    const period = periodOf(query.MetricStat.Period)
    const series = this.#series(query.MetricStat.Metric ?? {}, query.MetricStat.Unit)
    if (series === undefined) return []
    const points = this.store
      .query(series, fromMs, toMs, period)
      .map(({ atMs, values }) => ({ id, atMs, value: statisticValue(values, statistic) }))
    return isDescending ? points.reverse() : points
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
    const series = this.#series(input as MetricRef, input.Unit)
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
    const wanted = listOf<{ Name: string; Value?: string }>(input.Dimensions, 'Dimensions')
    const metrics = [...this.store.all].filter(
      (series) =>
        (namespace === undefined || series.namespace === namespace) &&
        (name === undefined || series.name === name) &&
        wanted.every(({ Name, Value }) =>
          Value === undefined ? Name in series.dimensions : series.dimensions[Name] === Value,
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

  /** As in the service, a unit that no data was put with has no data. */
  #series(metric: MetricRef, unit: unknown): Series | undefined {
    const series = this.store.series(
      required(metric.Namespace, 'Namespace'),
      required(metric.MetricName, 'MetricName'),
      dimensionsOf(metric.Dimensions),
    )
    return unit === undefined || unit === null || series?.unit === unit ? series : undefined
  }
}

interface DataPoint {
  id: string
  atMs: number
  value: number
}

/** A page holds so many points of all queries together; every query is named on every page, as in the service. */
function page(
  points: DataPoint[],
  queries: readonly MetricDataQuery[],
  offset: number,
  most: number,
): unknown {
  const shown = points.slice(offset, offset + most)
  const hasMore = points.length > offset + most
  const byId = new Map<string, DataPoint[]>()
  for (const point of shown) {
    const known = byId.get(point.id)
    if (known === undefined) byId.set(point.id, [point])
    else known.push(point)
  }
  return {
    MetricDataResults: queries
      .filter(({ ReturnData = true }) => ReturnData)
      .map(({ Id, Label, MetricStat }) => {
        const own = byId.get(Id!) ?? []
        return {
          Id,
          Label: Label ?? MetricStat?.Metric?.MetricName,
          Timestamps: own.map(({ atMs }) => atMs / 1000),
          Values: own.map(({ value }) => value),
          StatusCode: hasMore ? 'PartialData' : 'Complete',
        }
      }),
    Messages: [],
    ...(hasMore ? { NextToken: tokenOf(offset + most) } : {}),
  }
}

function statisticValue(values: StatisticSet, statistic: Statistic): number {
  switch (statistic) {
    case 'Sum':
      return values.sum
    case 'Average':
      return values.sum / values.count
    case 'Maximum':
      return values.maximum
    case 'Minimum':
      return values.minimum
    case 'SampleCount':
      return values.count
  }
}

function statisticOf(value: unknown): Statistic {
  const statistic = STATISTICS.find((one) => one === value)
  if (statistic === undefined) {
    throw invalid(
      `The statistic ${JSON.stringify(value)} is not supported here: use one of ${STATISTICS.join(', ')}.`,
    )
  }
  return statistic
}

function periodOf(value: unknown): number {
  const period = Number(value)
  if (!Number.isInteger(period) || period < 1 || (period % 60 !== 0 && ![1, 5, 10, 30].includes(period))) {
    throw invalid('The parameter Period must be 1, 5, 10, 30 or a multiple of 60.')
  }
  return period
}

function valuesOf(metric: IncomingMetric): StatisticSet {
  if (metric.StatisticValues !== undefined) {
    const { SampleCount, Sum, Minimum, Maximum } = metric.StatisticValues
    if (![SampleCount, Sum, Minimum, Maximum].every(Number.isFinite)) {
      throw invalid('StatisticValues needs a finite SampleCount, Sum, Minimum and Maximum.')
    }
    return { count: SampleCount, sum: Sum, minimum: Minimum, maximum: Maximum }
  }
  const values = metric.Values ?? (metric.Value === undefined ? [] : [metric.Value])
  if (values.length === 0 || !values.every((value) => Number.isFinite(value))) {
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
    set.sum += value * count
    set.count += count
    set.minimum = Math.min(set.minimum, value)
    set.maximum = Math.max(set.maximum, value)
  }
  return set
}

function dimensionsOf(value: unknown): Record<string, string> {
  const dimensions = listOf<Dimension>(value, 'Dimensions')
  if (dimensions.length > MAX_DIMENSIONS) {
    throw invalid(`The collection Dimensions must not have a size greater than ${MAX_DIMENSIONS}.`)
  }
  return Object.fromEntries(
    dimensions.map(({ Name, Value }) => [
      required(Name, 'Dimensions.member.Name'),
      required(Value, 'Dimensions.member.Value'),
    ]),
  )
}

function listOf<T>(value: unknown, name: string): T[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value) || !value.every((member) => typeof member === 'object' && member !== null)) {
    throw invalid(`The parameter ${name} must be a list of structures.`)
  }
  return value as T[]
}

function epochMs(value: unknown, name: string): number {
  if (value instanceof Date) return value.getTime()
  if (typeof value === 'number' && Number.isFinite(value)) return value * 1000
  throw invalid(`The parameter ${name} is required and must be a timestamp.`)
}

function offsetOf(token: unknown): number {
  if (token === undefined || token === null) return 0
  const offset = Number(Buffer.from(String(token), 'base64').toString('utf8'))
  if (!Number.isSafeInteger(offset) || offset < 0)
    throw cloudWatchError('InvalidNextToken', 'The NextToken is invalid.')
  return offset
}

function tokenOf(offset: number): string {
  return Buffer.from(String(offset)).toString('base64')
}

function required(value: unknown, name: string): string {
  if (typeof value !== 'string' || value === '') {
    throw cloudWatchError('MissingRequiredParameterException', `The parameter ${name} is required.`)
  }
  return value
}

function invalid(message: string): ServiceError {
  return cloudWatchError('InvalidParameterValueException', message)
}

/** The older query protocol's codes, which SDKs still read from `x-amzn-query-error` (AWS SDK models). */
const QUERY_CODES: Readonly<Record<string, string>> = {
  InvalidParameterValueException: 'InvalidParameterValue',
  InvalidParameterCombinationException: 'InvalidParameterCombination',
  MissingRequiredParameterException: 'MissingParameter',
}

function cloudWatchError(code: string, message: string): ServiceError {
  return new ServiceError(code, message, 400, { 'x-amzn-query-error': `${QUERY_CODES[code] ?? code};Sender` })
}
