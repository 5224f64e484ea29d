import type { FaultAction } from '../faults/fault-action.js'

export type ServiceName = 'kinesis' | 'dynamodb' | 'sqs' | 'sns' | 'firehose' | 'cloudwatch'

/** One call as it went over the wire, told after its answer was handed to the socket. */
export interface RequestObservation {
  service: ServiceName
  operation: string
  /** Of this service's calls over the wire, from 1. */
  number: number
  /** What was made to go wrong with it. */
  fault?: FaultAction
  /** 0 where a fault cut the connection before an answer. */
  statusCode: number
  requestBody: Buffer
  /** Empty for an event stream, which is told when it ends. Undefined where a fault cut the connection before an answer. */
  responseBody: Buffer | undefined
  /** Milliseconds since the epoch, with a fraction. */
  finishedAtMs: number
}

export type RequestObserver = (observation: RequestObservation) => void

export function preciseNowMs(): number {
  return performance.timeOrigin + performance.now()
}
