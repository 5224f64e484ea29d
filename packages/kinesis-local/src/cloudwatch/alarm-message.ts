import type { AlarmDefinition } from './alarm.js'
import { COMPARISONS, type Evaluation } from './alarm-state.js'
import type { MetricQuery } from './metric-queries.js'

export interface StateChange {
  oldState: string
  newState: string
  reason: string
  atMs: number
  updatedAtMs: number
  arn: string
}

/** What an alarm tells a topic ("Notifying users on alarm changes": the JSON of a metric alarm). */
export function alarmMessage(
  alarm: AlarmDefinition,
  change: StateChange,
): { Subject: string; Message: string } {
  const [, , , region, accountId] = change.arn.split(':')
  const document = {
    AlarmName: alarm.name,
    AlarmDescription: alarm.input.AlarmDescription ?? null,
    AWSAccountId: accountId,
    AlarmConfigurationUpdatedTimestamp: stamp(change.updatedAtMs),
    NewStateValue: change.newState,
    NewStateReason: change.reason,
    StateChangeTime: stamp(change.atMs),
    // AWS writes the region's long name.
    Region: region,
    AlarmArn: change.arn,
    OldStateValue: change.oldState,
    OKActions: alarm.actions.OK,
    AlarmActions: alarm.actions.ALARM,
    InsufficientDataActions: alarm.actions.INSUFFICIENT_DATA,
    Trigger: trigger(alarm),
  }
  // Subjects of SNS are ASCII and short.
  const subject = `${change.newState}: "${alarm.name}" in ${region}`.replaceAll(/[^\x20-\x7e]/g, '?')
  return { Subject: subject.slice(0, 99), Message: JSON.stringify(document) }
}

export function stateReason(
  { datapoints, state }: Evaluation,
  { evaluationPeriods, datapointsToAlarm, comparison, threshold, missingData }: AlarmDefinition,
): string {
  const missing = evaluationPeriods - datapoints.length
  if (state === 'INSUFFICIENT_DATA') {
    return `Insufficient Data: ${missing} ${missing === 1 ? 'datapoint was' : 'datapoints were'} unknown.`
  }
  const { breaches, words } = COMPARISONS[comparison]!
  const isAlarm = state === 'ALARM'
  const shown = datapoints.filter(({ value }) => breaches(value, threshold) === isAlarm)
  const list = shown.map(
    ({ atMs, value }) => `${value} (${new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')})`,
  )
  const filled =
    missing > 0 && missingData !== 'missing' && missingData !== 'ignore'
      ? ` ${missing} missing ${missing === 1 ? 'datapoint was' : 'datapoints were'} treated as [${missingData === 'breaching' ? 'Breaching' : 'NonBreaching'}].`
      : ''
  const most = isAlarm
    ? `minimum ${datapointsToAlarm} ${plural(datapointsToAlarm)} for OK -> ALARM transition`
    : `minimum ${evaluationPeriods - datapointsToAlarm + 1} ${plural(evaluationPeriods - datapointsToAlarm + 1)} for ALARM -> OK transition`
  return `Threshold Crossed: ${shown.length} out of the last ${evaluationPeriods} datapoints [${list.join(', ')}] ${shown.length === 1 ? 'was' : 'were'} ${isAlarm ? '' : 'not '}${words} the threshold (${threshold}) (${most}).${filled}`
}

function plural(count: number): string {
  return count === 1 ? 'datapoint' : 'datapoints'
}

function trigger(alarm: AlarmDefinition) {
  const { input, period, evaluationPeriods, datapointsToAlarm, comparison, threshold, missingData } = alarm
  const common = {
    Period: period,
    EvaluationPeriods: evaluationPeriods,
    DatapointsToAlarm: datapointsToAlarm,
    ComparisonOperator: comparison,
    Threshold: threshold,
    TreatMissingData: missingData,
    EvaluateLowSampleCountPercentile: input.EvaluateLowSampleCountPercentile ?? '',
  }
  const [only] = alarm.queries
  if (input.Metrics === undefined && only?.kind === 'metric') {
    return {
      MetricName: only.metric.MetricName,
      Namespace: only.metric.Namespace,
      StatisticType: 'Statistic',
      Statistic: only.statistic.toUpperCase(),
      Unit: only.unit ?? null,
      Dimensions: dimensionsOf(only),
      ...common,
    }
  }
  return { ...common, Metrics: alarm.queries.map(describeQuery) }
}

function describeQuery(query: MetricQuery) {
  const common = {
    Id: query.id,
    ...(query.label === undefined ? {} : { Label: query.label }),
    ReturnData: query.returnsData,
  }
  if (query.kind === 'expression') return { ...common, Expression: query.text }
  const { metric, period, statistic } = query
  const Metric = {
    Dimensions: dimensionsOf(query),
    MetricName: metric.MetricName,
    Namespace: metric.Namespace,
  }
  return { ...common, MetricStat: { Metric, Period: period, Stat: statistic } }
}

function dimensionsOf({ metric }: Extract<MetricQuery, { kind: 'metric' }>) {
  const dimensions = (metric.Dimensions ?? []) as { Name: string; Value: string }[]
  return dimensions.map(({ Name, Value }) => ({ value: Value, name: Name }))
}

function stamp(atMs: number): string {
  return new Date(atMs).toISOString().replace('Z', '+0000')
}
