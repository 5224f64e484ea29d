import { numberOf, textOf } from '../scalar-input.js'
import { type AlarmState, COMPARISONS, type MissingData } from './alarm-state.js'
import { invalid, listOf, required } from './cloudwatch-input.js'
import { type MetricQuery, readMetricQueries } from './metric-queries.js'

/** An alarm as PutMetricAlarm gave it, read once. */
export interface AlarmDefinition {
  name: string
  /** As DescribeAlarms gives it back. */
  input: Record<string, unknown>
  queries: MetricQuery[]
  /** The query that is compared; undefined where it is compared with a band, which is not evaluated here. */
  watchedId: string | undefined
  period: number
  evaluationPeriods: number
  datapointsToAlarm: number
  missingData: MissingData
  threshold: number
  comparison: string
  actionsEnabled: boolean
  actions: Readonly<Record<AlarmState, readonly string[]>>
}

/** What of the input belongs to the alarm; tags do not. */
const DESCRIBED = [
  'AlarmName',
  'AlarmDescription',
  'MetricName',
  'Namespace',
  'Statistic',
  'Dimensions',
  'Unit',
  'EvaluateLowSampleCountPercentile',
  'Metrics',
  'ThresholdMetricId',
  'ComparisonOperator',
  'TreatMissingData',
] as const
const MISSING = ['missing', 'ignore', 'breaching', 'notBreaching']
const MAX_ACTIONS = 5
const DAY_SECONDS = 86_400

export function readAlarm(input: Record<string, unknown>): AlarmDefinition {
  const name = required(input.AlarmName, 'AlarmName')
  if (name.length > 255) throw invalid('AlarmName must have at most 255 characters.')
  const { queries, watchedId, period } = readWatched(input)
  if (period < 10) throw invalid('Period of an alarm must be 10, 20, 30 or a multiple of 60.')
  const evaluationPeriods = count(input.EvaluationPeriods, 'EvaluationPeriods')
  const datapointsToAlarm = count(input.DatapointsToAlarm ?? evaluationPeriods, 'DatapointsToAlarm')
  if (datapointsToAlarm > evaluationPeriods) {
    throw invalid('DatapointsToAlarm must not be more than EvaluationPeriods.')
  }
  if (period * evaluationPeriods > (period < 3_600 ? DAY_SECONDS : 7 * DAY_SECONDS)) {
    throw invalid(
      'Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400).',
    )
  }
  const missingData = textOf(input.TreatMissingData ?? (isOfTables(queries) ? 'ignore' : 'missing'))
  if (!MISSING.includes(missingData)) throw invalid(`TreatMissingData must be one of ${MISSING.join(', ')}.`)
  const actions = {
    OK: actionsOf(input, 'OKActions'),
    ALARM: actionsOf(input, 'AlarmActions'),
    INSUFFICIENT_DATA: actionsOf(input, 'InsufficientDataActions'),
  }
  return {
    name,
    input: Object.fromEntries(
      DESCRIBED.flatMap((key) =>
        input[key] === undefined || input[key] === null ? [] : [[key, input[key]]],
      ),
    ),
    queries,
    watchedId,
    period,
    evaluationPeriods,
    datapointsToAlarm,
    missingData: missingData as MissingData,
    ...readThreshold(input, watchedId === undefined),
    actionsEnabled: textOf(input.ActionsEnabled ?? true) === 'true',
    actions,
  }
}

/** User guide, "Configuring how CloudWatch alarms treat missing data": those on tables ignore it, unless they say otherwise. */
function isOfTables(queries: readonly MetricQuery[]): boolean {
  return queries.some((query) => query.kind === 'metric' && query.metric.Namespace === 'AWS/DynamoDB')
}

/** An alarm watches one metric, or one of several queries: the one that returns data. */
function readWatched(
  input: Record<string, unknown>,
): Pick<AlarmDefinition, 'queries' | 'watchedId' | 'period'> {
  const all = listOf<{ Id?: string; Expression?: string }>(input.Metrics, 'Metrics')
  if (all.length === 0) {
    const { Namespace, MetricName, Dimensions, Period, Statistic, Unit, ExtendedStatistic } = input
    const Stat = Statistic ?? ExtendedStatistic
    const MetricStat = { Metric: { Namespace, MetricName, Dimensions }, Period, Stat, Unit }
    const queries = readMetricQueries([{ Id: 'm1', MetricStat }], 'Metrics')
    return { queries, watchedId: 'm1', period: queries[0]!.period! }
  }
  if (input.MetricName !== undefined && input.MetricName !== null) {
    throw invalid('Give either MetricName or Metrics.')
  }
  const isBand = typeof input.ThresholdMetricId === 'string'
  const queries = readMetricQueries(
    isBand ? all.filter(({ Id }) => Id !== input.ThresholdMetricId) : all,
    'Metrics',
  )
  const watched = queries.filter(({ returnsData }) => returnsData)
  if (watched.length !== 1) throw invalid('Exactly one element of the metrics list should return data.')
  const periods = queries.flatMap(({ period }) => (period === undefined ? [] : [period]))
  if (new Set(periods).size !== 1) throw invalid('Period must be the same for all metrics.')
  return { queries, watchedId: isBand ? undefined : watched[0]!.id, period: periods[0]! }
}

function readThreshold(
  input: Record<string, unknown>,
  isBand: boolean,
): { threshold: number; comparison: string } {
  const comparison = required(input.ComparisonOperator, 'ComparisonOperator')
  // With a band, the operator is one of those that name it, and there is no threshold.
  if (isBand) return { threshold: Number.NaN, comparison }
  if (!Object.hasOwn(COMPARISONS, comparison)) {
    throw invalid(`ComparisonOperator must be one of ${Object.keys(COMPARISONS).join(', ')}.`)
  }
  const threshold = typeof input.Threshold === 'string' ? Number(input.Threshold) : input.Threshold
  if (typeof threshold !== 'number' || !Number.isFinite(threshold)) {
    throw invalid('The parameter Threshold is required and must be a number.')
  }
  return { threshold, comparison }
}

function count(value: unknown, name: string): number {
  const number = numberOf(value)
  if (value === undefined || value === null || !Number.isInteger(number) || number < 1) {
    throw invalid(`The parameter ${name} must be a whole number from 1.`)
  }
  return number
}

function actionsOf(input: Record<string, unknown>, name: string): string[] {
  const actions = input[name] ?? []
  if (
    !Array.isArray(actions) ||
    actions.length > MAX_ACTIONS ||
    !actions.every((one) => /^arn:/.test(textOf(one)))
  ) {
    throw invalid(`${name} must be a list of at most ${MAX_ACTIONS} ARNs.`)
  }
  return actions.map(textOf)
}
