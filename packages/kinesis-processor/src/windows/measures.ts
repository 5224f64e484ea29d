import { PermanentError } from '../errors.js'
import { reducer, type WindowAggregate } from './window-aggregate.js'

/**
 * A number of an event. Undefined, and what lies beyond ±1e100, leave the event out of the measure, and out of nothing else; NaN and Infinity
 * pass the whole event over.
 */
export type Measure<T> = (event: T) => number | undefined

/** Longest JSON of a double, and some. */
const NUMBER_BYTES = 25

/** Events, or those of them for which `where` holds. */
export function count<T>(where: (event: T) => boolean = () => true): WindowAggregate<T, number> {
  return reducer({
    initial: () => 0,
    add: (total, event: T) => (where(event) ? total + 1 : total),
    merge: (a, b) => a + b,
    fixedBytes: NUMBER_BYTES,
  })
}

/** 0 where no event had a number. Sums of doubles: fractions are rounded, in an order that differs from run to run. */
export function sum<T>(of: Measure<T>): WindowAggregate<T, number> {
  return reducer({
    initial: () => 0,
    add: (total, event: T) => total + (summable(of(event)) ?? 0),
    merge: (a, b) => a + b,
    fixedBytes: NUMBER_BYTES,
  })
}

/** Null where no event had a number. */
export function minimum<T>(of: Measure<T>): WindowAggregate<T, number | null> {
  return extreme(of, Math.min)
}

/** Null where no event had a number. */
export function maximum<T>(of: Measure<T>): WindowAggregate<T, number | null> {
  return extreme(of, Math.max)
}

export interface Stats {
  /** Events that had a number; the rest is of those. */
  count: number
  sum: number
  /** Null where no event had a number, as the two below. */
  average: number | null
  minimum: number | null
  maximum: number | null
}

/** Count, sum, average, minimum and maximum of one number. */
export function stats<T>(of: Measure<T>): WindowAggregate<T, Stats> {
  return reducer<T, Stats>({
    initial: () => ({ count: 0, sum: 0, average: null, minimum: null, maximum: null }),
    add(state, event) {
      const value = summable(of(event))
      if (value === undefined) return state
      return merged(state, { count: 1, sum: value, average: value, minimum: value, maximum: value })
    },
    merge: merged,
    fixedBytes: 5 * NUMBER_BYTES + '{"count":,"sum":,"average":,"minimum":,"maximum":}'.length,
  })
}

function merged(a: Stats, b: Stats): Stats {
  const total = a.sum + b.sum
  const events = a.count + b.count
  return {
    count: events,
    sum: total,
    average: events === 0 ? null : total / events,
    minimum: ofEither(Math.min, a.minimum, b.minimum),
    maximum: ofEither(Math.max, a.maximum, b.maximum),
  }
}

type Pick = (a: number, b: number) => number

function extreme<T>(of: Measure<T>, pick: Pick): WindowAggregate<T, number | null> {
  return reducer<T, number | null>({
    initial: () => null,
    add: (state, event) => ofEither(pick, state, summable(of(event)) ?? null),
    merge: (a, b) => ofEither(pick, a, b),
    fixedBytes: NUMBER_BYTES,
  })
}

/** The one that is there, where the other is not. */
function ofEither(pick: Pick, a: number | null, b: number | null): number | null {
  if (a === null) return b
  return b === null ? a : pick(a, b)
}

/** Beyond these a sum could leave the range of doubles or of DynamoDB's numbers, and the partial could never be stored. */
const MAX_VALUE = 1e100
const MIN_VALUE = 1e-100

function summable(value: number | undefined): number | undefined {
  if (value === undefined) return undefined
  if (!Number.isFinite(value))
    throw new PermanentError(`The value ${value} is no number that can be summed.`, { reasonCode: 'invalid' })
  if (Math.abs(value) > MAX_VALUE) return undefined
  return Math.abs(value) < MIN_VALUE ? 0 : value
}
