import { InvalidOptionError } from '@org/kinesis-core'

/** What another emulator can serve in place of ours. */
export type ReplaceableService = 'kinesis' | 'dynamodb' | 'sqs' | 'sns' | 's3' | 'firehose' | 'cloudwatch'

/** URLs of endpoints, by service. */
export type LocalEndpoints = Partial<Record<ReplaceableService, string>>

export const REPLACEABLE_SERVICES: readonly ReplaceableService[] = [
  'kinesis',
  'dynamodb',
  'sqs',
  'sns',
  's3',
  'firehose',
  'cloudwatch',
]

export function resolveEndpoints(endpoints: LocalEndpoints = {}): LocalEndpoints {
  const resolved: LocalEndpoints = {}
  for (const [service, url] of Object.entries(endpoints)) {
    const name = REPLACEABLE_SERVICES.find((one) => one === service)
    if (name === undefined) {
      throw new InvalidOptionError('endpoints', service, `Name one of ${REPLACEABLE_SERVICES.join(', ')}.`)
    }
    if (url === undefined) continue
    if (typeof url !== 'string' || !URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
      throw new InvalidOptionError(`endpoints.${service}`, url, 'Give a URL such as http://127.0.0.1:8000.')
    }
    resolved[name] = url.replace(/\/+$/, '')
  }
  return resolved
}

/** What tells the SDKs and the AWS CLI of endpoints of single services; they come before AWS_ENDPOINT_URL. */
export function endpointEnvironment(endpoints: LocalEndpoints): Record<string, string> {
  return Object.fromEntries(
    Object.entries(endpoints).map(([service, url]) => [`AWS_ENDPOINT_URL_${service.toUpperCase()}`, url]),
  )
}
