export type AlarmState = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA'
export type MissingData = 'missing' | 'ignore' | 'breaching' | 'notBreaching'

export const COMPARISONS: Readonly<
  Record<string, { breaches: (value: number, threshold: number) => boolean; words: string }>
> = {
  GreaterThanThreshold: { breaches: (value, threshold) => value > threshold, words: 'greater than' },
  GreaterThanOrEqualToThreshold: {
    breaches: (value, threshold) => value >= threshold,
    words: 'greater than or equal to',
  },
  LessThanThreshold: { breaches: (value, threshold) => value < threshold, words: 'less than' },
  LessThanOrEqualToThreshold: {
    breaches: (value, threshold) => value <= threshold,
    words: 'less than or equal to',
  },
}

export interface Evaluation {
  state: AlarmState
  /** What decided, newest first; of what is missing, nothing. */
  datapoints: { atMs: number; value: number }[]
}

/** Periods looked at beyond the evaluation periods, where some of those are missing. */
export const EXTRA_PERIODS = 2

/**
 * The state that follows from the data of an alarm's evaluation range, newest first, undefined where there is none. As the tables of
 * "Configuring how CloudWatch alarms treat missing data" have it: real datapoints are used first, however old in the range, and only
 * what they leave open is filled as the alarm says. Where that leaves nothing but breaching datapoints, they are enough as soon as the
 * oldest is as old as it would be with all of them there ("Avoiding premature transitions to alarm state"): until then the next may be fine.
 */
export function evaluateAlarm(
  range: readonly ({ atMs: number; value: number } | undefined)[],
  settings: {
    evaluationPeriods: number
    datapointsToAlarm: number
    missingData: MissingData
    breaches: (value: number) => boolean
  },
  current: AlarmState,
): Evaluation {
  const { evaluationPeriods, datapointsToAlarm, missingData, breaches } = settings
  const recent = range.slice(0, evaluationPeriods)
  const datapoints = (recent.includes(undefined) ? range : recent)
    .filter((point) => point !== undefined)
    .slice(0, evaluationPeriods)
  const breaching = datapoints.filter(({ value }) => breaches(value)).length
  const fine = datapoints.length - breaching
  const missing = evaluationPeriods - datapoints.length
  const isAlarm = breaching + (missingData === 'breaching' ? missing : 0) >= datapointsToAlarm
  if (isAlarm) return { state: 'ALARM', datapoints }
  if (missing > 0 && fine === 0) {
    if (missingData === 'ignore') return { state: current, datapoints }
    if (missingData === 'missing') {
      if (breaching === 0) return { state: 'INSUFFICIENT_DATA', datapoints }
      const age = 1 + range.findLastIndex((point) => point !== undefined)
      return { state: age >= datapointsToAlarm ? 'ALARM' : 'OK', datapoints }
    }
  }
  return { state: 'OK', datapoints }
}
