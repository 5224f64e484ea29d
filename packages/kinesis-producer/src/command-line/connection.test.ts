import { describe, expect, it } from 'vitest'
import { connectionTo } from './connection.js'

const stream = { streamName: 'orders' }
const arn = { streamArn: 'arn:aws:kinesis:eu-west-1:123456789012:stream/orders' }
const local = { accessKeyId: 'local', secretAccessKey: 'local' }

describe('the connection of the command line', () => {
  it('is as the SDK finds it where nothing is said', () => {
    expect(connectionTo(stream, {}, {})).toEqual({})
  })

  it.each<[string, Parameters<typeof connectionTo>, string]>([
    ['the flag', [arn, { region: 'us-west-2' }, { AWS_REGION: 'us-east-2' }], 'us-west-2'],
    ['the ARN', [arn, {}, { AWS_REGION: 'us-east-2' }], 'eu-west-1'],
    ['AWS_REGION', [stream, {}, { AWS_REGION: 'us-east-2', AWS_DEFAULT_REGION: 'us-east-1' }], 'us-east-2'],
    ['AWS_DEFAULT_REGION', [stream, {}, { AWS_DEFAULT_REGION: 'us-east-1' }], 'us-east-1'],
  ])('takes the region from %s', (_, given, region) => {
    expect(connectionTo(...given)).toEqual({ region })
  })

  it('gives a service on this machine keys and a region, where there are none', () => {
    const endpoint = 'http://127.0.0.1:4567'

    expect(connectionTo(stream, { endpointUrl: endpoint }, {})).toEqual({
      endpoint,
      region: 'us-east-1',
      credentials: local,
    })
    expect(connectionTo(stream, {}, { AWS_ENDPOINT_URL: endpoint, AWS_ACCESS_KEY_ID: 'a' })).toEqual({
      endpoint,
      region: 'us-east-1',
    })
    expect(connectionTo(stream, { endpointUrl: endpoint, profile: 'dev' }, {})).toEqual({ endpoint })
  })

  it('gives no keys to a service elsewhere', () => {
    const endpoint = 'https://kinesis.example.com'

    expect(connectionTo(stream, { endpointUrl: endpoint, region: 'eu-west-1' }, {})).toEqual({
      endpoint,
      region: 'eu-west-1',
    })
  })

  it('prefers a profile to keys of the environment', () => {
    const environment = { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b', AWS_SESSION_TOKEN: 'c' }

    connectionTo(stream, { profile: 'dev' }, environment)

    expect(environment).toEqual({ AWS_PROFILE: 'dev' })
  })
})
