import type { Clock } from '@org/kinesis-core'
import { numberOf, textOf } from '../scalar-input.js'
import type { LocalService } from '../service.js'
import { type AlarmDefinition, readAlarm } from './alarm.js'
import { alarmMessage, stateReason } from './alarm-message.js'
import { type AlarmState, COMPARISONS, EXTRA_PERIODS, evaluateAlarm } from './alarm-state.js'
import { cloudWatchError, epochMs, invalid, offsetOf, required, tokenOf } from './cloudwatch-input.js'
import { evaluateQueries } from './metric-queries.js'
import type { MetricStore } from './metric-store.js'

type Input = Record<string, unknown>

interface Alarm {
  definition: AlarmDefinition
  arn: string
  updatedAtMs: number
  state: AlarmState
  reason: string
  stateAtMs: number
  history: { atMs: number; type: string; summary: string; data: unknown }[]
}

export interface AlarmsOptions {
  store: MetricStore
  clock: Clock
  region: string
  accountId: string
  /** Where the topics are that actions name. */
  sns: LocalService
  /** Called before each evaluation: for metrics that somebody has to look up. */
  onEvaluate?: () => void
}

const MAX_ALARMS = 5_000
const MAX_HISTORY = 100
const PAGE_SIZE = 100
const STATES = ['OK', 'ALARM', 'INSUFFICIENT_DATA']
const BAND_REASON = 'Anomaly detection bands are not computed here.'

/** Metric alarms: evaluated every minute of the clock, those with shorter periods every ten seconds, at once when they are put. */
export class Alarms {
  readonly #options: AlarmsOptions
  readonly #alarms = new Map<string, Alarm>()
  #cancelTimer: (() => void) | undefined

  constructor(options: AlarmsOptions) {
    this.#options = options
  }

  close(): void {
    this.#cancelTimer?.()
    this.#alarms.clear()
  }

  put(input: Input): unknown {
    const definition = readAlarm(input)
    const { region, accountId, clock } = this.#options
    const nowMs = clock.now()
    const known = this.#alarms.get(definition.name)
    if (known === undefined && this.#alarms.size >= MAX_ALARMS) {
      throw cloudWatchError('LimitExceeded', `There are ${MAX_ALARMS} alarms already.`)
    }
    const alarm: Alarm = known ?? {
      definition,
      arn: `arn:aws:cloudwatch:${region}:${accountId}:alarm:${definition.name}`,
      updatedAtMs: nowMs,
      state: 'INSUFFICIENT_DATA',
      reason: 'Unchecked: Initial alarm creation',
      stateAtMs: nowMs,
      history: [],
    }
    alarm.definition = definition
    alarm.updatedAtMs = nowMs
    this.#alarms.set(definition.name, alarm)
    const what = known === undefined ? 'created' : 'updated'
    this.#remember(alarm, 'ConfigurationUpdate', `Alarm "${definition.name}" ${what}`, definition.input)
    this.#evaluate(alarm)
    this.#schedule()
    return {}
  }

  describe(input: Input): unknown {
    const { AlarmNames, AlarmNamePrefix = '', StateValue, ActionPrefix } = input
    const found = [...this.#alarms.values()].filter(
      ({ definition: { name, actions }, state }) =>
        (!Array.isArray(AlarmNames) || AlarmNames.length === 0 || AlarmNames.includes(name)) &&
        name.startsWith(textOf(AlarmNamePrefix ?? '')) &&
        (StateValue === undefined || StateValue === null || state === StateValue) &&
        (typeof ActionPrefix !== 'string' ||
          Object.values(actions).some((arns) => arns.some((arn) => arn.startsWith(ActionPrefix)))),
    )
    const { shown, NextToken } = page(found, input)
    return { MetricAlarms: shown.map(describeAlarm), CompositeAlarms: [], ...NextToken }
  }

