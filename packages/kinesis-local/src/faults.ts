import type { ServiceName } from './wire/request-observer.js'

/** What goes wrong with one call over the wire. Calls in process are never harmed. */
export type FaultAction =
  /** The whole call is throttled, with the error that the service has for it; nothing is done. */
  | { kind: 'throttle' }
  /**
   * That share (0 to 1) of the entries of a PutRecords fails with InternalFailure, chosen by `random` of `startLocal`; the others are
   * stored. Calls of other operations go through unharmed.
   */
  | { kind: 'partial'; fraction: number }
  /** HTTP 500 InternalFailure; nothing is done. */
  | { kind: 'error500' }
  /** The connection is cut before the operation runs. */
  | { kind: 'reset-before' }
  /** The operation runs, then the connection is cut: the caller cannot know. */
  | { kind: 'reset-after' }
  /** The operation runs at once; its answer comes `delayMs` later. */
  | { kind: 'stall'; delayMs: number }

export interface FaultCall {
  service: ServiceName
  operation: string
  /** Of this service's calls over the wire, from 1. */
  number: number
}

/** Asked once for every call over the wire. Undefined: nothing goes wrong. */
export type FaultPlan = (call: FaultCall) => FaultAction | undefined
