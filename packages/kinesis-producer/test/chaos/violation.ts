/** The rules that a producer keeps whatever fails; README and design say what each means. */
export type Rule =
  | 'every put settles'
  | 'settles in time'
  | 'fails for a reason'
  | 'receipts tell the history'
  | 'delivered is there'
  | 'not delivered is not there'
  | 'refused is not there'
  | 'nothing foreign is there'
  | 'no more copies than attempts'
  | 'members lie in their shard'
  | 'aggregates are as asked for'
  | 'keys are in order'
  | 'halted keys have no gap'
  | 'flush is a barrier'
  | 'close accounts for all'
  | 'stats agree'
  | 'hooks agree'
  | 'nothing is left'
  | 'memory is bounded'

export interface Violation {
  rule: Rule
  /** What was expected, and what was found. */
  message: string
  /** Numbers of the puts that it is about. */
  puts: readonly number[]
}
