import type { ServiceName } from './wire/request-observer.js'

/** What goes wrong with one call over the wire. */
export type FaultAction =
  /** The whole call is throttled with ProvisionedThroughputExceededException. */
  | { kind: 'throttle' }
  /** That share of the entries of a PutRecords fails with InternalFailure; the others are stored. */
  | { kind: 'partial'; fraction: number }
  /** HTTP 500 InternalFailure; nothing is done. */
  | { kind: 'error500' }
  /** The connection is cut before the operation runs. */
  | { kind: 'reset-before' }
  /** The operation runs, then the connection is cut: the caller cannot know. */
  | { kind: 'reset-after' }
  /** The answer waits; the operation has run. */
  | { kind: 'stall'; delayMs: number }

export interface FaultCall {
  service: ServiceName
  operation: string
  /** Of this service's calls, from 1. */
  number: number
}

export type FaultPlan = (call: FaultCall) => FaultAction | undefined
