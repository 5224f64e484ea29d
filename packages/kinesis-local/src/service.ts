import type { MetricUnit } from '@org/kinesis-core'

/**
 * One AWS service in process. The wire handlers, the pollers and the tests call the same object, with the shapes of the AWS API
 * (blobs as `Uint8Array`, timestamps as epoch seconds); what fails throws a `ServiceError`.
 */
export interface LocalService {
  /** What `X-Amz-Target` begins with, `Kinesis_20131202` say. */
  readonly targetPrefix: string
  /** `gone` aborts when nobody waits for the answer any more: what waits must not take anything for it then. */
  call(operation: string, input: Record<string, unknown>, gone?: AbortSignal): unknown | Promise<unknown>
  /** As `call`, with blobs as base64. Services without blobs need none. */
  callForWire?(operation: string, input: Record<string, unknown>): unknown | Promise<unknown>
  /** The shards that a call is about, for a service that has any; throws what the call itself would. */
  shardsOf?(operation: string, input: Record<string, unknown>): readonly string[]
}

/** What an operation with an event stream gives: each event under the name of its type, until iteration ends. */
export interface EventStreamResult {
  EventStream: AsyncIterable<Readonly<Record<string, unknown>>>
}

/** An error that the service itself would answer with: the code is the service's own. */
export class ServiceError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly statusCode: number = 400,
    /** Beside `x-amzn-errortype`. */
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message)
    this.name = 'ServiceError'
  }
}

export interface MetricDatum {
  namespace: string
  name: string
  dimensions: Readonly<Record<string, string>>
  value: number
  unit: MetricUnit
  timestampMs: number
}

/** Where the local services publish what AWS publishes to CloudWatch. */
export interface MetricSink {
  put(datum: MetricDatum): void
}
