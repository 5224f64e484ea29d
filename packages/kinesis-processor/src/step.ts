import type { BatchStep } from './batch-step.js'
import type { RecordPosition } from './stream-record.js'

/**
 * One step: gives the value for the next step, or undefined to drop the record (it counts as resolved). Throws a `PermanentError` to
 * reject it; anything else it throws is tried again, and the record with it, from its bytes.
 */
export type Step<In, Out> = (
  value: In,
  position: RecordPosition,
) => Out | undefined | Promise<Out | undefined>

/** What may stand in a list of steps: a function for each record, or a `batchStep` for many. */
export type AnyStep<In, Out> = Step<In, Out> | BatchStep<In, Out>
