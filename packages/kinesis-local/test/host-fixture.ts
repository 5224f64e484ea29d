import { type Clock, systemClock } from '@org/kinesis-core'
import type { HostDependencies } from '../src/function/host-dependencies.js'
import type { LocalService, MetricDatum } from '../src/service.js'

/** A service that nothing is asked of. */
const unusedService: LocalService = {
  targetPrefix: 'Kinesis_20131202',
  call: (operation) => Promise.reject(new Error(`${operation} was not expected`)),
}

/** The local services around a host, with what it published kept for a look. */
export function hostDependencies(kinesis: LocalService = unusedService, clock: Clock = systemClock) {
  const data: MetricDatum[] = []
  const emfLines: string[] = []
  const url = 'http://127.0.0.1:1'
  return {
    kinesis,
    clock,
    metrics: {
      put: (datum: MetricDatum) => {
        data.push(datum)
      },
      ingestEmf: (line: string) => {
        emfLines.push(line)
        return true
      },
    },
    region: 'us-east-1',
    accountId: '000000000000',
    environment: { AWS_ENDPOINT_URL: url, AWS_REGION: 'us-east-1' },
    url,
    data,
    emfLines,
  } satisfies HostDependencies & { data: MetricDatum[]; emfLines: string[] }
}
