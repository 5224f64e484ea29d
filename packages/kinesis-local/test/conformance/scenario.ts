import type { EndpointName } from './endpoints.js'
import type { ServiceUnderTest } from './service-under-test.js'

/** One question to a Kinesis endpoint, and the answer that the service's document gives to it. */
export interface Scenario {
  /** A sentence; the key of the table of differences. */
  name: string
  /** Title of the service's document that says so. */
  document: string
  /** Asks, and returns what was seen as plain data: no names, times or sequence numbers, which differ from run to run. */
  ask(service: ServiceUnderTest): Promise<unknown>
  expected: unknown
  /** It must let minutes go by, which an endpoint without a clock of ours cannot do quickly. */
  needsTime?: boolean
  /** Who is not asked, and why: an answer would cost more than it tells. */
  notAsked?: Partial<Record<EndpointName, string>>
}
