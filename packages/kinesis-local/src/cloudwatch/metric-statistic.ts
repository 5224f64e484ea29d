import { numberOf } from '../scalar-input.js'
import { invalid } from './cloudwatch-input.js'
import type { StatisticSet } from './metric-store.js'

const STATISTICS = ['Sum', 'Average', 'Maximum', 'Minimum', 'SampleCount'] as const
export type Statistic = (typeof STATISTICS)[number]

export function statisticOf(value: unknown): Statistic {
  const statistic = STATISTICS.find((one) => one === value)
  if (statistic === undefined) {
    throw invalid(
      `The statistic ${JSON.stringify(value)} is not supported here, since only sums, counts and bounds are kept: use one of ${STATISTICS.join(', ')}.`,
    )
  }
  return statistic
}

export function statisticValue(values: StatisticSet, statistic: Statistic): number {
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

export function periodOf(value: unknown): number {
  const period = numberOf(value)
  if (
    !Number.isInteger(period) ||
    period < 1 ||
    (period % 60 !== 0 && ![1, 5, 10, 20, 30].includes(period))
  ) {
    throw invalid('The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60.')
  }
  return period
}