  delete(input: Input): unknown {
    for (const name of this.#named(input.AlarmNames)) this.#alarms.delete(name)
    if (this.#alarms.size === 0) this.#cancelTimer?.()
    return {}
  }

  /** Until the next evaluation. */
  setState(input: Input): unknown {
    const alarm = this.#alarm(input.AlarmName)
    const state = required(input.StateValue, 'StateValue')
    if (!STATES.includes(state)) throw invalid(`StateValue must be one of ${STATES.join(', ')}.`)
    this.#change(alarm, state as AlarmState, textOf(input.StateReason ?? ''))
    return {}
  }

  setActions(input: Input, enabled: boolean): unknown {
    for (const name of this.#named(input.AlarmNames)) {
      const alarm = this.#alarms.get(name)
      if (alarm !== undefined) alarm.definition.actionsEnabled = enabled
    }
    return {}
  }

  history(input: Input): unknown {
    const { AlarmName, HistoryItemType: type, StartDate, EndDate, ScanBy } = input
    const fromMs = StartDate === undefined || StartDate === null ? 0 : epochMs(StartDate, 'StartDate')
    const toMs = EndDate === undefined || EndDate === null ? Infinity : epochMs(EndDate, 'EndDate')
    const items = [...this.#alarms.values()]
      .filter(({ definition }) => typeof AlarmName !== 'string' || definition.name === AlarmName)
      .flatMap(({ definition, history }) => history.map((item) => ({ ...item, name: definition.name })))
      .filter(({ atMs }) => atMs >= fromMs && atMs <= toMs)
      .filter((item) => type === undefined || type === null || item.type === type)
      .sort((a, b) => (ScanBy === 'TimestampAscending' ? a.atMs - b.atMs : b.atMs - a.atMs))
    const { shown, NextToken } = page(items, input)
    return {
      AlarmHistoryItems: shown.map(({ name, atMs, type: HistoryItemType, summary, data }) => ({
        AlarmName: name,
        AlarmType: 'MetricAlarm',
        Timestamp: atMs / 1000,
        HistoryItemType,
        HistorySummary: summary,
        HistoryData: JSON.stringify(data),
      })),
      ...NextToken,
    }
  }

  /** At the full minute, or the full ten seconds where an alarm has so short periods. */
  #schedule(): void {
    this.#cancelTimer?.()
    const { clock } = this.#options
    const isQuick = [...this.#alarms.values()].some(({ definition }) => definition.period < 60)
    const everyMs = isQuick ? 10_000 : 60_000
    this.#cancelTimer = clock.schedule(everyMs - (clock.now() % everyMs), () => {
      this.#options.onEvaluate?.()
      for (const alarm of this.#alarms.values()) this.#evaluate(alarm)
      if (this.#alarms.size > 0) this.#schedule()
    })
  }

  /** An alarm that cannot be evaluated says so: the timer has nobody to hear of an error, and the others go on. */
  #evaluate(alarm: Alarm): void {
    try {
      this.#evaluateNow(alarm)
    } catch (error) {
      alarm.reason = `The alarm cannot be evaluated: ${(error as Error).message}`
    }
  }

  #evaluateNow(alarm: Alarm): void {
    const { definition } = alarm
    const { watchedId, queries, period, evaluationPeriods, comparison, threshold } = definition
    if (watchedId === undefined) {
      alarm.reason = BAND_REASON
      return
    }
    // The youngest period ends now, to the minute: periods of alarms slide, those of GetMetricData do not.
    const stepMs = Math.min(period, 60) * 1000
    const endMs = Math.floor(this.#options.clock.now() / stepMs) * stepMs
    const periodMs = period * 1000
    const count = evaluationPeriods + EXTRA_PERIODS
    const values = evaluateQueries(queries, this.#options.store, {
      fromMs: endMs - count * periodMs,
      toMs: endMs,
      originSeconds: (endMs % periodMs) / 1000,
    }).get(watchedId)!
    const range = Array.from({ length: count }, (_, index) => {
      const atMs = endMs - (index + 1) * periodMs
      const value = values.get(atMs)
      return value === undefined ? undefined : { atMs, value }
    })
    const breaches = (value: number) => COMPARISONS[comparison]!.breaches(value, threshold)
    const evaluation = evaluateAlarm(range, { ...definition, breaches }, alarm.state)
    if (evaluation.state !== alarm.state) {
      this.#change(alarm, evaluation.state, stateReason(evaluation, definition))
    }
  }

  #change(alarm: Alarm, newState: AlarmState, reason: string): void {
    const oldState = alarm.state
    alarm.reason = reason
    if (newState === oldState) return
    const atMs = this.#options.clock.now()
    alarm.state = newState
    alarm.stateAtMs = atMs
    this.#remember(alarm, 'StateUpdate', `Alarm updated from ${oldState} to ${newState}`, {
      oldState: { stateValue: oldState },
      newState: { stateValue: newState, stateReason: reason },
    })
    const { definition, arn, updatedAtMs } = alarm
    if (!definition.actionsEnabled) return
    const message = alarmMessage(definition, { oldState, newState, reason, atMs, updatedAtMs, arn })
    for (const action of definition.actions[newState]) void this.#act(alarm, action, message)
  }

  async #act(alarm: Alarm, action: string, message: { Subject: string; Message: string }): Promise<void> {
    try {
      if (!action.startsWith('arn:aws:sns:')) throw new Error('only topics are told here')
      await this.#options.sns.call('Publish', { TopicArn: action, ...message })
      this.#remember(alarm, 'Action', `Successfully executed action ${action}`, { actionState: 'Succeeded' })
    } catch (error) {
      const { message: reason } = error as Error
      this.#remember(alarm, 'Action', `Failed to execute action ${action}. Received error: "${reason}"`, {
        actionState: 'Failed',
        error: reason,
      })
    }
  }

  #remember({ history }: Alarm, type: string, summary: string, data: unknown): void {
    history.push({ atMs: this.#options.clock.now(), type, summary, data })
    if (history.length > MAX_HISTORY) history.shift()
  }

  #alarm(name: unknown): Alarm {
    const alarm = this.#alarms.get(required(name, 'AlarmName'))
    if (alarm === undefined) throw cloudWatchError('ResourceNotFound', 'Alarm does not exist')
    return alarm
  }

  #named(names: unknown): string[] {
    if (!Array.isArray(names) || names.length > 100)
      throw invalid('AlarmNames must be a list of at most 100.')
    return names.map(textOf)
  }
}

