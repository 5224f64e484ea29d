import { textOf } from '../scalar-input.js'
import { dimensionsOf, invalid, listOf, type MetricRef, required } from './cloudwatch-input.js'
import { type MathValue, type MetricExpression, parseMetricExpression } from './metric-expression.js'
import { periodOf, type Statistic, statisticOf, statisticValue } from './metric-statistic.js'
import type { MetricStore, Series } from './metric-store.js'

/** One of the queries that GetMetricData and alarms have in common, read. */
export type MetricQuery = { id: string; label: string | undefined; returnsData: boolean } & (
  | { kind: 'metric'; metric: MetricRef; unit: unknown; period: number; statistic: Statistic }
  | { kind: 'expression'; expression: MetricExpression; text: string; period: number | undefined }
)

export interface MetricRange {
  fromMs: number
  toMs: number
  /** Where periods are counted from; those of alarms end now. @default 0 */
  originSeconds?: number
}

interface MetricDataQuery {
  Id?: string
  Label?: string
  ReturnData?: boolean | string
  Expression?: string
  Period?: number
  MetricStat?: { Metric?: MetricRef; Period?: number; Stat?: string; Unit?: string }
}

const MAX_QUERIES = 500

export function readMetricQueries(value: unknown, name: string): MetricQuery[] {
  const queries = listOf<MetricDataQuery>(value, name)
  if (queries.length === 0) throw invalid(`${name} must not be empty.`)
  if (queries.length > MAX_QUERIES) {
    throw invalid(`The collection ${name} must not have a size greater than ${MAX_QUERIES}.`)
  }
  const read = queries.map((query) => readQuery(query, name))
  const ids = new Set(read.map(({ id }) => id))
  if (ids.size < read.length) throw invalid(`The ids of ${name} must be distinct.`)
  for (const query of read) {
    if (query.kind === 'metric') continue
    const missing = query.expression.references.find((id) => !ids.has(id))
    if (missing !== undefined)
      throw invalid(`Error in expression '${query.id}': there is no metric ${missing}.`)
  }
  refuseCycles(read)
  return read
}

/** Each round takes out what refers to nothing that is left; a cycle is what remains. */
function refuseCycles(queries: readonly MetricQuery[]): void {
  let left = queries
  for (;;) {
    const ids = new Set(left.map(({ id }) => id))
    const next = left.filter(
      (query) => query.kind === 'expression' && query.expression.references.some((id) => ids.has(id)),
    )
    if (next.length === 0) return
    if (next.length === left.length)
      throw invalid(`Error in expression '${left[0]!.id}': it refers to itself.`)
    left = next
  }
}

/** The values of each query by the time of their period. */
export function evaluateQueries(
  queries: readonly MetricQuery[],
  store: MetricStore,
  range: MetricRange,
): Map<string, ReadonlyMap<number, number>> {
  const byId = new Map(queries.map((query) => [query.id, query]))
  const values = new Map<string, MathValue>()
  const times = timesOf(queries, range)
  const lookUp = (id: string): MathValue => {
    const known = values.get(id)
    if (known !== undefined) return known
    const query = byId.get(id)!
    const value =
      query.kind === 'metric'
        ? metricValues(query, store, range)
        : query.expression.evaluate({ lookUp, times })
    values.set(id, value)
    return value
  }
  return new Map(queries.map(({ id }) => [id, asSeries(lookUp(id), times)]))
}

/** As in the service, a unit that no data was put with has no data. */
export function seriesOf(store: MetricStore, metric: MetricRef, unit: unknown): Series | undefined {
  const series = store.series(
    required(metric.Namespace, 'Namespace'),
    required(metric.MetricName, 'MetricName'),
    dimensionsOf(metric.Dimensions),
  )
  return unit === undefined || unit === null || series?.unit === unit ? series : undefined
}

function readQuery(query: MetricDataQuery, name: string): MetricQuery {
  const id = required(query.Id, `${name}.Id`)
  const common = {
    id,
    label: query.Label,
    returnsData: textOf(query.ReturnData ?? true) === 'true',
  }
  const hasMetric = query.MetricStat !== undefined && query.MetricStat !== null
  const hasExpression = query.Expression !== undefined && query.Expression !== null
  if (hasMetric === hasExpression) throw invalid(`Query ${id}: give either MetricStat or Expression.`)
  if (hasMetric) {
    const { Metric, Period, Stat, Unit } = query.MetricStat!
    if (typeof Metric !== 'object' || Metric === null)
      throw invalid(`Query ${id}: MetricStat needs a Metric.`)
    required(Metric.Namespace, 'Namespace')
    required(Metric.MetricName, 'MetricName')
    dimensionsOf(Metric.Dimensions)
    const period = periodOf(Period)
    return { ...common, kind: 'metric', metric: Metric, unit: Unit, period, statistic: statisticOf(Stat) }
  }
  const text = required(query.Expression, `${name}.Expression`)
  const period = query.Period === undefined || query.Period === null ? undefined : periodOf(query.Period)
  try {
    return { ...common, kind: 'expression', expression: parseMetricExpression(text), text, period }
  } catch (error) {
    throw invalid(`Error in expression '${id}': ${(error as Error).message}.`)
  }
}

function metricValues(
  { metric, unit, period, statistic }: Extract<MetricQuery, { kind: 'metric' }>,
  store: MetricStore,
  { fromMs, toMs, originSeconds }: MetricRange,
): Map<number, number> {
  const series = seriesOf(store, metric, unit)
  if (series === undefined) return new Map()
  const points = store.query(series, fromMs, toMs, period, originSeconds)
  return new Map(points.map(({ atMs, values }) => [atMs, statisticValue(values, statistic)]))
}

/** All periods of the range, of the shortest period that is asked for. */
function timesOf(
  queries: readonly MetricQuery[],
  { fromMs, toMs, originSeconds = 0 }: MetricRange,
): number[] {
  const periods = queries.flatMap(({ period }) => (period === undefined ? [] : [period]))
  const periodMs = Math.min(...periods, 86_400) * 1000
  const origin = originSeconds * 1000
  const times: number[] = []
  for (let at = Math.floor((fromMs - origin) / periodMs) * periodMs + origin; at < toMs; at += periodMs) {
    times.push(at)
    if (times.length > 100_800) throw invalid('The time range has too many periods.')
  }
  return times
}

function asSeries(value: MathValue, times: readonly number[]): ReadonlyMap<number, number> {
  return typeof value === 'number' ? new Map(times.map((at) => [at, value])) : value
}
