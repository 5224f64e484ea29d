export type ServiceName = 'kinesis' | 'dynamodb' | 'sqs' | 'cloudwatch'

/** One request as it went over the wire, told after its answer was handed to the socket. */
export interface RequestObservation {
  service: ServiceName
  operation: string
  statusCode: number
  requestBody: Buffer
  /** Undefined where the connection was cut before an answer. */
  responseBody: Buffer | undefined
  /** Milliseconds since the epoch, with a fraction. */
  finishedAtMs: number
}

export type RequestObserver = (observation: RequestObservation) => void

export function preciseNowMs(): number {
  return performance.timeOrigin + performance.now()
}