export const ALARM_OPERATIONS: Readonly<Record<string, (alarms: Alarms, input: Input) => unknown>> = {
  PutMetricAlarm: (alarms, input) => alarms.put(input),
  DescribeAlarms: (alarms, input) => alarms.describe(input),
  DeleteAlarms: (alarms, input) => alarms.delete(input),
  SetAlarmState: (alarms, input) => alarms.setState(input),
  DescribeAlarmHistory: (alarms, input) => alarms.history(input),
  EnableAlarmActions: (alarms, input) => alarms.setActions(input, true),
  DisableAlarmActions: (alarms, input) => alarms.setActions(input, false),
}

function describeAlarm({ definition, arn, updatedAtMs, state, reason, stateAtMs }: Alarm) {
  const { input, actions, actionsEnabled, evaluationPeriods, datapointsToAlarm, threshold, period } =
    definition
  return {
    ...input,
    AlarmArn: arn,
    AlarmConfigurationUpdatedTimestamp: updatedAtMs / 1000,
    ActionsEnabled: actionsEnabled,
    OKActions: actions.OK,
    AlarmActions: actions.ALARM,
    InsufficientDataActions: actions.INSUFFICIENT_DATA,
    StateValue: state,
    StateReason: reason,
    StateUpdatedTimestamp: stateAtMs / 1000,
    StateTransitionedTimestamp: stateAtMs / 1000,
    EvaluationPeriods: evaluationPeriods,
    DatapointsToAlarm: datapointsToAlarm,
    ...(input.Metrics === undefined ? { Period: period } : {}),
    ...(Number.isNaN(threshold) ? {} : { Threshold: threshold }),
  }
}

function page<T>(items: readonly T[], { MaxRecords, NextToken: token }: Input) {
  const size = numberOf(MaxRecords ?? PAGE_SIZE)
  if (!Number.isInteger(size) || size < 1 || size > PAGE_SIZE) {
    throw invalid(`MaxRecords must be from 1 to ${PAGE_SIZE}.`)
  }
  const offset = offsetOf(token)
  const end = offset + size
  return { shown: items.slice(offset, end), NextToken: end < items.length ? { NextToken: tokenOf(end) } : {} }
}
