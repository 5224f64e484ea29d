import type { Clock, MetricUnit } from '@org/kinesis-core'
import { type LocalService, ServiceError } from '../service.js'
import type { MetricStore, Series, StatisticSet } from './metric-store.js'

const STATISTICS = ['Sum', 'Average', 'Maximum', 'Minimum', 'SampleCount'] as const
type Statistic = (typeof STATISTICS)[number]

const MAX_DATA_POINTS = 100_800
const MAX_QUERIES = 500
const MAX_METRICS_PER_PUT = 1_000

interface Dimension {
  Name: string
  Value: string
}

interface MetricRef {
  Namespace?: string
  MetricName?: string
  Dimensions?: Dimension[]
}

interface MetricDataQuery {
  Id?: string
  Label?: string
  ReturnData?: boolean
  Expression?: string
  MetricStat?: { Metric?: MetricRef; Period?: number; Stat?: string }
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
        throw new ServiceError('InvalidAction', `The action ${operation} is not supported.`)
    }
  }

  #put(input: Record<string, unknown>): unknown {
    const namespace = required(input.Namespace, 'Namespace')
    const metrics = (Array.isArray(input.MetricData) ? input.MetricData : []) as IncomingMetric[]
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
    const queries = (
      Array.isArray(input.MetricDataQueries) ? input.MetricDataQueries : []
    ) as MetricDataQuery[]
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
    const series = this.#series(query.MetricStat.Metric ?? {})
    if (series === undefined) return []
    const period = periodOf(query.MetricStat.Period)
    const points = this.store
      .query(series, fromMs, toMs, period)
      .map(({ atMs, values }) => ({ id, atMs, value: statisticValue(values, statistic) }))
    return isDescending ? points.reverse() : points
  }

  #getMetricStatistics(input: Record<string, unknown>): unknown {
    const statistics = (Array.isArray(input.Statistics) ? input.Statistics : []).map(statisticOf)
    if (statistics.length === 0) {
      throw invalid(
        'At least one of the parameters Statistics and ExtendedStatistics must be specified (percentiles are not supported here).',
      )
    }
    const series = this.#series(input as MetricRef)
    const points =
      series === undefined
        ? []
        : this.store.query(
            series,
            epochMs(input.StartTime, 'StartTime'),
            epochMs(input.EndTime, 'EndTime'),
            periodOf(input.Period),
          )
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
    const wanted = (input.Dimensions ?? []) as { Name: string; Value?: string }[]
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

  #series(metric: MetricRef): Series | undefined {
    return this.store.series(
      required(metric.Namespace, 'Namespace'),
      required(metric.MetricName, 'MetricName'),
      dimensionsOf(metric.Dimensions),
    )
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
  if (!Number.isInteger(period) || period < 1 || (period > 30 && period % 60 !== 0)) {
    throw invalid('The parameter Period must be 1, 5, 10, 30 or a multiple of 60.')
  }
  return period
}

function valuesOf(metric: IncomingMetric): StatisticSet {
  if (metric.StatisticValues !== undefined) {
    const { SampleCount, Sum, Minimum, Maximum } = metric.StatisticValues
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

function dimensionsOf(dimensions: Dimension[] | undefined): Record<string, string> {
  return Object.fromEntries((dimensions ?? []).map(({ Name, Value }) => [Name, Value]))
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
    throw new ServiceError('InvalidNextToken', 'The NextToken is invalid.')
  return offset
}

function tokenOf(offset: number): string {
  return Buffer.from(String(offset)).toString('base64')
}

function required(value: unknown, name: string): string {
  if (typeof value !== 'string' || value === '') {
    throw new ServiceError('MissingRequiredParameterException', `The parameter ${name} is required.`)
  }
  return value
}

function invalid(message: string): ServiceError {
  return new ServiceError('InvalidParameterValueException', message)
}
