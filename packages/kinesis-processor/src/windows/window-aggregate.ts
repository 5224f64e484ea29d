import { isDeepStrictEqual } from 'node:util'
import { InvalidOptionError } from '@org/kinesis-core'
import { requireFunction, whole } from '../option-checks.js'

/** What is kept of the events of a key and window: a reducer whose states can be merged, because a window's result is made of partials. */
export interface WindowAggregate<T, S> {
  /** The state before any event. It is JSON, as every state: Lambda hands it from invocation to invocation. */
  readonly initial: () => S
  /**
   * The state with one event more. It leaves the one it is given as it is: where another aggregate throws a `PermanentError` on the event, none
   * has counted it.
   */
  readonly add: (state: S, event: T) => S
  /** Both, whichever comes first: partials are merged in no particular order. */
  readonly merge: (a: S, b: S) => S
  /**
   * A state that is larger as JSON, in bytes, is emitted with the rest of its partial, and begun anew. Up to 100,000; it is measured after each
   * event. @default 4_096
   */
  readonly maxBytes?: number
  /** Instead of `maxBytes`, and of measuring: no state is ever larger as JSON, in bytes, because it is a few numbers, say. Up to 100,000. */
  readonly fixedBytes?: number
}

/** By name. `any`, because each has a state of its own. */
// biome-ignore lint/suspicious/noExplicitAny: a state is taken and given, so `unknown` would accept no aggregate
export type WindowAggregates<T> = Readonly<Record<string, WindowAggregate<T, any>>>

/** The states by the names of the aggregates. */
export type AggregateStates<A> = {
  [Name in keyof A]: A[Name] extends { readonly initial: () => infer S } ? S : never
}

/** An aggregate of your own, as it is given: the call infers the type of its state. */
export function reducer<T, S>(aggregate: WindowAggregate<T, S>): WindowAggregate<T, S> {
  return aggregate
}

/** Of a reducer that does not say. Enough for a few names; a text of this size is written and measured in some microseconds. */
export const DEFAULT_MAX_BYTES = 4_096
/** Lambda bounds the state of all keys together to 1 MB, and DynamoDB an item to 400 KB. */
const MOST_BYTES = 100_000

/** @throws InvalidOptionError for what is no aggregate, or has a state that would not survive as JSON */
export function checkAggregates(aggregates: unknown): void {
  if (typeof aggregates !== 'object' || aggregates === null || Array.isArray(aggregates))
    throw new InvalidOptionError('aggregates', aggregates, 'Pass an object: { amount: sum(…) }.')
  for (const [name, aggregate] of Object.entries(aggregates as WindowAggregates<unknown>))
    check(`aggregates.${name}`, aggregate)
}

function check(option: string, aggregate: WindowAggregate<unknown, unknown>): void {
  for (const method of ['initial', 'add', 'merge'] as const)
    requireFunction(option, aggregate?.[method], `It has no ${method}(): pass { initial, add, merge }.`)
  const { maxBytes, fixedBytes } = aggregate
  if (maxBytes !== undefined) whole(`${option}.maxBytes`, maxBytes, 1, MOST_BYTES)
  if (fixedBytes !== undefined) whole(`${option}.fixedBytes`, fixedBytes, 1, MOST_BYTES)
  if (maxBytes !== undefined && fixedBytes !== undefined)
    throw new InvalidOptionError(
      `${option}.maxBytes`,
      maxBytes,
      'With fixedBytes nothing is measured: leave one out.',
    )
  const initial = aggregate.initial()
  if (!survivesJson(initial))
    throw new InvalidOptionError(
      `${option}.initial`,
      initial,
      'Its state would not survive as JSON: use plain objects, lists, text, finite numbers, booleans and null.',
    )
}

function survivesJson(value: unknown): boolean {
  try {
    return isDeepStrictEqual(JSON.parse(JSON.stringify(value)), value)
  } catch {
    return false
  }
}
